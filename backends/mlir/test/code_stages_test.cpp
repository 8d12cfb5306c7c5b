// What each stage from MLIR to machine code prints of small kernels, for either level of instructions: whatever this
// machine has, since nothing runs.
#include <gmock/gmock.h>

#include <mutex>
#include <regex>
#include <sstream>

#include "compiler/code.hpp"
#include "test/stages.hpp"

namespace assay::compiler {
namespace {

using test::file_check;
using test::Layer;

/// One kernel's code on its way.
struct CodeStages {
  std::string mlir, dialect, llvm, assembly;
};

class Compiled : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] CodeStages of(const Layer& layer, const char* op, const char* how = "") const {
    std::map<std::string, std::string> texts;
    const KernelText kernel = test::stages_of(layer, target_).kernel(op, how);
    const auto objects = compile({&kernel, 1}, target_, 1,
                                 [&](const std::string& name, const std::string& text) { texts[name] = text; });
    EXPECT_EQ(objects.size(), 1U);
    return {texts.at("kernels0.mlir"), texts.at("kernels0.llvm.mlir"), texts.at("kernels0.ll"), texts.at("kernels0.s")};
  }
  /// V: floats of a vector; R: what its registers are called.
  [[nodiscard]] testing::AssertionResult check(const std::string& text, const std::string& expected) const {
    return file_check(text, expected, {{"V", std::to_string(target_.vector_floats)}, {"R", wide() ? "%zmm" : "%ymm"}});
  }
  [[nodiscard]] bool wide() const { return target_.vector_floats == 16; }
  Target target_ = feature_level(GetParam());
};

TEST_P(Compiled, OfLLVMsDialectThereIsNothingElseLeft) {
  const CodeStages stages = of(test::direct_layer(), "Conv", "direct");
  EXPECT_TRUE(check(stages.mlir, "CHECK: func.func @k0(\nCHECK: scf.for\nCHECK: math.fma"));
  EXPECT_TRUE(check(stages.dialect, R"(
    CHECK: llvm.func @k0(%arg0: !llvm.ptr {llvm.noalias}, %arg1: !llvm.ptr {llvm.noalias}, %arg2: !llvm.ptr
    CHECK: [[W:%[0-9]+]] = llvm.load {{.*}} : !llvm.ptr -> vector<[[V]]xf32>
    CHECK: [[X:%[0-9]+]] = llvm.load {{.*}} : !llvm.ptr -> f32
    CHECK: [[B:%[0-9]+]] = llvm.shufflevector
    CHECK: llvm.intr.fma([[B]], [[W]], {{%[0-9]+}})
  )"));
  for (const char* dialect : {"scf", "affine", "memref", "vector", "arith", "math", "func", "builtin"}) {
    EXPECT_TRUE(check(stages.dialect, std::string("CHECK-NOT: {{(^|[ =])}}") + dialect + "."));
  }
}

TEST_P(Compiled, LLVMHasOneEntryWithTheKernelInlined) {
  EXPECT_TRUE(check(of(test::direct_layer(), "Conv", "direct").llvm, R"(
    CHECK-NOT: @k0
    CHECK: define void @w0(ptr {{.*}}, i64 {{.*}}, i64 {{.*}}, i64 {{.*}})
    CHECK: = load <[[V]] x float>, ptr {{.*}}!alias.scope {{.*}}!noalias
    CHECK: call <[[V]] x float> @llvm.fma.v[[V]]f32(
    CHECK-NOT: @k0
    CHECK: store <[[V]] x float>
  )"));
}

/// Pixels times vectors that are accumulated at once; how often a text is in another.
struct ExpectedTile {
  std::size_t pixels = 0, vectors = 0;
};
ExpectedTile tile_in(const std::string& schedule) {
  std::smatch m;
  EXPECT_TRUE(std::regex_search(schedule, m, std::regex("([0-9]+) pixels x ([0-9]+) vectors"))) << schedule;
  return m.empty() ? ExpectedTile{} : ExpectedTile{std::stoul(m[1]), std::stoul(m[2])};
}
std::size_t occurrences(const std::string& text, const std::string& of) {
  std::size_t n = 0;
  for (std::size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + of.size())) ++n;
  return n;
}

/// Of the loops in which there is none, the one most of whose instructions are sums of products; what lies between its
/// label and the jump back.
std::string loop_of_sums(const std::string& assembly) {
  std::string best, body, label;
  double most = 0;
  std::istringstream lines(assembly);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".LBB")) {
      label = line.substr(0, line.find(':'));
      body.clear();
    }
    body += line + "\n";
    if (label.empty() || !line.starts_with("\tj") || !line.ends_with("\t" + label)) continue;
    const double share =
        static_cast<double>(occurrences(body, "vfmadd")) / static_cast<double>(occurrences(body, "\n"));
    if (share > most) best = body;
    most = std::max(most, share);
  }
  return best;
}

