#pragma once
// Element types and shapes of every value, and the small integer tensors from which shapes are computed.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "onnx_graph/graph.hpp"

namespace assay::onnx_graph {

/// An element of an integer tensor that is known before anything runs, or that is the size of a free axis.
struct Integer {
  std::optional<std::int64_t> value;
  std::string name;  ///< of the free axis; "" where nothing is known
};
/// Elements of an integer scalar or vector.
using Integers = std::vector<Integer>;

struct InferenceRequest {
  /// Shapes of inputs, -1 where an axis stays free. Free axes of the same name become the same size everywhere.
  std::map<std::string, std::vector<std::int64_t>> inputs;
  /// Where an operator's result cannot be inferred, believe what the file declares.
  bool use_declared = true;
};

/// Inputs of the outermost graph that have no default.
std::vector<const ValueInfo*> inputs_of(const Model& model);

/// `shapes` of some inputs and, where `batch_size` is larger than 0, that along every axis which these and the model
/// leave free.
InferenceRequest request_of(const Model& model, std::map<std::string, std::vector<std::int64_t>> shapes,
                            std::int64_t batch_size);

struct Inference {
  std::unordered_map<std::string, TensorType> types;   ///< by value; only what is known
  std::unordered_map<std::string, Integers> integers;  ///< by value
  std::vector<std::string> unknown_operators;          ///< "domain.Operator", each once: shapes behind them are unknown
  std::vector<std::string> remarks;  ///< nodes whose inputs do not fit; shapes behind them are unknown

  /// nullptr where nothing is known.
  [[nodiscard]] const TensorType* type(const std::string& value) const;
  /// nullptr where the rank is not known.
  [[nodiscard]] const Dimensions* shape(const std::string& value) const;
  /// All sizes, or nothing.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> known_shape(const std::string& value) const;
  /// All elements of an integer scalar or vector, or nothing.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> known_integers(const std::string& value) const;
};

/// Infers the outermost graph. Never fails for what a node says: see remarks. Throws Error(kInvalidArgument) where the
/// request names no input, or contradicts the model.
Inference infer(const Model& model, const InferenceRequest& request = {});

/// Constants by name: initializers, results of Constant nodes, and Identity of either. Views; valid as long as the
/// model.
std::unordered_map<std::string, const Tensor*> constants(const Graph& graph);

/// True where the table of operators (operators/table.cpp) has it.
bool can_infer(const std::string& domain, const std::string& op_type);

}  // namespace assay::onnx_graph
