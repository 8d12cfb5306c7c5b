#pragma once
// Writes operations into a TensorFlow graph. Errors are TensorFlow's own, with the operation named.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime.hpp"

namespace assay::tensorflow {

using Ints = std::vector<std::int64_t>;

/// Bytes of one element; 0 for strings.
std::size_t element_bytes(DataType type);
bool is_float(DataType type);

class GraphBuilder;

/// One operation being written; `done` ends it. Types that follow from the inputs need not be given.
class OperationBuilder {
 public:
  OperationBuilder& in(TF_Output input);
  OperationBuilder& in_list(std::span<const TF_Output> inputs);
  OperationBuilder& type(const char* attribute, DataType value);
  OperationBuilder& integer(const char* attribute, std::int64_t value);
  OperationBuilder& integers(const char* attribute, const Ints& values);
  OperationBuilder& real(const char* attribute, float value);
  OperationBuilder& flag(const char* attribute, bool value);
  OperationBuilder& text(const char* attribute, std::string_view value);
  OperationBuilder& shape(const char* attribute, const Ints& dims);
  OperationBuilder& tensor(const char* attribute, TF_Tensor* value);
  TF_Output done(int output = 0);

 private:
  friend class GraphBuilder;
  OperationBuilder(const GraphBuilder& graph, const char* type, std::string name);

  const GraphBuilder& graph_;
  std::string name_;
  TF_OperationDescription* description_;
};

class GraphBuilder {
 public:
  GraphBuilder(const Runtime& runtime, TF_Graph* graph) : runtime_(runtime), graph_(graph) {}

  /// What the next operations are named after: an ONNX node. Any text; made fit.
  void set_scope(const std::string& scope);
  OperationBuilder op(const char* type);
  OperationBuilder named(const char* type, const std::string& name) { return {*this, type, name}; }

  TF_Output placeholder(const std::string& name, DataType type, const std::optional<Ints>& shape);
  /// `bytes` is copied: contiguous, last axis fastest.
  TF_Output constant(DataType type, const Ints& dims, std::span<const std::byte> bytes);
  /// A constant of one axis; of none where `scalar`.
  TF_Output ints(const Ints& values, DataType type = DataType::kInt32, bool scalar = false);
  /// Pairs of how much is put before and after each axis, as Pad takes them.
  TF_Output paddings(const Ints& pairs);
  /// A scalar of any type, from a number that it can hold.
  TF_Output scalar(DataType type, double value);
  TF_Output floats(const std::vector<float>& values, const Ints& dims);

  // What is needed everywhere.
  TF_Output unary(const char* type, TF_Output x) { return op(type).in(x).done(); }
  TF_Output binary(const char* type, TF_Output a, TF_Output b) { return op(type).in(a).in(b).done(); }
  TF_Output cast(TF_Output x, DataType to);  ///< x itself where it is of that type
  TF_Output reshape(TF_Output x, const Ints& shape) { return binary("Reshape", x, ints(shape, DataType::kInt64)); }
  TF_Output transpose(TF_Output x, const Ints& order);  ///< x itself where nothing moves
  TF_Output reduce(const char* type, TF_Output x, const Ints& axes, bool keep_dims);

  [[nodiscard]] DataType type_of(TF_Output x) const { return runtime_.api.operation_output_type(x); }
  /// As TensorFlow infers it: -1 where a size is not known; nothing where the rank is not.
  [[nodiscard]] std::optional<Ints> shape_of(TF_Output x) const;
  /// The same where the number of axes must be known. Throws Failure(ASSAY_UNSUPPORTED).
  [[nodiscard]] Ints sizes_of(TF_Output x) const;

  [[nodiscard]] const Runtime& runtime() const { return runtime_; }
  [[nodiscard]] TF_Graph* graph() const { return graph_; }

 private:
  const Runtime& runtime_;
  TF_Graph* graph_;
  std::string scope_ = "assay";
  std::size_t next_ = 0;
};

}  // namespace assay::tensorflow
