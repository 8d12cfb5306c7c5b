#include "engine/short_batches.hpp"

#include <algorithm>

namespace assay::engine {

assay_short_batch short_batch_policy(const Layout& layout, assay_short_batch says) {
  if (layout.fixed_batch) return ASSAY_SHORT_BATCH_PAD;
  const bool rows = std::all_of(layout.outputs.begin(), layout.outputs.end(),
                                [](const TensorLayout& t) { return t.info.batch_axis >= 0; });
  return says == ASSAY_SHORT_BATCH_EITHER && !rows ? ASSAY_SHORT_BATCH_RESHAPE : says;
}

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
