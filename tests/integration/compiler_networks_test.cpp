// The compiler's answers of the zoo's networks beside those of ONNX Runtime without optimizations.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "assay/assay.hpp"
#include "base/file.hpp"
#include "model/zoo.hpp"
#include "support/noise.hpp"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

/// Largest difference of two answers, over the range of the first.
double error_of(const Tensor& reference, const Tensor& other) {
  const float* r = reference.as<float>();
  double difference = 0;
  for (std::int64_t i = 0; i < reference.size(); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(r[i]) - other.as<float>()[i]));
  }
  const auto [least, most] = std::minmax_element(r, r + reference.size());
  return difference / (static_cast<double>(*most) - *least);
}

class CompiledNetworks : public ::testing::TestWithParam<const char*> {
 protected:
  CompiledNetworks()
      : model_(write_zoo_network({.name = GetParam(), .logits = true}, folder_.path())),
        x_(test::noise({3, 3, 224, 224}, 7)) {}

  [[nodiscard]] Tensor answers(const char* backend, const char* option, const char* value) const {
    Params params{.backend = backend, .batch_size = 2, .threads = 2};
    params.options[option] = value;
    return std::move(load(model_, params).predict(x_.view())[0]);
  }

  TemporaryFolder folder_;
  fs::path model_;
  Tensor x_;
};

/// Three images by two. The networks are made so that rounding shows (docs/adr/0003): what ONNX Runtime's own
/// optimizations move the answers by says how much of it a right answer has.
TEST_P(CompiledNetworks, AnswerWithinWhatTheirMathAllows) {
  const Tensor reference = answers("onnxruntime", "graph_optimization_level", "disabled");
  const double rounding = error_of(reference, answers("onnxruntime", "graph_optimization_level", "all"));
  const double strict = error_of(reference, answers("mlir", "math", "strict"));
  const double fast = error_of(reference, answers("mlir", "math", "fast"));
  EXPECT_LE(strict, std::clamp(3 * rounding, 2e-5, 1e-4));
  EXPECT_LE(fast, 1e-4);
  std::printf("%s: over the logits' range strict %.2g, fast %.2g, ONNX Runtime's optimizations %.2g\n", GetParam(),
              strict, fast, rounding);
}

INSTANTIATE_TEST_SUITE_P(Zoo, CompiledNetworks, ::testing::Values("vgg19", "resnet50", "densenet201", "efficientnetb0"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace assay::model
