#include "worker/parity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "base/file.hpp"
#include "worker/reference.hpp"

namespace assay::worker {
namespace {

using ::testing::HasSubstr;

Tensor floats(const std::vector<float>& values) {
  Tensor t(DType::kFloat32, {1, static_cast<std::int64_t>(values.size())});
  std::memcpy(t.data(), values.data(), t.bytes());
  return t;
}

std::vector<float> softmax(const std::vector<float>& z) {
  std::vector<float> p;
  float sum = 0;
  for (const float v : z) sum += std::exp(v);
  for (const float v : z) p.push_back(std::exp(v) / sum);
  return p;
}

ParityResult compare(const Tensor& got, const Tensor& reference, ParityRule rule = {},
                     std::optional<int> axis = std::nullopt) {
  ParityCheck check(rule, {"y"}, {axis});
  check.add(0, got.view(), reference.view());
  return check.result();
}

TEST(Parity, ErrorIsTheLargestDifferenceOverTheLargestValue) {
  const ParityResult r = compare(floats({1, 2, -4.0004F}), floats({1, 2, -4}), {.tolerance = 1e-3});
  EXPECT_NEAR(r.error, 1e-4, 1e-6);
  EXPECT_EQ(r.failure, "");
  EXPECT_EQ(r.top1, 1);
  const ParityResult beyond = compare(floats({1, 2, -4.0004F}), floats({1, 2, -4}), {.tolerance = 2e-5});
  EXPECT_THAT(beyond.failure, HasSubstr("output y differs from the reference by 1.00e-04"));
}

TEST(Parity, TheToleranceOfAReducedPrecisionFollowsTheNetworksCondition) {
  EXPECT_EQ(conditioned_tolerance(1e-2, 0), 1e-2);
  EXPECT_EQ(conditioned_tolerance(1e-2, 1e-3), 1e-2);
  EXPECT_DOUBLE_EQ(conditioned_tolerance(1e-2, 0.1), 0.4);
  EXPECT_EQ(conditioned_tolerance(1e-2, 0.25), INFINITY);
}

TEST(Parity, IsComparedBeforeASoftmax) {
  // A logit moved by 0.1 changes a probability of 1e-6 by hardly anything, but it is a wrong network.
  const std::vector<float> z = {0, 1, 14};
  const std::vector<float> wrong = {0.1F, 1, 14};
  EXPECT_EQ(compare(floats(softmax(wrong)), floats(softmax(z)), {.tolerance = 1e-3}).failure, "");
  const ParityResult r = compare(floats(softmax(wrong)), floats(softmax(z)), {.tolerance = 1e-3}, 1);
  EXPECT_THAT(r.failure, HasSubstr("differs"));
  // z - mean: {-5, -4, 9}; wrong: {-4.933, -4.033, 8.967}; 0.0667 / 9.
  EXPECT_NEAR(r.error, 0.0667 / 9, 1e-4);
  std::vector<double> p = {0.25, 0.75};
  centre_log_probabilities(p, {1, 2}, 1);
  EXPECT_NEAR(p[1] - p[0], std::log(3.0), 1e-12);
  EXPECT_NEAR(p[0] + p[1], 0, 1e-12);
}

TEST(Parity, ProbabilitiesOfZeroAreNoInfinity) {
  const ParityResult r = compare(floats({0, 1}), floats({0, 1}), {}, -1);
  EXPECT_EQ(r.failure, "");
  EXPECT_EQ(r.error, 0);
}

TEST(Parity, NotANumberFails) {
  EXPECT_THAT(compare(floats({1, NAN}), floats({1, 2})).failure, HasSubstr("NaN or infinity"));
  EXPECT_THAT(compare(floats({1, INFINITY}), floats({1, 2})).failure, HasSubstr("NaN or infinity"));
  EXPECT_THAT(compare(floats({1, 2}), floats({1, NAN})).failure, HasSubstr("reference itself"));
}

TEST(Parity, TopOneCountsOnlyWhereTheReferenceIsSure) {
  const ParityRule rule{.tolerance = 0.1};
  const ParityResult unsure = compare(floats({1.00F, 1.05F}), floats({1.05F, 1.00F}), rule);
  EXPECT_FALSE(unsure.top1) << "a margin of 0.05 is within 0.1";
  EXPECT_EQ(unsure.failure, "");
  const ParityResult sure = compare(floats({1, 2}), floats({1, 2}), rule);
  EXPECT_EQ(sure.top1, 1);
}

TEST(Parity, Int8IsJudgedByTopOne) {
  const ParityRule rule{.tolerance = 0.05, .by_top1 = true};
  ParityCheck good(rule, {"y"}, {std::nullopt});
  ParityCheck bad(rule, {"y"}, {std::nullopt});
  for (int i = 0; i < 10; ++i) {
    good.add(0, (i < 9 ? floats({3, 9, 0}) : floats({9, 3, 0})).view(), floats({0, 10, 1}).view());
    bad.add(0, (i < 8 ? floats({3, 9, 0}) : floats({9, 3, 0})).view(), floats({0, 10, 1}).view());
  }
  EXPECT_EQ(good.result().failure, "");
  EXPECT_GT(good.result().error, 0.3) << "shown, not judged";
  EXPECT_THAT(bad.result().failure, HasSubstr("8 of 10"));
}

TEST(Parity, IntegersAreEqualOrNot) {
  Tensor a(DType::kInt64, {1, 2});
  Tensor b(DType::kInt64, {1, 2});
  a.as<std::int64_t>()[0] = b.as<std::int64_t>()[0] = 5;
  a.as<std::int64_t>()[1] = b.as<std::int64_t>()[1] = 6;
  EXPECT_EQ(compare(a, b).failure, "");
  b.as<std::int64_t>()[1] = 7;
  EXPECT_THAT(compare(a, b).failure, HasSubstr("integers"));
}

TEST(Parity, ShapesAndTypesMustAgree) {
  EXPECT_THAT(compare(floats({1, 2}), floats({1, 2, 3})).failure, HasSubstr("1x2, the reference's is float32 1x3"));
}

Reference some_reference() {
  Reference r{.identity = "onnxruntime 1", .data_key = "k", .outputs = {}};
  r.outputs.push_back({"y", 1, {}});
  r.outputs.back().samples.push_back(floats({1, 2, 3}));
  r.outputs.back().samples.push_back(floats({4, 5, 6}));
  r.outputs.push_back({"empty", std::nullopt, {}});
  r.outputs.back().samples.emplace_back(DType::kInt64, Shape{0});
  return r;
}

TEST(ReferenceFile, ComesBackAsItWas) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "r";
  write_reference(file, some_reference());
  const Reference back = read_reference(file);
  EXPECT_EQ(back.identity, "onnxruntime 1");
  EXPECT_EQ(back.data_key, "k");
  ASSERT_EQ(back.outputs.size(), 2U);
  EXPECT_EQ(back.outputs[0].softmax_axis, 1);
  EXPECT_FALSE(back.outputs[1].softmax_axis);
  ASSERT_EQ(back.outputs[0].samples.size(), 2U);
  EXPECT_EQ(back.outputs[0].samples[1].as<float>()[2], 6);
}

TEST(ReferenceFile, DamageIsFound) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "r";
  write_reference(file, some_reference());
  const std::string whole = read_file(file);
  EXPECT_THROW(read_reference(folder.path() / "missing"), Error);
  for (std::size_t cut : {std::size_t{0}, std::size_t{10}, whole.size() / 2, whole.size() - 1}) {
    write_file_atomically(file, whole.substr(0, cut));
    EXPECT_THROW(read_reference(file), Error) << cut;
  }
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
    write_file_atomically(file, flipped);
    EXPECT_THROW(read_reference(file), Error) << at;
  }
}

TEST(ReferenceFile, BelongsToItsInputsNotToTheEngine) {
  Request r;
  r.test_case.backend = "openvino";
  r.test_case.batch_size = 32;
  Request other = r;
  other.test_case.backend = "onnxruntime";
  other.test_case.batch_size = 1;
  EXPECT_EQ(parity_data_key(other), parity_data_key(r));
  for (const auto& change : std::vector<std::function<void(Request&)>>{
           [](Request& x) { x.test_case.data.seed = 2; }, [](Request& x) { x.test_case.data.ranges["ids"] = {0, 5}; },
           [](Request& x) { x.test_case.shapes["x"] = {1, 2}; }, [](Request& x) { x.effort.parity_samples = 3; }}) {
    Request changed = r;
    change(changed);
    EXPECT_NE(parity_data_key(changed), parity_data_key(r));
  }
}

}  // namespace
}  // namespace assay::worker
