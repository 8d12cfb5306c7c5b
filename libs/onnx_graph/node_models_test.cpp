// ONNX's own node tests (Debian's libonnx-testdata), where they are installed: every model is read, and what is
// inferred agrees with what the file declares of its outputs.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "assay/error.hpp"
#include "onnx_graph/inference.hpp"

namespace assay::onnx_graph {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFolder = "/usr/share/libonnx-testdata/data/node";

/// Operators of these models that the table does not have, by the reason why. One too many fails as one too few does.
const std::map<std::string, std::set<std::string>>& not_in_the_table() {
  static const auto* reasons = new std::map<std::string, std::set<std::string>>{
      {"runs a subgraph", {"If", "Loop", "Scan", "SequenceMap"}},
      {"is about sequences, optionals or strings",
       {"OptionalGetElement", "OptionalHasElement", "SequenceEmpty", "SequenceInsert", "SequenceLength",
        "StringNormalizer", "TfIdfVectorizer"}},
      {"is of training",
       {"ai.onnx.preview.training.Adagrad", "ai.onnx.preview.training.Adam", "ai.onnx.preview.training.Momentum",
        "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"}},
      {"is of signal processing", {"BlackmanWindow", "DFT", "HammingWindow", "HannWindow", "MelWeightMatrix", "STFT"}},
      {"is in no network that Assay was asked for",
       {"Bernoulli", "Det", "GridSample", "MaxUnpool", "NonMaxSuppression", "RandomUniformLike", "RoiAlign",
        "Unique"}}};
  return *reasons;
}

/// Where what is inferred contradicts the declaration: "axis 1: 3 inferred, 4 declared".
std::string contradiction(const Inference& inference, const ValueInfo& declared) {
  const TensorType* type = inference.type(declared.name);
  if (type == nullptr) return {};
  if (type->element != ElementType::kUndefined && type->element != declared.type.element) {
    return to_string(type->element) + " inferred, " + to_string(declared.type.element) + " declared";
  }
  if (!type->shape || !declared.type.shape) return {};
  if (type->shape->size() != declared.type.shape->size())
    return to_string(*type->shape) + " inferred, " + to_string(*declared.type.shape) + " declared";
  for (std::size_t i = 0; i < type->shape->size(); ++i) {
    const Dimension &a = (*type->shape)[i], &b = (*declared.type.shape)[i];
    if (a.known() && b.known() && a.size != b.size)
      return to_string(*type->shape) + " inferred, " + to_string(*declared.type.shape) + " declared";
  }
  return {};
}

TEST(NodeModels, AreReadAndInferredAsDeclared) {
  if (!fs::is_directory(kFolder)) GTEST_SKIP() << "libonnx-testdata is not installed";
  int models = 0, complete = 0;
  std::set<std::string> unknown;
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    const fs::path path = entry.path() / "model.onnx";
    if (!fs::exists(path)) continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++models;
    try {
      const Model model = read(path);
      InferenceRequest request;
      request.use_declared = false;
      const Inference inference = infer(model, request);
      unknown.insert(inference.unknown_operators.begin(), inference.unknown_operators.end());
      EXPECT_TRUE(inference.remarks.empty()) << inference.remarks[0];
      bool all = true;
      for (const ValueInfo& output : model.graph.outputs) {
        if (output.kind != "tensor") continue;
        EXPECT_EQ(contradiction(inference, output), "") << output.name;
        all = all && inference.known_shape(output.name).has_value();
      }
      complete += all ? 1 : 0;
    } catch (const Error& e) {
      ADD_FAILURE() << e.what();
    }
  }
  RecordProperty("models", models);
  RecordProperty("complete", complete);
  EXPECT_GE(models, 900);
  EXPECT_GE(complete, models * 6 / 10) << "of " << models << " models";
  std::set<std::string> explained;
  for (const auto& [reason, operators] : not_in_the_table()) explained.insert(operators.begin(), operators.end());
  EXPECT_EQ(unknown, explained);
}

}  // namespace
}  // namespace assay::onnx_graph