TEST_P(Compiled, TheInnerLoopOfAConvolutionIsItsMultiplyAddsAndNoSumIsEverInMemory) {
  const Layer narrow = test::conv_relu({1, 32, 8, 8}, {target_.vector_floats, 32, 3, 3}, 1, 1, Math::kStrict);
  for (const auto& [layer, how] :
       {std::pair(test::direct_layer(), "direct"), std::pair(narrow, "direct"),
        std::pair(test::pointwise_layer(), "product"), std::pair(test::winograd_layer(), "Winograd")}) {
    const test::Stages stages = test::stages_of(layer, target_);
    const std::string& schedule = stages.step("Conv", how).schedule;
    const ExpectedTile tile = tile_in(schedule);
    const std::string assembly = of(layer, "Conv", how).assembly, loop = loop_of_sums(assembly);
    SCOPED_TRACE(schedule + "\n" + loop);
    const std::size_t adds = occurrences(loop, "vfmadd"), channels = adds / (tile.pixels * tile.vectors);
    EXPECT_EQ(adds, channels * tile.pixels * tile.vectors);
    EXPECT_GE(channels, 1U);
    // With AVX-512 a number that only one multiply-add takes is broadcast by that.
    const bool within = wide() && tile.vectors == 1;
    EXPECT_EQ(occurrences(loop, "vbroadcastss"), within ? 0 : channels * tile.pixels);
    EXPECT_EQ(occurrences(loop, "){1to16}, "), within ? adds : 0);
    EXPECT_TRUE(
        check(loop, "CHECK: vfmadd{{[123]+}}ps {{.*}}, [[R]]{{[0-9]+}}{{$}}\nCHECK-NOT: [[R]]{{[0-9]+}}, {{.*}}("));
    EXPECT_TRUE(check(assembly, wide() ? "CHECK-NOT: %ymm" : "CHECK-NOT: %zmm"));
  }
}

