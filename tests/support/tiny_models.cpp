#include "support/tiny_models.hpp"

#include <array>
#include <fstream>
#include <string>
#include <variant>

#include "onnx_graph/onnx.pb.h"

namespace assay::tiny {
namespace {

using Axis = std::variant<int, const char*>;
using onnx::TensorProto;

constexpr std::array<float, 12> kWeights = {1, -2, 0.5F, 3, 0.25F, -1, -0.5F, 2, 4, 1, 1, -3};
constexpr std::array<float, 3> kBias = {0.5F, -1, 2};

onnx::ModelProto empty_model(const char* name) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("assay tests");
  onnx::OperatorSetIdProto* opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(17);
  model.mutable_graph()->set_name(name);
  return model;
}

void describe(onnx::ValueInfoProto* info, const char* name, int dtype, const std::vector<Axis>& shape) {
  info->set_name(name);
  auto* tensor = info->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(dtype);
  auto* axes = tensor->mutable_shape();
  for (const Axis& axis : shape) {
    auto* dim = axes->add_dim();
    if (const int* value = std::get_if<int>(&axis)) {
      dim->set_dim_value(*value);
    } else {
      dim->set_dim_param(std::get<const char*>(axis));
    }
  }
}

void add_node(onnx::ModelProto& model, const char* type, const std::vector<std::string>& inputs, const char* output) {
  onnx::NodeProto* node = model.mutable_graph()->add_node();
  node->set_op_type(type);
  node->set_name(std::string(type) + "_" + output);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
}

void add_constant(onnx::ModelProto& model, const char* name, std::span<const float> values,
                  const std::vector<std::int64_t>& shape) {
  TensorProto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(TensorProto::FLOAT);
  for (const std::int64_t axis : shape) tensor->add_dims(axis);
  for (const float value : values) tensor->add_float_data(value);
}

void write(const onnx::ModelProto& model, const std::filesystem::path& path) {
  std::ofstream(path, std::ios::binary) << model.SerializeAsString();
}

onnx::ModelProto batch_of_four(const char* name) {
  onnx::ModelProto model = empty_model(name);
  describe(model.mutable_graph()->add_input(), "x", TensorProto::FLOAT, {"batch", 4});
  return model;
}

onnx::ModelProto linear_of(const std::vector<Axis>& x, const std::vector<Axis>& y) {
  onnx::ModelProto model = empty_model("linear");
  describe(model.mutable_graph()->add_input(), "x", TensorProto::FLOAT, x);
  describe(model.mutable_graph()->add_output(), "y", TensorProto::FLOAT, y);
  add_constant(model, "w", kWeights, {4, 3});
  add_constant(model, "b", kBias, {3});
  add_node(model, "MatMul", {"x", "w"}, "xw");
  add_node(model, "Add", {"xw", "b"}, "y");
  return model;
}

}  // namespace

void write_linear(const std::filesystem::path& path) { write(linear_of({"batch", 4}, {"batch", 3}), path); }

void write_fixed_linear(const std::filesystem::path& path) { write(linear_of({4, 4}, {4, 3}), path); }

void write_sequence(const std::filesystem::path& path) { write(linear_of({3, "batch", 4}, {3, "batch", 3}), path); }

void write_linear_and_sum(const std::filesystem::path& path) {
  onnx::ModelProto model = linear_of({"batch", 4}, {"batch", 3});
  describe(model.mutable_graph()->add_output(), "s", TensorProto::FLOAT, {});
  add_node(model, "ReduceSum", {"y"}, "s");
  onnx::AttributeProto* keep = model.mutable_graph()->mutable_node(2)->add_attribute();
  keep->set_name("keepdims");
  keep->set_type(onnx::AttributeProto::INT);
  keep->set_i(0);
  write(model, path);
}

std::vector<float> linear(std::span<const float> x) {
  std::vector<float> y;
  for (std::size_t n = 0; n + 4 <= x.size(); n += 4) {
    for (std::size_t j = 0; j < 3; ++j) {
      float sum = kBias[j];
      for (std::size_t k = 0; k < 4; ++k) sum += x[n + k] * kWeights[k * 3 + j];
      y.push_back(sum);
    }
  }
  return y;
}

