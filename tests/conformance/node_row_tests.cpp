// Rows as tests. What is expected is ONNX Runtime's answer with its graph as it is written, asked in the same run: for
// ONNX Runtime itself a row says that its optimized graph answers as the plain one, for others that they answer as it.

#include <fmt/format.h>

#include <cstring>
#include <random>
#include <stdexcept>

#include "base/file.hpp"
#include "base/half.hpp"
#include "conformance/node_rows.hpp"
#include "conformance/node_tests.hpp"

namespace assay::conformance {
namespace {

template <class T>
void append(std::vector<std::byte>& bytes, double value) {
  const T typed = static_cast<T>(value);
  const auto* begin = reinterpret_cast<const std::byte*>(&typed);
  bytes.insert(bytes.end(), begin, begin + sizeof(T));
}

void append(std::vector<std::byte>& bytes, DType dtype, double value) {
  switch (dtype) {
    case DType::kFloat32:
      return append<float>(bytes, value);
    case DType::kInt8:
      return append<std::int8_t>(bytes, value);
    case DType::kUint8:
    case DType::kBool:
      return append<std::uint8_t>(bytes, value);
    case DType::kInt16:
      return append<std::int16_t>(bytes, value);
    case DType::kUint16:
      return append<std::uint16_t>(bytes, value);
    case DType::kInt32:
      return append<std::int32_t>(bytes, value);
    case DType::kInt64:
      return append<std::int64_t>(bytes, value);
    default:
      throw std::logic_error(fmt::format("rows have no inputs of {}: add it here", to_string(dtype)));
  }
}

/// Floats in [-2, 2), integers from 0 to 100, truth values.
double seeded(std::mt19937& random, DType dtype) {
  if (dtype == DType::kFloat32) return static_cast<double>(random() % 4096) / 1024 - 2;
  return static_cast<double>(random() % (dtype == DType::kBool ? 2 : 101));
}

NodeValue value_of(const RowInput& input, std::mt19937& random) {
  NodeValue value{input.dtype, input.shape, {}};
  const bool is_constant = input.kind == RowInput::Kind::kConstant;
  for (std::int64_t i = 0; i < element_count(input.shape); ++i) {
    append(value.data, input.dtype,
           is_constant ? input.values.at(static_cast<std::size_t>(i)) : seeded(random, input.dtype));
  }
  return value;
}

struct Built {
  std::string model;
  std::vector<NodeValue> inputs;
};

Built build(const Row& row) {
  onnx_graph::TestModel model(row.opset);
  model.proto.set_ir_version(row.opset >= 21 ? 10 : row.opset >= 19 ? 9 : 8);
  Built built;
  std::mt19937 random(7);
  std::vector<std::string> inputs, outputs;
  for (std::size_t i = 0; i < row.inputs.size(); ++i) {
    const RowInput& input = row.inputs[i];
    const auto type = static_cast<std::int32_t>(input.dtype);
    inputs.push_back(input.kind == RowInput::Kind::kAbsent ? "" : fmt::format("x{}", i));
    if (input.kind == RowInput::Kind::kAbsent) continue;
    NodeValue value = value_of(input, random);
    if (input.kind == RowInput::Kind::kConstant) {
      model.tensor(inputs.back(), input.shape, type)->set_raw_data(value.data.data(), value.data.size());
    } else {
      model.input(inputs.back(), input.shape, type);
      built.inputs.push_back(std::move(value));
    }
  }
  for (std::size_t i = 0; i < row.outputs.size(); ++i) {
    outputs.push_back(fmt::format("y{}", i));
    model.output(outputs.back());  // the shape is each engine's to find out
    auto* type = model.proto.mutable_graph()->mutable_output(static_cast<int>(i))->mutable_type();
    type->mutable_tensor_type()->set_elem_type(static_cast<std::int32_t>(row.outputs[i]));
  }
  model.node(row.op, inputs, outputs, row.attributes);
  built.model = model.bytes();
  return built;
}

NodeOutcome run_row(const Row& row, const std::string& backend) {
  const Built built = build(row);
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  write_file_atomically(file, built.model);
  std::vector<NodeValue> expected;
  try {
    expected = predict_whole(file, built.inputs,
                             {.backend = "onnxruntime",
                              .batch_size = 0,
                              .in_flight = 1,
                              .threads = 1,
                              .options = {{"graph_optimization_level", "disabled"}}})
                   .outputs;
  } catch (const Error& e) {
    if (backend == "onnxruntime") throw;
    return {NodeOutcome::Kind::kSkipped, fmt::format("ONNX Runtime has no answer to compare with: {}", e.message())};
  }
  return weigh(expected, predict_whole(file, built.inputs, params_of(backend)));
}

}  // namespace

std::vector<NodeTest> row_tests() {
  std::vector<NodeTest> tests;
  for (const Row& row : rows()) {
    tests.push_back({fmt::format("row_{}", row.name), [&row](const std::string& b) { return run_row(row, b); }});
  }
  return tests;
}

}  // namespace assay::conformance
