#pragma once
// Small models, imported.

#include <string>

#include "compiler/import.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::compiler::test {

using onnx_graph::TestModel;

/// The graph; the model's bytes live in `bytes`, as long as its constants are wanted.
inline Graph imported(const TestModel& m, const std::map<std::string, Shape>& inputs, std::string& bytes) {
  return import_model(onnx_graph::parse_kept(m, bytes), inputs);
}

inline std::string text_of(const TestModel& m, const std::map<std::string, Shape>& inputs) {
  std::string bytes;
  return to_text(imported(m, inputs, bytes));
}

}  // namespace assay::compiler::test