void write_types(const std::filesystem::path& path) {
  onnx::ModelProto model = empty_model("types");
  onnx::GraphProto* graph = model.mutable_graph();
  describe(graph->add_input(), "a", TensorProto::FLOAT, {"batch", 2});
  describe(graph->add_input(), "b", TensorProto::UINT8, {"batch", 3});
  describe(graph->add_input(), "c", TensorProto::INT64, {"batch", 2});
  describe(graph->add_input(), "d", TensorProto::FLOAT16, {"batch", 2});
  describe(graph->add_output(), "a2", TensorProto::FLOAT, {"batch", 2});
  describe(graph->add_output(), "b1", TensorProto::FLOAT, {"batch", 3});
  describe(graph->add_output(), "c2", TensorProto::INT64, {"batch", 2});
  describe(graph->add_output(), "d2", TensorProto::FLOAT16, {"batch", 2});
  add_node(model, "Add", {"a", "a"}, "a2");
  add_node(model, "Cast", {"b"}, "b1");
  onnx::AttributeProto* to = graph->mutable_node(1)->add_attribute();
  to->set_name("to");
  to->set_type(onnx::AttributeProto::INT);
  to->set_i(TensorProto::FLOAT);
  add_node(model, "Add", {"c", "c"}, "c2");
  add_node(model, "Add", {"d", "d"}, "d2");
  write(model, path);
}

void write_nonzero(const std::filesystem::path& path) {
  onnx::ModelProto model = empty_model("nonzero");
  describe(model.mutable_graph()->add_input(), "x", TensorProto::FLOAT, {5});
  describe(model.mutable_graph()->add_output(), "y", TensorProto::INT64, {1, "found"});
  add_node(model, "NonZero", {"x"}, "y");
  write(model, path);
}

void write_mean(const std::filesystem::path& path) {
  onnx::ModelProto model = empty_model("mean");
  describe(model.mutable_graph()->add_input(), "x", TensorProto::FLOAT, {"batch", 1, "height", "width"});
  describe(model.mutable_graph()->add_output(), "y", TensorProto::FLOAT, {"batch", 1, 1, 1});
  add_node(model, "GlobalAveragePool", {"x"}, "y");
  write(model, path);
}

void write_relu_and_input(const std::filesystem::path& path) {
  onnx::ModelProto model = batch_of_four("relu and input");
  describe(model.mutable_graph()->add_output(), "y", TensorProto::FLOAT, {"batch", 4});
  describe(model.mutable_graph()->add_output(), "x", TensorProto::FLOAT, {"batch", 4});
  add_node(model, "Relu", {"x"}, "y");
  write(model, path);
}

void write_unnamed_rows(const std::filesystem::path& path) {
  onnx::ModelProto model = batch_of_four("unnamed rows");
  describe(model.mutable_graph()->add_output(), "y", TensorProto::INT64, {"", 2});
  add_node(model, "NonZero", {"x"}, "found");
  add_node(model, "Transpose", {"found"}, "y");
  write(model, path);
}

void write_unknown_operator(const std::filesystem::path& path) {
  onnx::ModelProto model = batch_of_four("unknown");
  describe(model.mutable_graph()->add_output(), "y", TensorProto::FLOAT, {"batch", 4});
  add_node(model, "Quomodocunquize", {"x"}, "y");
  write(model, path);
}

void write_cycle(const std::filesystem::path& path) {
  onnx::ModelProto model = batch_of_four("cycle");
  describe(model.mutable_graph()->add_output(), "y", TensorProto::FLOAT, {"batch", 4});
  add_node(model, "Add", {"x", "z"}, "y");
  add_node(model, "Relu", {"y"}, "z");
  write(model, path);
}

void write_huge(const std::filesystem::path& path) {
  onnx::ModelProto model = batch_of_four("huge");
  describe(model.mutable_graph()->add_output(), "y", TensorProto::FLOAT, {"batch", 4});
  add_constant(model, "w", kBias, {1 << 30, 1 << 30, 1 << 30});
  add_node(model, "Add", {"x", "w"}, "y");
  write(model, path);
}

void write_external(const std::filesystem::path& path, const std::string& location) {
  onnx::ModelProto model = batch_of_four("external");
  describe(model.mutable_graph()->add_output(), "y", TensorProto::FLOAT, {"batch", 4});
  add_constant(model, "w", {}, {4});
  TensorProto* tensor = model.mutable_graph()->mutable_initializer(0);
  tensor->set_data_location(TensorProto::EXTERNAL);
  onnx::StringStringEntryProto* entry = tensor->add_external_data();
  entry->set_key("location");
  entry->set_value(location);
  add_node(model, "Add", {"x", "w"}, "y");
  write(model, path);
}

void write_strings(const std::filesystem::path& path) {
  onnx::ModelProto model = empty_model("strings");
  describe(model.mutable_graph()->add_input(), "text", TensorProto::STRING, {"batch"});
  describe(model.mutable_graph()->add_output(), "same", TensorProto::STRING, {"batch"});
  add_node(model, "Identity", {"text"}, "same");
  write(model, path);
}

}  // namespace assay::tiny
