#pragma once
// What becomes of a batch that is shorter than the others: it is filled up, or has a slot of its own size.

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>

#include "assay/backend_abi.h"
#include "engine/layout.hpp"

namespace assay::engine {

/// What is done where the backend `says` what it can. A model whose batch is fixed is always filled up; of an output
/// that has no row for each sample it could not be told what belongs to those that were added.
assay_short_batch short_batch_policy(const Layout& layout, assay_short_batch says);

/// Thread-safe.
class ShortBatches {
 public:
  /// `opening`: about how long a slot of another size takes to open, where the policy is ASSAY_SHORT_BATCH_EITHER.
  ShortBatches(assay_short_batch policy, std::chrono::nanoseconds opening) : policy_(policy), opening_(opening) {}

  /// For one more batch of `count` samples among such of `whole`, which take `whole_time` (0: not known). Where the
  /// backend has both, a size is filled up until what that has wasted, this time counted, comes to what opening takes:
  /// whatever is still to come, that costs at most twice what the better of the two would have (the "ski rental" rule),
  /// as far as `opening` is true of this size, and a sample takes the same time in a batch of any.
  [[nodiscard]] bool fills_up(std::int64_t count, std::int64_t whole, std::chrono::nanoseconds whole_time);
  /// A slot of this size could not be opened: where the backend has both, it is filled up from now on.
  /// False: it has not.
  bool refused(std::int64_t count);

 private:
  struct Size {
    std::int64_t filled_up = 0;
    bool refused = false;
  };
  const assay_short_batch policy_;
  const std::chrono::nanoseconds opening_;
  std::mutex mutex_;
  std::map<std::int64_t, Size> sizes_;
};

}  // namespace assay::engine
