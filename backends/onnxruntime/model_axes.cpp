#include "model_axes.hpp"

#include <algorithm>
#include <map>

#include "onnx_wire.hpp"

namespace assay::ort {
namespace {

using wire::Bytes;

std::string to_text(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

void read_shape(Bytes shape, std::vector<std::string>& axes) {
  wire::each_message(shape, [&](std::uint32_t field, Bytes dim) {
    if (field != wire::kShapeDim) return;
    axes.emplace_back();
    wire::each_message(dim, [&](std::uint32_t dim_field, Bytes name) {
      if (dim_field == wire::kDimParam) axes.back() = to_text(name);
    });
  });
}

InputAxes read_input(Bytes value_info) {
  InputAxes input;
  wire::each_message(value_info, [&](std::uint32_t field, Bytes payload) {
    if (field == wire::kValueName) input.name = to_text(payload);
    if (field != wire::kValueType) return;
    wire::each_message(payload, [&](std::uint32_t type_field, Bytes tensor) {
      if (type_field != wire::kTypeTensor) return;
      wire::each_message(tensor, [&](std::uint32_t tensor_field, Bytes shape) {
        if (tensor_field == wire::kTensorShape) read_shape(shape, input.axes);
      });
    });
  });
  return input;
}

}  // namespace

std::vector<InputAxes> parse_input_axes(Bytes model) {
  std::vector<InputAxes> inputs;
  wire::each_message(model, [&](std::uint32_t field, Bytes graph) {
    if (field != wire::kModelGraph) return;
    wire::each_message(graph, [&](std::uint32_t graph_field, Bytes value_info) {
      if (graph_field == wire::kGraphInput) inputs.push_back(read_input(value_info));
    });
  });
  return inputs;
}

std::vector<InputAxes> read_input_axes(const std::string& model_path) {
  const wire::MappedFile file(model_path);
  return parse_input_axes(file.bytes());
}

std::vector<std::pair<std::string, std::int64_t>> axes_to_pin(const std::vector<InputAxes>& inputs,
                                                              std::span<const kit::FixedShape> shapes) {
  std::map<std::string, std::int64_t> pinned;
  for (const kit::FixedShape& shape : shapes) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const auto& i) { return i.name == shape.input; });
    if (input == inputs.end()) continue;
    for (std::size_t axis = 0; axis < std::min(shape.shape.size(), input->axes.size()); ++axis) {
      const std::string& name = input->axes[axis];
      if (name.empty() || shape.shape[axis] < 0) continue;
      const auto [known, added] = pinned.emplace(name, shape.shape[axis]);
      if (!added && known->second != shape.shape[axis]) {
        throw kit::Failure(ASSAY_INVALID_ARGUMENT, "axis '" + name + "' is given the size " +
                                                       std::to_string(shape.shape[axis]) + " by input '" + shape.input +
                                                       "' and " + std::to_string(known->second) +
                                                       " by another place: one name is one size");
      }
    }
  }
  return {pinned.begin(), pinned.end()};
}

}  // namespace assay::ort
