#pragma once
// Protobuf's wire format for the few messages that cross TensorFlow's C API as bytes: written (as merged ONNX graphs
// are) and read by field number, so that none of its generated code is needed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "onnx_graph/writer.hpp"

namespace assay::tensorflow {

using onnx_graph::MessageWriter;

/// Field numbers of graph.proto and node_def.proto.
inline constexpr int kGraphNode = 1;
inline constexpr int kNodeName = 1, kNodeType = 2, kNodeInput = 3, kNodeAttribute = 5;

/// The node that an input of a node names: "^name" waits for one, "name:1" takes its second output.
std::string_view node_of_input(std::string_view input);

/// Walks over the fields of a message; ends at the first that is malformed.
class MessageReader {
 public:
  explicit MessageReader(std::string_view data) : rest_(data) {}
  /// False at the end.
  bool next();
  [[nodiscard]] int field() const { return field_; }
  [[nodiscard]] std::int64_t integer() const { return static_cast<std::int64_t>(number_); }
  [[nodiscard]] std::string_view bytes() const { return bytes_; }
  /// True where the message ended where it should.
  [[nodiscard]] bool whole() const { return whole_; }

 private:
  std::optional<std::uint64_t> varint();
  bool take(std::size_t count);

  std::string_view rest_, bytes_;
  int field_ = 0;
  std::uint64_t number_ = 0;
  bool whole_ = true;
};

}  // namespace assay::tensorflow
