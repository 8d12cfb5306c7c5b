#pragma once
// For which shapes an engine is built: TensorRT's optimization profile (least, typical, most). Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::tensorrt {

/// Sizes of one axis that an engine takes, and the one that its kernels are chosen for.
struct AxisRange {
  std::int64_t least = 1, typical = 1, most = 1;
  [[nodiscard]] bool fixed() const { return least == most; }
  friend bool operator==(const AxisRange&, const AxisRange&) = default;
};

struct InputRange {
  std::string name;
  std::vector<AxisRange> axes;
  [[nodiscard]] bool fixed() const;
};

/// What is done with axes that neither the model nor the request fixes.
struct FreeAxes {
  std::int64_t batch_size = 0;  ///< of the request: nearly every slot is this long there; 0: not known
  bool dynamic_batch = false;   ///< shorter ones run as they are; else the batch size is fixed
  std::int64_t typical_size = 1;
  std::optional<std::int64_t> largest_size;
};

/// One range an input, in their order. Throws Failure(ASSAY_INVALID_ARGUMENT) for a shape of `asked` that is of no
/// input, or not one of its shapes, and where typical_size is over largest_size.
std::vector<InputRange> ranges_of(std::span<const kit::TensorInfo> inputs, std::span<const kit::FixedShape> asked,
                                  const FreeAxes& free);

/// Throws Failure(ASSAY_INVALID_ARGUMENT), saying what the engine takes and how to have another, unless `shape` is one.
void check_within(const InputRange& range, std::span<const std::int64_t> shape);

/// "8x3x224x224"; "1 to 64 x 3 x 224 x 224, best 8 x 3 x 224 x 224" where an axis is free.
std::string to_text(const InputRange& range);

}  // namespace assay::tensorrt
