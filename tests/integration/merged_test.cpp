// Strategy "merged" over the real frameworks: one graph of all members answers what the members answer one after the
// other; and ten members, which answer what they answer alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>
#include <set>
#include <vector>

#include "assay/ensemble.hpp"
#include "base/file.hpp"
#include "model/zoo.hpp"
#include "onnx_graph/test_model.hpp"
#include "support/noise.hpp"

namespace assay {
namespace {

struct Row {
  const char* what;
  std::vector<std::string> networks;  ///< "name" or "name@seed"
  std::vector<double> weights;
  Combine combine;
};

class MergedTest : public testing::TestWithParam<std::tuple<std::string, Row>> {
 protected:
  static std::filesystem::path zoo(const std::string& network) {
    static const TemporaryFolder folder;
    const std::size_t at = network.find('@');
    model::ZooRequest request{.name = network.substr(0, at)};
    if (at != std::string::npos) request.seed = std::stoull(network.substr(at + 1));
    return model::write_zoo_network(request, folder.path());
  }
  [[nodiscard]] static Ensemble ensemble(const Row& row, const std::string& strategy) {
    Ensemble e{.members = {}, .combine = row.combine, .strategy = strategy};
    for (std::size_t i = 0; i < row.networks.size(); ++i) {
      Member member{.model = zoo(row.networks[i])};
      if (!row.weights.empty()) member.weight = row.weights[i];
      e.members.push_back(std::move(member));
    }
    return e;
  }
};

/// Samples of which some member's two largest answers are nearly the same: which it votes for is up to the processor.
std::set<std::int64_t> near_ties(const std::vector<Tensor>& answers) {
  constexpr float kNear = 1e-4F;
  std::set<std::int64_t> ties;
  for (const Tensor& t : answers) {
    const std::int64_t classes = t.size() / t.shape().at(0);
    for (std::int64_t sample = 0; sample < t.shape().at(0); ++sample) {
      const float* begin = t.as<float>() + sample * classes;
      std::vector<float> values(begin, begin + classes);
      std::partial_sort(values.begin(), values.begin() + 2, values.end(), std::greater<>());
      if (values[0] - values[1] < kNear) ties.insert(sample);
    }
  }
  return ties;
}

float largest_difference(const Tensor& a, const Tensor& b, const std::set<std::int64_t>& without = {}) {
  const std::int64_t of_a_sample = a.size() / a.shape().at(0);
  float largest = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    if (without.contains(i / of_a_sample)) continue;
    largest = std::max(largest, std::abs(a.as<float>()[i] - b.as<float>()[i]));
  }
  return largest;
}

const std::vector<std::string> kTen = {"tiny-vgg",      "tiny-resnet",   "tiny-densenet",   "tiny-efficientnet",
                                       "tiny-vgg@2",    "tiny-resnet@2", "tiny-densenet@2", "tiny-efficientnet@2",
                                       "tiny-resnet@3", "tiny-resnet"};

TEST_P(MergedTest, AnswersAsTheMembersOneAfterTheOther) {
  const auto& [backend, row] = GetParam();
  const Params params{.backend = backend, .batch_size = 4, .threads = 2};
  Session sequential = load(ensemble(row, "sequential"), params);
  Session merged = load(ensemble(row, "merged"), params);
  ASSERT_EQ(merged.inputs().size(), sequential.inputs().size());
  ASSERT_EQ(merged.outputs().size(), sequential.outputs().size());
  std::vector<Tensor> inputs;
  std::vector<TensorView> x;
  constexpr std::int64_t kSamples = 11;  // batches of 4, 4 and 3
  for (std::size_t i = 0; i < merged.inputs().size(); ++i) {
    EXPECT_EQ(merged.inputs()[i].name, sequential.inputs()[i].name);
    inputs.push_back(test::noise_for(merged.inputs()[i], kSamples, 3));
  }
  for (const Tensor& t : inputs) x.push_back(t.view());
  const std::vector<Tensor> expected = sequential.predict(x);
  const std::vector<Tensor> found = merged.predict(x);
  std::set<std::int64_t> ties;
  if (row.combine == Combine::kVote) {
    const Row members{row.what, row.networks, {}, Combine::kMembers};
    ties = near_ties(load(ensemble(members, "sequential"), params).predict(x));
    ASSERT_LT(ties.size(), 3U) << "most samples are compared";
  }
  for (std::size_t o = 0; o < found.size(); ++o) {
    EXPECT_EQ(merged.outputs()[o].name, sequential.outputs()[o].name);
    ASSERT_EQ(found[o].shape(), expected[o].shape());
    EXPECT_LE(largest_difference(found[o], expected[o], ties), 1e-5F) << merged.outputs()[o].name;
  }
}

class TenMembers : public MergedTest {};

TEST_P(TenMembers, AnswerTheirMeanWhateverTheStrategy) {
  const auto& [backend, row] = GetParam();
  const Params params{.backend = backend, .batch_size = 4, .threads = 2};
  const Tensor x = test::noise_for(load(zoo(row.networks[0]), params).inputs().at(0), 11, 3);
  std::vector<double> sum;
  for (std::size_t m = 0; m < row.networks.size(); ++m) {
    const Tensor one = std::move(load(zoo(row.networks[m]), params).predict(x.view()).at(0));
    sum.resize(static_cast<std::size_t>(one.size()));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += row.weights[m] * one.as<float>()[i];
  }
  const double total = std::accumulate(row.weights.begin(), row.weights.end(), 0.0);
  for (const std::string& strategy : strategy_names()) {
    const Tensor y = std::move(load(ensemble(row, strategy), params).predict(x.view()).at(0));
    Tensor mean(y.dtype(), y.shape());
    ASSERT_EQ(static_cast<std::size_t>(mean.size()), sum.size());
    for (std::size_t i = 0; i < sum.size(); ++i) mean.as<float>()[i] = static_cast<float>(sum[i] / total);
    EXPECT_LE(largest_difference(y, mean), 1e-5F) << strategy;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, TenMembers,
                         testing::Combine(testing::Values("onnxruntime", "openvino"),
                                          testing::Values(Row{
                                              "ten", kTen, {1, 2, 1, 1, 3, 1, 1, 1, 1, 0.5}, Combine::kMean})),
                         [](const auto& row) { return std::get<0>(row.param); });

/// y = |x| or -x of doubles, by operators of version 11.
std::filesystem::path write_doubles(const TemporaryFolder& folder, const std::string& op) {
  onnx_graph::TestModel m(11);
  m.input("x", {-1, 3}, onnx::TensorProto::DOUBLE)
      .node(op, {"x"}, {"y"})
      .output("y", {-1, 3}, onnx::TensorProto::DOUBLE);
  const std::filesystem::path path = folder.path() / (op + ".onnx");
  write_file_atomically(path, m.bytes());
  return path;
}

TEST(MergedDoubles, ByOldOperators) {
  const TemporaryFolder folder;
  Tensor x(DType::kFloat64, {2, 3});
  const std::vector<double> values = {1, -2, 3, -4, 5, -6};
  std::copy(values.begin(), values.end(), x.as<double>());
  // Members: |x| with weight 3, -x with weight 1.
  const std::vector<std::pair<Combine, std::vector<double>>> rows = {{Combine::kMean, {0.5, 2, 1.5, 4, 2.5, 6}},
                                                                     {Combine::kVote, {0, 0.25, 0.75, 0, 0, 1}}};
  for (const auto& [combine, expected] : rows) {
    SCOPED_TRACE(to_string(combine));
    Ensemble e{
        .members = {{.model = write_doubles(folder, "Abs"), .weight = 3}, {.model = write_doubles(folder, "Neg")}},
        .combine = combine,
        .strategy = "merged"};
    const Tensor y = std::move(load(e, {.backend = "onnxruntime", .batch_size = 2}).predict(x.view()).at(0));
    ASSERT_EQ(y.dtype(), DType::kFloat64);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_DOUBLE_EQ(y.as<double>()[i], expected[i]) << i;
  }
}

/// 0.1 + 0.2 is rounded above 0.3.
TEST(DecimalWeights, LeaveEvenVotesEvenWhateverTheStrategy) {
  const TemporaryFolder folder;
  Tensor x(DType::kFloat64, {1, 3});
  const std::vector<double> values = {3, -1, 0};  // |x| votes for the first class, -x for the second
  std::copy(values.begin(), values.end(), x.as<double>());
  for (const std::string& strategy : strategy_names()) {
    Ensemble e{.members = {{.model = write_doubles(folder, "Abs"), .weight = 0.3},
                           {.model = write_doubles(folder, "Neg"), .weight = 0.1},
                           {.model = write_doubles(folder, "Neg"), .weight = 0.2}},
               .combine = Combine::kVote,
               .strategy = strategy};
    const Tensor y = std::move(load(e, {.backend = "onnxruntime", .batch_size = 1}).predict(x.view()).at(0));
    EXPECT_EQ(y.as<double>()[0], y.as<double>()[1]) << strategy;
    EXPECT_DOUBLE_EQ(y.as<double>()[0], 0.5) << strategy;
  }
}

const std::vector<std::string> kTrio = {"tiny-vgg", "tiny-resnet", "tiny-densenet"};
const std::vector<std::string> kPair = {"tiny-resnet", "tiny-densenet"};

INSTANTIATE_TEST_SUITE_P(
    Backends, MergedTest,
    testing::Combine(
        testing::Values("onnxruntime", "openvino"),
        testing::Values(Row{"mean", kPair, {}, Combine::kMean}, Row{"weighted", kPair, {2, 1}, Combine::kMean},
                        Row{"vote", kPair, {}, Combine::kVote}, Row{"weighted_vote", kPair, {2, 1}, Combine::kVote},
                        Row{"members", kPair, {}, Combine::kMembers}, Row{"dense_end", kTrio, {}, Combine::kMean},
                        Row{"dense_end_weighted", kTrio, {2, 1, 1}, Combine::kMean},
                        Row{"dense_end_last", {"tiny-resnet", "tiny-vgg"}, {1, 2}, Combine::kMean},
                        Row{"dense_end_vote", kTrio, {1, 1, 2}, Combine::kVote},
                        Row{"twice", {"tiny-resnet", "tiny-vgg", "tiny-resnet"}, {1, 2, 3}, Combine::kMean},
                        Row{"twice_alike", {"tiny-resnet", "tiny-vgg", "tiny-resnet"}, {}, Combine::kMean},
                        Row{"twice_vote", {"tiny-vgg", "tiny-resnet", "tiny-vgg"}, {}, Combine::kVote},
                        Row{"twice_members", {"tiny-resnet", "tiny-resnet"}, {}, Combine::kMembers},
                        Row{"seeds", {"tiny-resnet", "tiny-resnet@2", "tiny-efficientnet"}, {}, Combine::kMean},
                        Row{"several_tensors", {"tiny-multi", "tiny-multi@2"}, {}, Combine::kMean},
                        Row{"ten_vote", kTen, {}, Combine::kVote}, Row{"ten_members", kTen, {}, Combine::kMembers},
                        Row{"one", {"tiny-resnet"}, {}, Combine::kMean})),
    [](const auto& row) { return std::get<0>(row.param) + "_" + std::get<1>(row.param).what; });

}  // namespace
}  // namespace assay
