#pragma once
// Writes small ONNX files for the tests, without a protobuf library.

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace assay::openvino::test {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}
inline std::string number(unsigned field, std::uint64_t value) { return varint(field << 3) + varint(value); }
inline std::string bytes(unsigned field, const std::string& value) {
  return varint((field << 3) | 2) + varint(value.size()) + value;
}

/// An axis: a size, or a name that leaves it free.
struct Axis {
  std::int64_t size = 0;
  std::string name;
  Axis(int s) : size(s) {}                    // NOLINT(google-explicit-constructor): {2, "n"} reads as a shape
  Axis(const char* n) : size(-1), name(n) {}  // NOLINT(google-explicit-constructor)
};

struct Value {
  std::string name;
  int type = 1;
  std::vector<Axis> shape = {};
  bool has_shape = true;
};

inline std::string value_info(const Value& v) {
  std::string shape;
  for (const Axis& a : v.shape) {
    shape += bytes(1, a.size >= 0 ? number(1, static_cast<std::uint64_t>(a.size)) : bytes(2, a.name));
  }
  const std::string tensor = number(1, static_cast<std::uint64_t>(v.type)) + (v.has_shape ? bytes(2, shape) : "");
  return bytes(1, v.name) + bytes(2, bytes(1, tensor));
}

inline std::string attribute(const std::string& name, std::int64_t value) {
  return bytes(5, bytes(1, name) + number(3, static_cast<std::uint64_t>(value)) + number(20, 2));
}

struct Node {
  std::string op;
  std::vector<std::string> inputs, outputs;
  std::string attributes = {};
};

struct Constant {
  std::string name;
  std::vector<std::int64_t> dims;
  std::vector<float> values;
};

inline std::string model(const std::vector<Node>& nodes, const std::vector<Value>& inputs,
                         const std::vector<Value>& outputs, const std::vector<Constant>& constants = {}) {
  std::string graph;
  for (const Node& n : nodes) {
    std::string node;
    for (const std::string& i : n.inputs) node += bytes(1, i);
    for (const std::string& o : n.outputs) node += bytes(2, o);
    graph += bytes(1, node + bytes(4, n.op) + n.attributes);
  }
  graph += bytes(2, "g");
  for (const Constant& c : constants) {
    std::string tensor;
    for (const std::int64_t d : c.dims) tensor += number(1, static_cast<std::uint64_t>(d));
    std::string raw(c.values.size() * sizeof(float), '\0');
    std::memcpy(raw.data(), c.values.data(), raw.size());
    graph += bytes(5, tensor + number(2, 1) + bytes(8, c.name) + bytes(9, raw));
  }
  for (const Value& v : inputs) graph += bytes(11, value_info(v));
  for (const Value& v : outputs) graph += bytes(12, value_info(v));
  return number(1, 8) + bytes(7, graph) + bytes(8, bytes(1, "") + number(2, 17));
}

inline void write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

}  // namespace assay::openvino::test
