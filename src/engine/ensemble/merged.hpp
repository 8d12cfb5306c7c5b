#pragma once
// The strategy "merged": one ONNX file of all members and of what combines them, for one engine to schedule.

#include <memory>
#include <span>
#include <string>

#include "base/file.hpp"
#include "engine/cache_entry.hpp"
#include "engine/ensemble/member_board.hpp"
#include "engine/ensemble/wiring.hpp"
#include "engine/stream.hpp"

namespace assay::engine {

/// A member as the strategy sees it.
struct MergedMember {
  MemberTensors tensors;  ///< as the file has them
  double weight = 1;
  const model::Model* model = nullptr;
  MemberNote note{};
};

struct MergedModel {
  model::Model model;
  std::unique_ptr<TemporaryFolder> folder;  ///< where the file lies if there is no cache: stays as long as the session
  EntryLock lock;                           ///< else its entry's, as long
};

/// The backend that an entry of the graph cache names whose graph is a merged one: it is every backend's.
inline constexpr const char* kMergedBackend = "merged";

/// The file's bytes. `wiring` is of what the members' files say. Throws Error(kUnsupported) for what one graph cannot
/// hold.
std::string merge_members(std::span<const MergedMember> members, const Wiring& wiring, Combine combine,
                          const Params& params);

/// The same written to the graph cache, or found there; without a cache, to a temporary folder.
MergedModel merged_model(std::span<const MergedMember> members, const Wiring& wiring, Combine combine,
                         const Params& params);

/// The same as a session of its engine's. What fails there, then or later, has all members' names.
Session load_merged(std::vector<MergedMember> members, Combine combine, const Params& params,
                    const LoadSettings& settings);

}  // namespace assay::engine
