#pragma once

#include "worker/session.hpp"

namespace assay::worker {

/// How the parity inputs go through a session: `count` full batches of `size`, sample i being that of i mod `samples`.
struct ParityBatches {
  std::int64_t samples = 1, size = 1, count = 1;
};
ParityBatches parity_batches(const Request& request, const Session& session);

/// Runs full batches of the seeded parity inputs and compares each sample with the reference's. Puts "parity.error",
/// "parity.top1" and the text "parity" into `result`. Throws Error(kParity). Without a reference: unverified, said so.
void check_parity(const Request& request, Session& session, TaskResult& result);

/// Calls `visit(output index, sample, view)` for each sample of every output of a drained batch; the view is contiguous
/// and valid during the call.
void for_each_sample(const std::vector<TensorInfo>& outputs, std::int64_t first, std::int64_t count,
                     std::span<const TensorView> views,
                     const std::function<void(std::size_t, std::int64_t, const TensorView&)>& visit);

}  // namespace assay::worker
