#pragma once
// The names of a model's free axes, read from the file itself: ONNX Runtime fixes an axis by its name and wants that
// before it loads. Reads the few bytes of the graph's inputs and skips everything else; the library does the checking.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::ort {

struct InputAxes {
  std::string name;
  std::vector<std::string> axes;  ///< "" for an axis that is fixed or has no name
};

/// Of the inputs (and initializers listed as inputs) in a serialized ModelProto. Empty where it cannot be read.
std::vector<InputAxes> parse_input_axes(std::span<const std::uint8_t> model);
std::vector<InputAxes> read_input_axes(const std::string& model_path);

/// Axis names and the values that `shapes` gives them. Throws ASSAY_INVALID_ARGUMENT where one gets two values.
/// Free axes without a name stay free.
std::vector<std::pair<std::string, std::int64_t>> axes_to_pin(const std::vector<InputAxes>& inputs,
                                                              std::span<const kit::FixedShape> shapes);

}  // namespace assay::ort
