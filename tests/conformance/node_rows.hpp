#pragma once
// Rows of our own: one node, with inputs that are seeded or constant.

#include <string>
#include <vector>

#include "assay/tensor.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::conformance {

struct RowInput {
  enum class Kind { kFed, kConstant, kAbsent };
  Kind kind = Kind::kFed;
  DType dtype = DType::kFloat32;
  Shape shape;
  std::vector<double> values;  ///< of a constant; what is fed is seeded
};

struct Row {
  std::string name;
  std::int64_t opset;
  const char* op;
  std::vector<RowInput> inputs;
  onnx_graph::TestAttributes attributes{};
  std::vector<DType> outputs{DType::kFloat32};
};

/// The table (node_rows.cpp).
const std::vector<Row>& rows();
/// Its part that is about layers (node_layer_rows.cpp).
void add_layer_rows(std::vector<Row>& all);

}  // namespace assay::conformance
