#include "profile.hpp"

#include <gmock/gmock.h>

#include <array>

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
