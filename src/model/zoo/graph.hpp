#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "assay/tensor.hpp"
#include "model/zoo/moments.hpp"
#include "model/zoo/weights.hpp"

namespace onnx {
class GraphProto;
}

namespace assay::model {

/// A tensor of the model file. Its elements are made when the file is written.
struct Initializer {
  std::string name;
  Shape dims;
  DType dtype = DType::kFloat32;
  bool learned = true;  ///< counts as a parameter
  std::variant<std::vector<float>, std::vector<std::int64_t>, WeightRows> elements;
};

/// A free axis has a name.
using Axis = std::variant<std::int64_t, std::string>;
using Axes = std::vector<Axis>;
using Attribute = std::pair<std::string, std::variant<std::int64_t, float, std::vector<std::int64_t>>>;

/// An ONNX graph in the making: what is needed of the format, no knowledge of networks.
class Graph {
 public:
  explicit Graph(const std::string& name);
  ~Graph();
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;

  /// Each returns the name of the tensor.
  std::string input(const std::string& name, DType dtype, const Axes& axes);
  std::string node(const std::string& op_type, const std::string& name, const std::vector<std::string>& inputs,
                   const std::vector<Attribute>& attributes = {});
  std::string initializer(Initializer tensor);
  void output(const std::string& name, DType dtype, const Axes& axes);

  [[nodiscard]] const onnx::GraphProto& proto() const { return *proto_; }
  [[nodiscard]] const std::vector<Initializer>& initializers() const { return initializers_; }
  [[nodiscard]] std::int64_t parameters() const;

 private:
  std::unique_ptr<onnx::GraphProto> proto_;  // all but the initializers
  std::vector<Initializer> initializers_;
};

}  // namespace assay::model
