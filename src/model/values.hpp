#pragma once
// What each value of a graph is, as far as statistics care.

#include <array>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "onnx_graph/inference.hpp"

namespace assay::model {

/// Sorts a graph's values into constants (weights and what is computed of them alone), shapes (computed of Shape's and
/// Size's answers alone) and data; and finds, for data, the branch that it is on.
class Values {
 public:
  explicit Values(const onnx_graph::Graph& graph);

  [[nodiscard]] bool is_constant(const std::string& value) const { return constant_.contains(value); }
  [[nodiscard]] bool is_shape(const std::string& value) const { return shape_.contains(value); }
  /// All of the node's results are constants or shapes: no layer.
  [[nodiscard]] bool is_arithmetic_on_shapes(const onnx_graph::Node& node) const;
  /// Branches that meet in the node: of its data inputs, those that are not the same value with other elementwise
  /// functions or reductions applied. x · sigmoid(x) is one branch; x · gate(convolution(x)) is two.
  [[nodiscard]] std::size_t branches(const onnx_graph::Node& node) const;

  struct Source {
    const onnx_graph::Tensor* tensor;
    bool quantized;  ///< reached through DequantizeLinear
  };
  /// Constants that were looked behind already, by `quantized`. Over all calls each is followed once: a graph may have
  /// a million nodes that make constants, and as many that use them.
  using Seen = std::array<std::unordered_set<std::string>, 2>;
  /// The stored tensors behind a constant that `seen` does not know, without scales, zero points and shapes on the way.
  [[nodiscard]] std::vector<Source> sources(const std::string& constant, Seen& seen) const;

 private:
  void classify(const onnx_graph::Node& node);
  void find_branch(const onnx_graph::Node& node);
  [[nodiscard]] std::unordered_set<std::string> roots(const onnx_graph::Node& node) const;

  std::unordered_map<std::string, const onnx_graph::Tensor*> stored_;
  std::unordered_map<std::string, const onnx_graph::Node*> made_by_;  // constants only
  std::unordered_set<std::string> constant_, shape_;
  std::unordered_map<std::string, std::string> root_;  // of data, where it is not itself
};

}  // namespace assay::model
