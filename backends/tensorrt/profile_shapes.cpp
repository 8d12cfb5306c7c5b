#include "profile_shapes.hpp"

#include <algorithm>

namespace assay::tensorrt {
namespace {

constexpr std::int64_t kLargestWithoutBatch = 64;

AxisRange free_axis(const FreeAxes& free) {
  if (free.batch_size > 0) {
    if (!free.dynamic_batch) return {free.batch_size, free.batch_size, free.batch_size};
    return {1, free.batch_size, std::max(free.batch_size, free.largest_size.value_or(free.batch_size))};
  }
  const std::int64_t most = free.largest_size.value_or(std::max(kLargestWithoutBatch, free.typical_size));
  if (free.typical_size > most) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "typical_size is " + std::to_string(free.typical_size) +
                                                   ", above largest_size, which is " + std::to_string(most));
  }
  return {1, free.typical_size, most};
}

const kit::FixedShape* shape_asked(std::span<const kit::FixedShape> asked, const std::string& input) {
  const auto it = std::find_if(asked.begin(), asked.end(), [&](const auto& shape) { return shape.input == input; });
  return it == asked.end() ? nullptr : &*it;
}

void check_names(std::span<const kit::TensorInfo> inputs, std::span<const kit::FixedShape> asked) {
  for (const kit::FixedShape& shape : asked) {
    std::string names;
    bool known = false;
    for (const kit::TensorInfo& input : inputs) {
      known = known || input.name == shape.input;
      names += (names.empty() ? "" : ", ") + input.name;
    }
    if (!known) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                         "a shape was given for '" + shape.input + "'; the model's inputs are: " + names);
    }
  }
}

/// Of all axes one of the three sizes, "8 x 3".
template <class Size>
std::string sizes(const InputRange& range, Size size) {
  std::string text;
  for (const AxisRange& axis : range.axes) text += (text.empty() ? "" : " x ") + size(axis);
  return text;
}

}  // namespace

bool InputRange::fixed() const {
  return std::all_of(axes.begin(), axes.end(), [](const AxisRange& axis) { return axis.fixed(); });
}

std::vector<InputRange> ranges_of(std::span<const kit::TensorInfo> inputs, std::span<const kit::FixedShape> asked,
                                  const FreeAxes& free) {
  check_names(inputs, asked);
  std::vector<InputRange> ranges;
  for (const kit::TensorInfo& input : inputs) {
    const kit::FixedShape* fixed = shape_asked(asked, input.name);
    if (fixed != nullptr) kit::check_shape(input, fixed->shape, true);
    InputRange range{input.name, {}};
    for (std::size_t a = 0; a < input.shape.size(); ++a) {
      std::int64_t size = input.shape[a];
      if (size < 0 && fixed != nullptr) size = fixed->shape[a];
      range.axes.push_back(size >= 0 ? AxisRange{size, size, size} : free_axis(free));
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

void check_within(const InputRange& range, std::span<const std::int64_t> shape) {
  const bool within =
      std::equal(shape.begin(), shape.end(), range.axes.begin(), range.axes.end(),
                 [](std::int64_t size, const AxisRange& axis) { return size >= axis.least && size <= axis.most; });
  if (within) return;
  throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                     "'" + range.name + "' was given as " + kit::to_text(shape) + ", and the engine was built for " +
                         to_text(range) +
                         ": load the model for that size (a batch size, a shape, or the options "
                         "dynamic_batch and largest_size)");
}

std::string to_text(const InputRange& range) {
  if (range.axes.empty()) return "scalar";
  if (range.fixed()) {
    std::vector<std::int64_t> shape;
    for (const AxisRange& axis : range.axes) shape.push_back(axis.most);
    return kit::to_text(shape);
  }
  const std::string all = sizes(range, [](const AxisRange& axis) {
    return axis.fixed() ? std::to_string(axis.most) : std::to_string(axis.least) + " to " + std::to_string(axis.most);
  });
  return all + ", best " + sizes(range, [](const AxisRange& axis) { return std::to_string(axis.typical); });
}

}  // namespace assay::tensorrt
