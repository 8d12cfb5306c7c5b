#include "engine/short_batches.hpp"

namespace assay::engine {

bool ShortBatches::fills_up(std::int64_t count, std::int64_t whole, std::chrono::nanoseconds whole_time) {
  if (policy_ != ASSAY_SHORT_BATCH_EITHER) return policy_ == ASSAY_SHORT_BATCH_PAD;
  const std::lock_guard lock(mutex_);
  Size& size = sizes_[count];
  const double wasted_each = static_cast<double>(whole - count) / static_cast<double>(whole);
  const std::chrono::duration<double, std::nano> wasted =
      whole_time * (wasted_each * static_cast<double>(size.filled_up + 1));
  const bool fills = size.refused || wasted < opening_;
  if (fills) ++size.filled_up;
  return fills;
}

bool ShortBatches::refused(std::int64_t count) {
  if (policy_ != ASSAY_SHORT_BATCH_EITHER) return false;
  const std::lock_guard lock(mutex_);
  return sizes_[count].refused = true;
}

}  // namespace assay::engine
