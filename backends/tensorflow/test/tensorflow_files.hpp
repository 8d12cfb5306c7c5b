#pragma once
// TensorFlow's own files for tests, written field by field: y = relu(x + c), c = {1, -2, 3}; a free batch.

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "wire.hpp"

namespace assay::tensorflow::test {

inline constexpr int kFloatType = 1;  // TensorFlow's DataType

inline MessageWriter shape_message(const std::vector<std::int64_t>& dims) {
  MessageWriter shape;
  for (const std::int64_t d : dims) shape.message(2, MessageWriter().integer(1, d));
  return shape;
}

inline MessageWriter attribute(const std::string& name, const MessageWriter& value) {
  return MessageWriter().text(1, name).message(2, value);
}

inline MessageWriter node(const std::string& name, const std::string& type, const std::vector<std::string>& inputs,
                          const std::vector<MessageWriter>& attributes) {
  MessageWriter written;
  written.text(1, name).text(2, type);
  for (const std::string& input : inputs) written.text(3, input);
  for (const MessageWriter& a : attributes) written.message(5, a);
  return written;
}

/// A GraphDef of the nodes x, c, sum and y; of variables instead of c where not `frozen`.
inline MessageWriter add_relu_graph(bool frozen = true) {
  const std::vector<float> c = {1, -2, 3};
  std::string content(c.size() * sizeof(float), '\0');
  std::memcpy(content.data(), c.data(), content.size());
  const MessageWriter tensor = MessageWriter().integer(1, kFloatType).message(2, shape_message({3})).text(4, content);
  const MessageWriter dtype = attribute("dtype", MessageWriter().integer(6, kFloatType));
  const MessageWriter type = attribute("T", MessageWriter().integer(6, kFloatType));
  const MessageWriter free = attribute("shape", MessageWriter().message(7, shape_message({-1, 3})));
  const MessageWriter fixed = attribute("shape", MessageWriter().message(7, shape_message({3})));
  MessageWriter graph;
  graph.message(1, node("x", "Placeholder", {}, {dtype, free}));
  graph.message(1, node("unused", "Placeholder", {}, {dtype, free}));
  graph.message(1, frozen ? node("c", "Const", {}, {dtype, attribute("value", MessageWriter().message(8, tensor))})
                          : node("c", "VariableV2", {}, {dtype, fixed}));
  graph.message(1, node("sum", "AddV2", {"x", "c"}, {type}));
  graph.message(1, node("y", "Relu", {"sum:0"}, {type}));
  graph.message(4, MessageWriter().integer(1, 27));
  return graph;
}

inline MessageWriter signature_tensor(const std::string& name, const std::string& place) {
  const MessageWriter info = MessageWriter().text(1, place).integer(2, kFloatType).message(3, shape_message({-1, 3}));
  return MessageWriter().text(1, name).message(2, info);
}

/// saved_model.pb with the signatures serving_default ("image" → "answer", "sum") and "other".
inline std::string add_relu_saved_model() {
  MessageWriter both;
  both.message(1, signature_tensor("image", "x:0"));
  both.message(2, signature_tensor("sum", "sum:0")).message(2, signature_tensor("answer", "y:0"));
  MessageWriter other;
  other.message(1, signature_tensor("in", "x:0")).message(2, signature_tensor("out", "y:0"));
  MessageWriter meta_graph;
  meta_graph.message(1, MessageWriter().text(4, "serve"));
  meta_graph.message(2, add_relu_graph());
  meta_graph.message(5, MessageWriter().text(1, "serving_default").message(2, both));
  meta_graph.message(5, MessageWriter().text(1, "other").message(2, other));
  return MessageWriter().integer(1, 1).message(2, meta_graph).bytes();
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace assay::tensorflow::test
