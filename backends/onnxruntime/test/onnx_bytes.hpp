#pragma once
// Small ONNX models as bytes, written without protobuf: just the fields that the tests need.

#include <cstdint>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace assay::ort::onnx_bytes {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
inline std::string number(unsigned field, std::int64_t value) {
  return varint(field << 3) + varint(static_cast<std::uint64_t>(value));
}
inline std::string message(unsigned field, const std::string& payload) {
  return varint(field << 3 | 2) + varint(payload.size()) + payload;
}

struct Axis {
  std::int64_t size = -1;
  std::string name;
};
inline Axis named(std::string name) { return {-1, std::move(name)}; }
inline Axis fixed(std::int64_t size) { return {size, ""}; }

/// A ValueInfoProto of a tensor.
inline std::string value(const std::string& name, int element_type, const std::vector<Axis>& axes) {
  std::string shape;
  for (const Axis& axis : axes) {
    std::string dim;
    if (axis.size >= 0) dim = number(1, axis.size);
    if (!axis.name.empty()) dim = message(2, axis.name);
    shape += message(1, dim);
  }
  return message(1, name) + message(2, message(1, number(1, element_type) + message(2, shape)));
}

inline std::string attribute(const std::string& name, std::int64_t value) {
  return message(5, message(1, name) + number(3, value) + number(20, 2));
}

inline std::string node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& attributes = "",
                        const std::string& domain = "") {
  std::string text;
  for (const std::string& input : inputs) text += message(1, input);
  for (const std::string& output : outputs) text += message(2, output);
  text += message(3, op + "_" + outputs.front()) + message(4, op) + attributes;
  return domain.empty() ? text : text + message(7, domain);
}

inline std::string float_tensor(const std::string& name, const std::vector<std::int64_t>& dims,
                                std::span<const float> data) {
  std::string text;
  for (const std::int64_t dim : dims) text += number(1, dim);
  return text + number(2, 1) + message(8, name) +
         message(9, std::string(reinterpret_cast<const char*>(data.data()), data.size_bytes()));
}

struct Graph {
  std::vector<std::string> nodes = {}, initializers = {}, inputs = {}, outputs = {};
};

inline std::string model(const Graph& graph, std::int64_t opset = 17, std::int64_t ir_version = 8) {
  std::string g;
  for (const std::string& n : graph.nodes) g += message(1, n);
  g += message(2, "g");
  for (const std::string& t : graph.initializers) g += message(5, t);
  for (const std::string& v : graph.inputs) g += message(11, v);
  for (const std::string& v : graph.outputs) g += message(12, v);
  return number(1, ir_version) + message(7, g) + message(8, number(2, opset));
}

/// y[N, 3] = Relu(x[N, 4] · w + b), w[i][j] = i - j, b[j] = j / 2.
inline std::string dense() {
  std::vector<float> weights;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 3; ++j) weights.push_back(static_cast<float>(i - j));
  }
  const std::vector<float> bias = {0.0F, 0.5F, 1.0F};
  return model({.nodes = {node("Gemm", {"x", "w", "b"}, {"z"}), node("Relu", {"z"}, {"y"})},
                .initializers = {float_tensor("w", {4, 3}, weights), float_tensor("b", {3}, bias)},
                .inputs = {value("x", 1, {named("N"), fixed(4)})},
                .outputs = {value("y", 1, {named("N"), fixed(3)})}});
}

inline void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace assay::ort::onnx_bytes
