#include "profile.hpp"

#include <gmock/gmock.h>

#include <array>

#include "test/stages.hpp"

namespace assay::mlir_backend {
namespace {

using compiler::Step;
using compiler::Value;
using testing::HasSubstr;
using testing::Not;

compiler::Plan plan_of(std::int64_t batch) {
  compiler::Plan plan;
  plan.inputs = {Value{"x", compiler::Element::kF32, {batch, 3}, nullptr}};
  Step conv{0, {}, "Conv node \"c\"", "direct, 4 pixels x 2 vectors"};
  conv.operations = 8000;
  plan.steps = {conv, Step{1, {}, "Relu node \"r\""}};
  return plan;
}

ProfiledCase some_case() { return {"some.onnx", 8, {{"threads", "2"}, {"variant", "winograd"}}, nullptr, 16}; }

TEST(Profile, SaysWhatItIsOfAndTheUnitsOfItsNumbers) {
  const compiler::Plan plan = plan_of(8);
  Profile profile;
  for (int i = 0; i < 2; ++i) profile.add(plan, std::array<std::int64_t, 2>{1000, 3500});
  EXPECT_EQ(profile.json(some_case()),
            R"({"backend": "mlir", "model": "some.onnx", "batch_size": 8, "inputs": [{"x": "8x3"}],
"in_force": {"threads": "2", "variant": "winograd"},
"batches": 2, "peak_gflop_per_s": 16, "nodes": [{"name": "Conv node \"c\"", "steps": 2, "wall_us": 2, "wall_us_per_batch": 1, )"
            R"("schedule": "direct, 4 pixels x 2 vectors", "gflop_per_s": 8, "share_of_peak": 0.5},
 {"name": "Relu node \"r\"", "steps": 2, "wall_us": 7, "wall_us_per_batch": 3.5}]}
)");
}

/// Of what the compiler schedules for a layer, a nanosecond a step.
std::string profile_of(const compiler::test::Layer& layer) {
  const compiler::Plan plan = compiler::test::stages_of(layer, compiler::feature_level("avx2")).plan;
  Profile profile;
  profile.add(plan, std::vector<std::int64_t>(plan.steps.size(), 1));
  return profile.json(some_case());
}

TEST(Profile, CountsWhatTheGeneralKernelsCompute) {
  using compiler::Shape;
  const auto image = compiler::test::layer_of(
      {1, 3, 9}, [](onnx_graph::TestModel& m) { m.weights("w", {4, 3, 5}).node("Conv", {"x", "w"}, {"y"}); });
  // 4 x 5 outputs of 3 x 5 products, each an addition, too.
  EXPECT_THAT(profile_of(image), HasSubstr(R"("name": "Conv node \"y\"", "steps": 1, "wall_us": 0, )"
                                           R"("wall_us_per_batch": 0.001, "schedule": "general", "gflop_per_s": 600)"));
  const auto product = compiler::test::layer_of(
      {3, 5}, [](onnx_graph::TestModel& m) { m.input("z", {5, 7}).node("MatMul", {"x", "z"}, {"y"}); });
  compiler::test::Layer matrices = product;
  matrices.shapes["z"] = {5, 7};
  EXPECT_THAT(profile_of(matrices), HasSubstr(R"("schedule": "general", "gflop_per_s": 210)"));
}

TEST(Profile, NamesEachSetOfShapesThatRan) {
  const compiler::Plan eight = plan_of(8), three = plan_of(3);
  Profile profile;
  for (const auto* plan : {&eight, &eight, &three}) profile.add(*plan, std::array<std::int64_t, 2>{1, 1});
  EXPECT_THAT(profile.json(some_case()), HasSubstr(R"("inputs": [{"x": "8x3"}, {"x": "3x3"}])"));
}

TEST(Profile, TellsWhatAutotuneFound) {
  Profile profile;
  ProfiledCase of = some_case();
  EXPECT_THAT(profile.json(of), Not(HasSubstr("autotune")));
  of.tuning = std::make_shared<compiler::Tuning>(
      compiler::Tuning{12, 9, {{"1x8x5x5 by 16x8x1x1", {{0, 0, {1, 14}}, 120500, 100000}}}});
  EXPECT_THAT(profile.json(of),
              HasSubstr(R"("autotune": {"different_convolutions": 12, "measured": 9, "changed": [)"
                        R"({"convolution": "1x8x5x5 by 16x8x1x1", "model_us": 120.5, "tuned_us": 100}]})"));
}

}  // namespace
}  // namespace assay::mlir_backend
