#pragma once
// Several models become one graph. What is equal in them is there once: weights, and nodes that compute the same of the
// same, so that models which begin alike share that beginning.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "onnx_graph/graph.hpp"

namespace assay::onnx_graph {

/// A model that is to be a part.
struct Part {
  std::string name;                           ///< before the names of its values, "name/value"; in errors
  const Model* model = nullptr;               ///< outlives the Merge
  std::map<std::string, std::string> inputs;  ///< each of its inputs without a default → the merged graph's
};

struct MergeCounts {
  std::size_t nodes = 0, initializers = 0;                ///< of the merged graph
  std::size_t shared_nodes = 0, shared_initializers = 0;  ///< of the parts, that were there already
};

/// Attributes of integers, by name.
using IntegerAttributes = std::vector<std::pair<std::string, std::variant<std::int64_t, std::vector<std::int64_t>>>>;

class Merge {
 public:
  /// The merged graph's own inputs and outputs. Throws Error(kInvalidArgument) where names are not distinct.
  Merge(std::vector<ValueInfo> inputs, std::vector<ValueInfo> outputs);

  /// Answers the names of the part's outputs in the merged graph. Throws Error(kUnsupported), naming the part, for
  /// versions of operators other than those of the parts before it, and for what cannot be moved: subgraphs, local
  /// functions, sparse initializers and strings.
  std::vector<std::string> add(const Part& part);

  /// Nodes of the merged graph's own, of ONNX's operators. Answers the name of the result.
  std::string node(const std::string& op_type, const std::vector<std::string>& inputs,
                   const IntegerAttributes& attributes = {});
  std::string constant(ElementType type, const std::vector<std::int64_t>& dims, std::vector<std::byte> contents);
  /// The value is the merged graph's output of that number.
  void output(std::size_t number, const std::string& value);

  /// Version of ONNX's own operators; 0 where no part has any.
  [[nodiscard]] std::int64_t opset() const;
  [[nodiscard]] const MergeCounts& counts() const noexcept { return counts_; }
  /// The file. External data are in it. Throws Error(kUnsupported) where it would be larger than protobuf allows.
  [[nodiscard]] std::string bytes() const;

 private:
  struct Stored {
    std::string name;
    Tensor tensor;
  };
  struct Written {
    std::string name, op_type, domain;
    std::vector<std::string> inputs, outputs;
    std::vector<std::string> attributes;  ///< whole messages
  };
  void take_versions(const Part& part);
  std::string store(const std::string& wanted, const Tensor& tensor);
  /// The names of the outputs of the node, or of an earlier one that computes the same. `outputs`: as they are wanted;
  /// "" where one is left out.
  std::vector<std::string> write(Written node, bool may_share);

  std::vector<ValueInfo> inputs_, outputs_;
  std::int64_t ir_version_;
  std::map<std::string, std::pair<std::int64_t, std::string>> opsets_;  // domain → version, the part that brought it
  std::unordered_set<std::string> taken_, taken_by_nodes_;              // names: of values, of nodes
  std::vector<Stored> stored_;
  std::unordered_multimap<std::size_t, std::size_t> stored_by_content_;  // hash → index
  std::vector<Written> written_;
  std::unordered_map<std::string, std::size_t> written_by_meaning_;  // digest → index
  std::deque<std::vector<std::byte>> own_contents_;
  MergeCounts counts_;
};

}  // namespace assay::onnx_graph