TEST_P(Compiled, ADepthwiseConvolutionBroadcastsNothing) {
  EXPECT_TRUE(check(of(test::depthwise_layer(), "Conv", "depthwise").assembly, R"(
    CHECK-NOT: {1to
    CHECK: vfmadd231ps {{.*}}), [[R]]{{[0-9]+}}, [[R]]
    CHECK-NOT: {1to
  )"));
}

TEST_P(Compiled, AnExponentialIsAPolynomialAndNoCall) {
  const CodeStages stages = of(test::exp_layer(), "Exp");
  EXPECT_TRUE(check(stages.llvm, "CHECK: call {{.*}}<[[V]] x float> @llvm.fma.v[[V]]f32(\nCHECK-NOT: @exp"));
  EXPECT_TRUE(check(stages.assembly, "CHECK: vfmadd{{[0-9]+}}ps {{.*}}[[R]]\nCHECK-NOT: call"));
}

TEST_P(Compiled, ASumIsOfVectors) {
  EXPECT_TRUE(check(of(test::sum_layer(), "ReduceSum").assembly, R"(
    CHECK: vaddps {{.*}}), [[R]]{{[0-9]+}}, [[R]]
    CHECK: vaddss
    CHECK: vmovss %xmm{{[0-9]+}}, (
  )"));
}

/// By bands: an expansion, then the depthwise convolution that takes it; both sum in registers, with scratch memory
/// between.
TEST_P(Compiled, BandsBroadcastForTheExpansionAndNotForTheDepthwise) {
  const Layer layer = test::layer_of({1, 16, 112, 112}, [](test::TestModel& m) {
    m.weights("w", {96, 16, 1, 1}).weights("v", {96, 1, 3, 3});
    m.node("Conv", {"x", "w"}, {"c"}).node("Conv", {"c", "v"}, {"y"}, {{"group", std::int64_t{96}}});
  });
  const CodeStages stages = of(layer, "Conv", "bands");
  EXPECT_TRUE(check(stages.mlir, R"(
    CHECK: vector.broadcast
    CHECK: math.fma
    CHECK: vector.store {{.*}}, %p0[
    CHECK: vector.load %p0[
    CHECK: math.fma
  )"));
  EXPECT_TRUE(check(stages.assembly, R"(
    CHECK: vfmadd{{[123]+}}ps {{.*}}[[R]]
    CHECK: vfmadd{{[123]+}}ps {{.*}}), [[R]]{{[0-9]+}}, [[R]]
    CHECK-NOT: call
  )"));
}

TEST_P(Compiled, AMaximumPoolIsOfVectors) {
  const Layer layer = test::layer_of({1, 32, 9, 9}, [](test::TestModel& m) {
    m.weights("w", {32, 32, 1, 1}).node("Conv", {"x", "w"}, {"c"});
    m.node("MaxPool", {"c"}, {"y"}, {{"kernel_shape", Shape{3, 3}}, {"strides", Shape{2, 2}}});
  });
  const CodeStages stages = of(layer, "MaxPool");
  EXPECT_TRUE(check(stages.mlir, "CHECK: vector<[[V]]xf32>"));
  EXPECT_TRUE(check(stages.assembly, "CHECK: {{v(max|cmp)[a-z_]*ps}} {{.*}}[[R]]\nCHECK-NOT: call"));
}

/// Over plain layout a row of pixels is a vector, where they lie side by side; multiplied, then added.
TEST_P(Compiled, AGeneralConvolutionIsOfVectorsOfPixels) {
  const Layer layer =
      test::layer_of({1, 3, 80}, [](test::TestModel& m) { m.weights("w", {4, 3, 5}).node("Conv", {"x", "w"}, {"y"}); });
  const CodeStages stages = of(layer, "Conv", "general");
  EXPECT_TRUE(
      check(stages.mlir, "CHECK: vector.load {{.*}}vector<[[V]]xf32>\nCHECK: vector.store {{.*}}vector<[[V]]xf32>"));
  EXPECT_TRUE(check(stages.assembly, "CHECK: {{v(mul|fmadd[0-9]+)ps}} {{.*}}[[R]]\nCHECK-NOT: call {{.*}}@PLT"));
}

/// Zeros around an image in blocks: whole vectors, and nothing is read.
TEST_P(Compiled, ABorderIsStoredInVectors) {
  const test::Stages stages = test::stages_of(test::direct_layer(), target_);
  const KernelText& border = stages.plan.kernels.at(0);
  EXPECT_TRUE(check(border.text, R"(
    CHECK-NOT: load
    CHECK: vector.store {{.*}}, %p0[{{.*}}vector<[[V]]xf32>
    CHECK-NOT: load
  )"));
  EXPECT_EQ(compile({&border, 1}, target_, 1).size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Targets, Compiled, testing::Values("avx512", "avx2"),
                         [](const auto& p) { return std::string(p.param); });

TEST(CompiledByThreads, EachTellsOfItsKernels) {
  const Target target = feature_level("avx2");
  const Plan plan = test::stages_of(test::direct_layer(), target).plan;
  ASSERT_EQ(plan.kernels.size(), 4U);
  std::mutex mutex;
  std::vector<std::string> names;
  const auto objects = compile(plan.kernels, target, 2, [&](const std::string& name, const std::string&) {
    const std::lock_guard lock(mutex);
    names.push_back(name);
  });
  EXPECT_EQ(objects.size(), 2U);
  EXPECT_THAT(names, testing::UnorderedElementsAre("kernels0.mlir", "kernels0.llvm.mlir", "kernels0.ll", "kernels0.s",
                                                   "kernels2.mlir", "kernels2.llvm.mlir", "kernels2.ll", "kernels2.s"));
  EXPECT_EQ(compile(plan.kernels, target, 2), objects);  // what is told changes nothing
}

}  // namespace
}  // namespace assay::compiler
