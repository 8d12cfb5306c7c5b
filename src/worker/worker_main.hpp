#pragma once

namespace assay::worker {

/// The descriptor on which a worker finds its launcher.
inline constexpr int kChannel = 3;
/// That of the memory in which it notes its members, see join_board.
inline constexpr int kBoard = 4;

/// Reads one request from `channel`, does it, says how it went, and answers the program's exit status: 0 when a result
/// or a failure was said, 2 when there was nobody to talk to.
int worker_main(int channel);

}  // namespace assay::worker
