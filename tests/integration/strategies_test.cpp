// The study's four networks in small, as one ensemble: on every engine, whatever the strategy, the answers are those of
// the members alone on ONNX Runtime, weighted by hand.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "assay/ensemble.hpp"
#include "base/file.hpp"
#include "model/zoo.hpp"
#include "support/noise.hpp"
#include "support/required.hpp"

namespace assay {
namespace {

constexpr std::int64_t kNetworkSamples = 11;  // batches of 4, 4 and 3
constexpr double kMostError = 1e-4;           // of probabilities

Ensemble four_networks(const std::filesystem::path& folder, const std::string& strategy) {
  Ensemble e{.members = {}, .strategy = strategy};
  double weight = 2;
  for (const char* name : {"tiny-vgg", "tiny-resnet", "tiny-densenet", "tiny-efficientnet"}) {
    e.members.push_back({.model = model::write_zoo_network({.name = name}, folder), .weight = weight});
    weight /= 2;
  }
  return e;
}

std::vector<double> weighted_mean(const Ensemble& ensemble, const TensorView& x) {
  std::vector<double> mean;
  double weights = 0;
  for (const Member& member : ensemble.members) {
    Session alone = load(member.model, {.backend = "onnxruntime", .batch_size = kNetworkSamples});
    const Tensor y = std::move(alone.predict(x).at(0));
    mean.resize(static_cast<std::size_t>(y.size()));
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += member.weight * static_cast<double>(y.as<float>()[i]);
    weights += member.weight;
  }
  for (double& value : mean) value /= weights;
  return mean;
}

using EngineAndStrategy = std::tuple<std::string, std::string>;

class FourNetworks : public testing::TestWithParam<EngineAndStrategy> {};

TEST_P(FourNetworks, AnswerAsTheirMembersAlone) {
  const auto& [backend, strategy] = GetParam();
  const TemporaryFolder folder;
  const Ensemble ensemble = four_networks(folder.path(), strategy);
  std::vector<Session> sessions;
  try {
    sessions.push_back(load(ensemble, {.backend = backend, .batch_size = 4, .threads = 2}));
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kUnavailable || test::is_required(backend)) throw;
    GTEST_SKIP() << e.what();
  }
  Session& session = sessions.front();
  ASSERT_EQ(session.inputs().size(), 1U);
  const Tensor x = test::noise_for(session.inputs()[0], kNetworkSamples, 3);
  const Tensor y = std::move(session.predict(x.view()).at(0));
  const std::vector<double> expected = weighted_mean(ensemble, x.view());
  ASSERT_EQ(static_cast<std::size_t>(y.size()), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(y.as<float>()[i]), expected[i], kMostError) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, FourNetworks,
                         testing::Combine(testing::Values("onnxruntime", "openvino", "tensorflow", "mlir"),
                                          testing::ValuesIn(strategy_names())),
                         [](const auto& row) {
                           return fmt::format("{}_{}", std::get<0>(row.param), std::get<1>(row.param));
                         });

}  // namespace
}  // namespace assay
