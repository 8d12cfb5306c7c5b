#pragma once
// What one operator's function sees of its ONNX node, and what it builds with. To add an operator: a function in a file
// here, or the reuse of one, and a row of that file's; ONNX's own tests of it then run (tests/conformance).

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph.hpp"
#include "onnx_graph/inference.hpp"

namespace assay::compiler {

/// nullopt: not computed with here.
std::optional<Element> element_of(onnx_graph::ElementType type);

/// What is known of the whole model while it is imported.
struct Import {
  const onnx_graph::Model& model;
  const onnx_graph::Inference& inference;
  Graph graph;
  std::unordered_map<std::string, const onnx_graph::Tensor*> tensors;  ///< constants of the file
  std::unordered_map<std::string, ValueId> values;                     ///< made so far, by ONNX's name
};

class Operator {
 public:
  Operator(const onnx_graph::Node& its_node, Import& import) : node(its_node), import_(import) {}

  const onnx_graph::Node& node;

  [[noreturn]] static void fail(const std::string& why) { throw Unsupported(why); }
  [[nodiscard]] std::int64_t opset() const { return import_.model.opset(); }

  // Inputs. Those that are left out have no value.
  [[nodiscard]] std::size_t count() const { return node.inputs.size(); }
  [[nodiscard]] bool has(std::size_t i) const { return node.has_input(i); }
  ValueId in(std::size_t i);
  [[nodiscard]] Shape shape(std::size_t i) { return shape_of(in(i)); }
  [[nodiscard]] std::size_t rank(std::size_t i) { return shape(i).size(); }
  [[nodiscard]] Element element(std::size_t i) { return element_of(in(i)); }
  /// Elements of an integer scalar or vector that is known before anything runs.
  [[nodiscard]] std::optional<Shape> integers(std::size_t i) const;
  [[nodiscard]] Shape require_integers(std::size_t i, const char* what) const;
  /// Elements of a constant of floats.
  [[nodiscard]] std::optional<std::vector<float>> floats(std::size_t i);

  // Attributes.
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const {
    return node.attribute_or<std::int64_t>(name, fallback);
  }
  [[nodiscard]] float real(std::string_view name, float fallback) const {
    return node.attribute_or<float>(name, fallback);
  }
  [[nodiscard]] std::string text(std::string_view name, const std::string& fallback) const {
    return node.attribute_or<std::string>(name, fallback);
  }
  [[nodiscard]] std::optional<Shape> list(std::string_view name) const;
  /// As an attribute, or as an input where a later opset made it one; nothing where not given.
  [[nodiscard]] std::optional<Shape> list_or_input(std::string_view name, std::size_t input) const;

  // Values that have been made.
  [[nodiscard]] const Shape& shape_of(ValueId x) const { return import_.graph.value(x).shape; }
  [[nodiscard]] Element element_of(ValueId x) const { return import_.graph.value(x).element; }

  // Nodes. Each answers its output.
  ValueId map(Expression expression, std::vector<ValueId> inputs);
  /// Of the axes, which stay with size 1.
  ValueId reduce(Reduce::Combine combine, ValueId x, std::vector<std::size_t> axes);
  /// Sum over the axes, divided by how many there are.
  ValueId mean(ValueId x, const std::vector<std::size_t>& axes);
  ValueId reshape(ValueId x, Shape shape);
  ValueId strided(ValueId x, std::int64_t offset, Shape strides, Shape shape);
  /// Axis k of the result is axis order[k] of x.
  ValueId transpose(ValueId x, const std::vector<std::size_t>& order);
  /// Of each axis `size` elements from `begin` on, every `step`-th; a negative step goes back.
  ValueId slice(ValueId x, const Shape& begin, const Shape& step, Shape size);
  ValueId concat(std::vector<ValueId> parts, std::size_t axis);
  ValueId pad(ValueId x, const Shape& begin, const Shape& end, double value);
  ValueId gather(ValueId x, ValueId indices, std::size_t axis);
  ValueId conv(Conv conv, std::vector<ValueId> inputs, Shape shape);
  ValueId pool(Pool pool, ValueId x, Shape shape);
  ValueId matmul(ValueId a, ValueId b);
  ValueId constant(const onnx_graph::Tensor& tensor);
  ValueId constant(const std::string& name, std::vector<float> values, Shape shape);
  ValueId constant(const std::string& name, std::vector<std::int64_t> values, Shape shape);

  // Outputs.
  [[nodiscard]] bool wants(std::size_t i) const { return i < node.outputs.size() && !node.outputs[i].empty(); }
  void out(std::size_t i, ValueId x);
  /// Shape that inference found. Fails where it is not known.
  [[nodiscard]] Shape out_shape(std::size_t i) const;

  /// 0 … rank-1 of a possibly negative axis. Fails outside.
  [[nodiscard]] static std::size_t axis(std::int64_t given, std::size_t rank);

 private:
  ValueId node_of(Operation operation, std::vector<ValueId> inputs, Element element, Shape shape);

  Import& import_;
};

/// Shape to which all broadcast. Throws Unsupported.
Shape broadcast(const std::vector<Shape>& shapes);

using ImportFunction = void (*)(Operator&);
struct OperatorRow {
  std::string_view domain, name;
  ImportFunction import;
};
/// nullptr where there is no such row.
ImportFunction find_importer(std::string_view domain, std::string_view name);
/// Whether what it answers is known before anything runs, where the shapes are: sizes, and what is computed of them.
bool is_inferred(std::string_view domain, std::string_view name);
/// All of both kinds, sorted, another domain's with its name: "Add", "com.microsoft.Gelu". For the backend's README.
std::vector<std::string> operator_names();

void import_resize(Operator& op);  // resize.cpp; a row of piece.cpp's

// Rows of the table, a file each; table.cpp has them all.
std::span<const OperatorRow> elementwise_rows();  ///< one element at a time
std::span<const OperatorRow> activation_rows();   ///< likewise, with attributes
std::span<const OperatorRow> reduction_rows();
std::span<const OperatorRow> normalization_rows();
std::span<const OperatorRow> network_rows();  ///< convolutions, pools, products
std::span<const OperatorRow> piece_rows();    ///< what moves elements
std::span<const OperatorRow> indexed_rows();  ///< what knows where an element is

}  // namespace assay::compiler
