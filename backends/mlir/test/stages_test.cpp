// What each stage before MLIR prints of small layers, for vectors of 16 and of 8 floats.
#include "test/stages.hpp"

#include <gmock/gmock.h>

#include <regex>

#include "compiler/aligned_memory.hpp"

namespace assay::compiler {
namespace {

using test::file_check;
using test::Layer;
using test::Names;
using test::Stages;
using test::stages_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A convolution, its batch normalization, ReLU; and what nobody takes.
Layer normalized_layer() {
  return test::layer_of({1, 16, 4, 4}, [](test::TestModel& m) {
    m.weights("w", {16, 16, 3, 3});
    for (const char* name : {"scale", "bias", "mean", "variance"}) m.floats(name, {16}, std::vector<float>(16, 1.0F));
    m.node("Conv", {"x", "w"}, {"c"}, {{"pads", Shape(4, 1)}})
        .node("BatchNormalization", {"c", "scale", "bias", "mean", "variance"}, {"n"})
        .node("Relu", {"n"}, {"y"})
        .node("Exp", {"x"}, {"unused"});
  });
}

TEST(Stages, TheGraphIsAsImportedThenAsEachPassLeavesIt) {
  std::string bytes;
  const Layer layer = normalized_layer();
  Graph graph = test::imported(layer.model, layer.shapes, bytes);
  EXPECT_TRUE(file_check(to_text(graph), R"(
    CHECK: [[C:%[0-9]+]] f32 1x16x4x4 = Conv(%0, {{%[0-9]+}}) strides 1x1 dilations 1x1 begin 1x1 end 1x1 groups 1{{ +//}}
    CHECK: [[N:%[0-9]+]] f32 1x16x4x4 = Map([[C]], {{.*}}) add(mul(%0, %1), %2)
    CHECK: f32 1x16x4x4 = Map([[N]]) max(%0, 0)
    CHECK: f32 1x16x4x4 = Map(%0) exp(%0)
  )"));
  const std::map<std::string, const char*> expected = {{"fold", R"(
        CHECK-NOT: mul(
        CHECK: [[C:%[0-9]+]] f32 1x16x4x4 = Conv(%0, {{%[0-9]+}}, {{%[0-9]+}}) {{.*}} groups 1 bias{{ +//}}
        CHECK-NOT: mul(
        CHECK: Map([[C]]) max(%0, 0)
        CHECK: exp(%0)
      )"},
                                                       {"fuse", R"(
        CHECK-NOT: Map(
        CHECK: = Conv(%0, {{%[0-9]+}}, {{%[0-9]+}}) {{.*}} groups 1 bias then max(%0, 0)
        CHECK-NEXT: Map(%0) exp(%0)
        CHECK-NOT: Map(
      )"},
                                                       {"drop", R"(
        CHECK: = Conv(%0, {{%[0-9]+}}, {{%[0-9]+}}) {{.*}} groups 1 bias then max(%0, 0)
        CHECK-NOT: Map(
      )"}};
  for (const Pass& pass : passes()) {
    pass.run(graph, feature_level("avx512"), Math::kStrict);
    const auto wanted = expected.find(pass.name);
    if (wanted == expected.end()) continue;
    EXPECT_TRUE(file_check(to_text(graph), wanted->second)) << "after " << pass.name;
  }
}

/// A layer, and what a pass leaves of it; without the pass there is none of that.
struct PassRow {
  const char* pass;
  Layer layer;
  const char* expected;
};

std::vector<PassRow> pass_rows() {
  const auto batch = [](test::TestModel& m) {
    m.weights("w", {32, 32, 1, 1}).node("Conv", {"x", "w"}, {"a"}).node("Conv", {"a", "w"}, {"y"});
  };
  const auto bottleneck = [](test::TestModel& m) {
    m.weights("w", {96, 16, 1, 1}).weights("v", {96, 1, 3, 3});
    m.node("Conv", {"x", "w"}, {"c"}).node("Conv", {"c", "v"}, {"y"}, {{"group", std::int64_t{96}}});
  };
  const auto excitation = [](test::TestModel& m) {
    m.weights("w", {40, 96, 1, 1}).node("GlobalAveragePool", {"x"}, {"p"}).node("Sigmoid", {"p"}, {"s"});
    m.node("Mul", {"x", "s"}, {"m"}).node("Conv", {"m", "w"}, {"y"});
  };
  const auto pooled = [](test::TestModel& m) {
    m.weights("w", {40, 40, 3, 3}).node("Conv", {"x", "w"}, {"c"}).node("GlobalAveragePool", {"c"}, {"y"});
  };
  return {{"split", test::layer_of({8, 32, 64, 64}, batch), "CHECK: Strided(%0)\nCHECK: = Concat("},
          {"scale", test::layer_of({1, 96, 56, 56}, excitation), "CHECK: Map(%0, {{%[0-9]+}}) mul({{.*}} into weights"},
          {"bands", test::layer_of({1, 16, 112, 112}, bottleneck), "CHECK: Conv(%0, {{.*}} in bands"},
          {"pool", test::layer_of({1, 40, 28, 28}, pooled), "CHECK: Conv(%0, {{.*}} with sums\nCHECK: Reduce("}};
}

TEST(Stages, PassesThatDependOnCostsMarkWhatPaysAndOnlyThey) {
  Target small = feature_level("avx512");
  small.l3_bytes = std::int64_t{8} << 20;
  for (const PassRow& row : pass_rows()) {
    SCOPED_TRACE(row.pass);
    EXPECT_TRUE(file_check(stages_of(row.layer, small).graph, row.expected));
    EXPECT_FALSE(file_check(stages_of(row.layer, small, row.pass).graph, row.expected));
  }
}

TEST(Stages, ABatchThatNoCacheHoldsIsSplit) {
  const Layer layer = test::layer_of({8, 32, 64, 64}, [](test::TestModel& m) {
    m.weights("w", {32, 32, 1, 1}).node("Conv", {"x", "w"}, {"a"}).node("Conv", {"a", "w"}, {"b"});
    m.node("Conv", {"b", "w"}, {"y"});
  });
  Target small = feature_level("avx512");
  small.l2_bytes = std::int64_t{1} << 20;
  small.l3_bytes = std::int64_t{8} << 20;
  EXPECT_TRUE(file_check(stages_of(layer, small).graph, R"(
    CHECK: [[X:%[0-9]+]] f32 [[N:[1-4]]]x32x64x64 = Strided(%0) offset 0
    CHECK-NEXT: [[A:%[0-9]+]] f32 [[N]]x32x64x64 = Conv([[X]], [[W:%[0-9]+]])
    CHECK-NEXT: [[B:%[0-9]+]] f32 [[N]]x32x64x64 = Conv([[A]], [[W]])
    CHECK-NEXT: [[Y:%[0-9]+]] f32 [[N]]x32x64x64 = Conv([[B]], [[W]])
    CHECK-NEXT: f32 [[N]]x32x64x64 = Strided(%0) offset {{[1-9]}}
    CHECK: f32 8x32x64x64 = Concat([[Y]], %
    CHECK-NOT: =
  )"));
  EXPECT_TRUE(
      file_check(stages_of(layer, small, "split").graph, "CHECK: f32 8x32x64x64 = Conv(%0,\nCHECK-NOT: Concat"));
}

class OfWidth : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] Stages of(const Layer& layer) const { return stages_of(layer, target_); }
  /// V: floats of a vector.
  [[nodiscard]] testing::AssertionResult check(const std::string& text, const std::string& expected) const {
    return file_check(text, expected, {{"V", std::to_string(target_.vector_floats)}});
  }
  Target target_ = feature_level(GetParam());
};

/// Pixels times vectors that a kernel accumulates at once, by the words of its schedule.
struct Accumulators {
  explicit Accumulators(const std::string& schedule) {
    std::smatch m;
    if (!std::regex_search(schedule, m, std::regex("([0-9]+) pixels x ([0-9]+) vectors"))) {
      throw std::invalid_argument("no tile in " + schedule);
    }
    pixels = std::stoi(m[1]);
    vectors = std::stoi(m[2]);
  }
  [[nodiscard]] std::string all() const { return std::to_string(pixels * vectors); }
  int pixels = 0, vectors = 0;
};

TEST_P(OfWidth, AConvolutionIsABorderACopyIntoBlocksTheKernelAndACopyOut) {
  EXPECT_TRUE(check(of(test::direct_layer()).steps, R"(
    CHECK: [[IN:b[0-9]+]]: input 0, 8192 bytes
    CHECK: [[WIDE:b[0-9]+]]: arena, 12800 bytes at
    CHECK: [[OUTSIDE:b[0-9]+]]: arena, 8192 bytes at
    CHECK: [[WEIGHTS:b[0-9]+]]: packed, 36864 bytes at 0
    CHECK: [[OUT:b[0-9]+]]: output 0, 8192 bytes
    CHECK-NEXT: k0([[WIDE]]), {{.*}}: Conv node "c"{{$}}
    CHECK-NEXT: ([[IN]], [[WIDE]]+{{[0-9]+}}), {{.*}}: Conv node "c"{{$}}
    CHECK-NEXT: ([[WIDE]], [[WEIGHTS]], [[OUTSIDE]]), {{.*}}: Conv node "c": direct, {{[0-9]+}} pixels x {{[0-9]+}} vectors
    CHECK-NEXT: ([[OUTSIDE]], [[OUT]]), {{.*}}: output
    CHECK-NOT: k
  )"));
}

TEST_P(OfWidth, WhatDependsOnConstantsAloneIsComputedOnce) {
  const Layer layer = test::layer_of({4, 6}, [](test::TestModel& m) {
    m.weights("k", {4, 6}).integers("last", {1});
    m.node("ReduceSum", {"k", "last"}, {"s"}).node("Mul", {"x", "s"}, {"y"});
  });
  EXPECT_TRUE(check(of(layer).steps, R"(
    CHECK: [[K:b[0-9]+]]: constant, 96 bytes
    CHECK: [[S:b[0-9]+]]: prepared, 16 bytes at 0
    CHECK: once k{{[0-9]+}}([[K]], [[S]]), {{.*}}: ReduceSum
    CHECK-NEXT: {{^}}k{{[0-9]+}}(b0, [[S]], b{{[0-9]+}}), {{.*}}: Mul
    CHECK-NOT: k
  )"));
}

TEST_P(OfWidth, TheDirectKernelAccumulatesATileInRegistersOverBlocksWindowAndChannels) {
  const Stages stages = of(test::direct_layer());
  const Accumulators tile(stages.step("Conv", "direct").schedule);
  const std::string loop = "scf.for {{.*}} iter_args({{.*}}) -> (vector<[[V]]xf32>\n";
  EXPECT_TRUE(check(stages.kernel("Conv", "direct").text,
                    "CHECK: func.func @kernel(%p0: {{.*}}llvm.noalias}, %p1: memref<9216xf32> {llvm.noalias}, %p2:\n"
                    "CHECK: scf.for {{%[0-9]+}} = %begin to %end\n"
                    "CHECK: " +
                        loop + "CHECK-NEXT: " + loop + "CHECK-NEXT: " + loop + "CHECK-NEXT: " + loop + R"(
    CHECK: [[W:%[0-9]+]] = vector.load %p1[{{.*}}, vector<[[V]]xf32>
    CHECK: [[X:%[0-9]+]] = memref.load %p0[
    CHECK-NEXT: [[B:%[0-9]+]] = vector.broadcast [[X]] : f32 to vector<[[V]]xf32>
    CHECK-NEXT: math.fma [[B]], [[W]], {{%[0-9]+}} : vector<[[V]]xf32>
    CHECK-NOT: vector.store
    CHECK: scf.yield
    CHECK: [[C:%[0-9]+]] = arith.cmpf ugt, [[SUM:%[0-9]+#0]], [[ZERO:%[a-z0-9]+]] : vector<[[V]]xf32>
    CHECK-NEXT: [[Y:%[0-9]+]] = arith.select [[C]], [[SUM]], [[ZERO]]
    CHECK: vector.store [[Y]], %p2[
  )"));
  EXPECT_TRUE(check(stages.kernel("Conv", "direct").text,
                    "CHECK-COUNT-" + std::to_string(tile.vectors) +
                        ": vector.load %p1[\nCHECK-NOT: vector.load\nCHECK-COUNT-" + tile.all() +
                        ": math.fma\nCHECK-NEXT: scf.yield\n" + "CHECK-NOT: math.fma"));
}

TEST_P(OfWidth, AProductHasTheSameTileAndNoBorder) {
  const Stages stages = of(test::pointwise_layer());
  EXPECT_TRUE(check(stages.steps, "CHECK: product, {{[0-9]+}} pixels\nCHECK-NOT: direct"));
  const Accumulators tile(stages.step("Conv", "product").schedule);
  EXPECT_TRUE(check(stages.kernel("Conv", "product").text,
                    "CHECK: %p1: memref<1024xf32>\nCHECK: vector.broadcast\n"
                    "CHECK-COUNT-" +
                        tile.all() + ": math.fma\nCHECK-NEXT: scf.yield"));
}

TEST_P(OfWidth, TheDepthwiseKernelTakesAVectorOfChannelsAndNothingIsBroadcast) {
  EXPECT_TRUE(check(of(test::depthwise_layer()).kernel("Conv", "depthwise").text, R"(
    CHECK-NOT: vector.broadcast
    CHECK: [[W:%[0-9]+]] = vector.load %p1[{{.*}} : memref<288xf32>, vector<[[V]]xf32>
    CHECK-NOT: memref.load
    CHECK: [[X:%[0-9]+]] = vector.load %p0[{{.*}}, vector<[[V]]xf32>
    CHECK-NEXT: math.fma [[X]], [[W]],
    CHECK-NOT: vector.broadcast
    CHECK: vector.store {{%[0-9]+}}, %p2[
    CHECK-NOT: vector.broadcast
  )"));
}

/// Two samples of 40 channels, 9 rows and 31 columns, a convolution and the mean of what it gives.
Layer pooled_layer(const Shape& w, std::int64_t groups) {
  return test::layer_of({2, 40, 9, 31}, [&](test::TestModel& m) {
    m.weights("w", w).node("Conv", {"x", "w"}, {"c"}, {{"group", groups}, {"pads", Shape(4, w[2] / 2)}});
    m.node("GlobalAveragePool", {"c"}, {"y"});
  });
}

TEST_P(OfWidth, APoolSumsWhatTheConvolutionSummedOfEachRow) {
  const std::int64_t lanes = target_.vector_floats;
  const auto bytes = [&](std::int64_t channels) { return (channels + lanes - 1) / lanes * lanes * 2 * 9 * 4; };
  const auto steps = [&](const Shape& w, std::int64_t groups) { return of(pooled_layer(w, groups)).steps; };
  const auto expected = [](std::int64_t floats, const char* method) {
    return "CHECK: [[SUMS:b[0-9]+]]: arena, " + std::to_string(floats) + R"( bytes
      CHECK: ({{b[0-9]+}}, {{b[0-9]+}}, [[SUMS]], [[OUT:b[0-9]+]]), {{.*}}: Conv node "c": )" +
           method + R"(
      CHECK-NEXT: ([[SUMS]], {{b[0-9]+}}), {{.*}}: GlobalAveragePool
    )";
  };
  EXPECT_TRUE(check(steps({40, 1, 3, 3}, 40), expected(bytes(40), "depthwise")));
  EXPECT_TRUE(check(steps({24, 40, 3, 3}, 1), expected(bytes(24), "direct")));
}

/// A matrix of the pixels of both samples has rows that are of both.
TEST_P(OfWidth, APoolSumsTheImageWhereRowsAreOfTwoSamples) {
  EXPECT_TRUE(check(of(pooled_layer({24, 40, 1, 1}, 1)).steps, R"(
    CHECK: ([[IN:b[0-9]+]], [[W:b[0-9]+]], [[OUT:b[0-9]+]]), {{.*}}: Conv node "c": product
    CHECK-NEXT: ([[OUT]], {{b[0-9]+}}), {{.*}}: GlobalAveragePool
  )"));
}

/// Two convolutions of x, joined; times the exponentials of constants.
Layer joined_layer() {
  return test::layer_of({1, 32, 9, 31}, [](test::TestModel& m) {
    m.weights("v", {32, 32, 3, 3})
        .weights("w", {32, 32, 1, 1})
        .floats("k", {1, 64, 1, 1}, std::vector<float>(64, 0.5F));
    m.node("Conv", {"x", "v"}, {"a"}, {{"pads", Shape(4, 1)}}).node("Conv", {"x", "w"}, {"b"});
    m.node("Concat", {"a", "b"}, {"c"}, {{"axis", std::int64_t{1}}}).node("Exp", {"k"}, {"e"});
    m.node("Mul", {"c", "e"}, {"y"});
  });
}

TEST_P(OfWidth, PassesOfTheScheduleCanBeLeftOut) {
  const auto stages = [&](const std::string& without) { return test::stages_of(joined_layer(), target_, without); };
  const Stages all = stages("");
  EXPECT_THAT(all.steps, AllOf(HasSubstr("direct"), HasSubstr("once"), Not(HasSubstr("Concat"))));
  EXPECT_THAT(stages("layout").steps, Not(HasSubstr("direct")));
  EXPECT_THAT(stages("concat").steps, HasSubstr("Concat node \"c\""));
  EXPECT_THAT(stages("constants").steps, Not(HasSubstr("once")));
  const Stages apart = stages("memory");
  EXPECT_GT(apart.plan.arena_bytes, all.plan.arena_bytes);
  std::int64_t bytes = 0;
  for (const Buffer& b : apart.plan.buffers) bytes += b.place == Buffer::Place::kArena ? aligned(b.bytes) : 0;
  EXPECT_EQ(apart.plan.arena_bytes, bytes);
}

TEST_P(OfWidth, WinogradsKernelTransformsMultipliesAndTransformsBack) {
  const Stages stages = of(test::winograd_layer());
  EXPECT_TRUE(check(stages.steps, "CHECK: scratch, \nCHECK: Conv node \"c\": Winograd F(4x4) of {{[0-9]+}} tiles"));
  const Accumulators tile(stages.step("Conv", "Winograd").schedule);
  // Weights are 36 points of 64 by 64. p0 is scratch memory, of which each thread has a part.
  EXPECT_TRUE(check(stages.kernel("Conv", "Winograd").text, R"(
    CHECK: %p2: memref<147456xf32>
    CHECK: vector.load %p1[{{.*}}, vector<[[V]]xf32>
    CHECK-NOT: %p2[
    CHECK: math.fma
    CHECK: affine.apply {{.*}}(%part,
    CHECK-NEXT: vector.store {{%[0-9]+}}, %p0[
    CHECK-NOT: vector.load %p1[
    CHECK: [[W:%[0-9]+]] = vector.load %p2[
    CHECK: [[X:%[0-9]+]] = memref.load %p0[
    CHECK-NEXT: [[B:%[0-9]+]] = vector.broadcast [[X]]
    CHECK-NEXT: math.fma [[B]], [[W]],
    CHECK-COUNT-)" + std::to_string(tile.pixels * tile.vectors - 1) +
                                                                R"(: math.fma
    CHECK-NEXT: scf.yield
    CHECK-NOT: %p3[
    CHECK-COUNT-6: vector.load %p0[
    CHECK-NEXT: arith.addf
    CHECK-NOT: %p2[
    CHECK: arith.cmpf ugt
    CHECK: vector.store {{%[0-9]+}}, %p3[
  )"));
}

TEST_P(OfWidth, AMapRunsInVectorsAndItsTailInNumbers) {
  EXPECT_TRUE(check(of(test::exp_layer()).kernel("Exp").text, R"(
    CHECK: scf.for {{%[0-9]+}} = %begin to %end
    CHECK: [[X:%[0-9]+]] = vector.load %p0[{{.*}}, vector<[[V]]xf32>
    CHECK-NEXT: [[Y:%[0-9]+]] = math.exp [[X]] : vector<[[V]]xf32>
    CHECK: vector.store [[Y]], %p1[
    CHECK: [[X:%[0-9]+]] = memref.load %p0[
    CHECK-NEXT: [[Y:%[0-9]+]] = math.exp [[X]] : f32
    CHECK: memref.store [[Y]], %p1[
  )"));
}

TEST_P(OfWidth, ATransposeIsNoStepButAnAccess) {
  const Stages stages = of(test::transposed_layer());
  EXPECT_TRUE(check(stages.graph,
                    "CHECK: [[T:%[0-9]+]] f32 40x6 = Strided(%0) offset 0 strides 1x40\nCHECK-NEXT: Map([[T]], "));
  EXPECT_TRUE(check(stages.steps, "CHECK: {{^}}k0(b0, b1, b2), {{[0-9]+}} units: Mul\nCHECK-NOT: k"));
  EXPECT_TRUE(
      check(stages.kernel("Mul").text, "CHECK: affine_map<(d0, d1) -> (d0 * 1 + d1 * 40)>\nCHECK-NEXT: load %p0["));
}

TEST_P(OfWidth, AReductionAccumulatesAVectorThenItsLanesThenTheRest) {
  EXPECT_TRUE(check(of(test::sum_layer()).kernel("ReduceSum").text, R"(
    CHECK: scf.for {{.*}} -> (vector<[[V]]xf32>)
    CHECK: [[X:%[0-9]+]] = vector.load %p0[{{.*}}, vector<[[V]]xf32>
    CHECK-NEXT: [[SUM:%[0-9]+]] = arith.addf {{%[0-9]+}}, [[X]] : vector<[[V]]xf32>
    CHECK-NEXT: scf.yield [[SUM]]
    CHECK: [[ALL:%[0-9]+]] = vector.reduction <add>, {{.*}} : vector<[[V]]xf32> into f32
    CHECK: scf.for {{.*}} iter_args({{%[0-9]+}} = [[ALL]]) -> (f32)
    CHECK: arith.addf {{.*}} : f32
    CHECK: memref.store {{.*}}, %p1[
  )"));
}

INSTANTIATE_TEST_SUITE_P(Targets, OfWidth, testing::Values("avx512", "avx2"),
                         [](const auto& p) { return std::string(p.param); });

TEST(FeatureLevel, AnotherIsAnErrorThatNamesIt) {
  try {
    (void)feature_level("avx10");
    FAIL();
  } catch (const Unsupported& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("avx10"));
  }
}

}  // namespace
}  // namespace assay::compiler
