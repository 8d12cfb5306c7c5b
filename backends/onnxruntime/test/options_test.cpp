#include "ort_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace assay::ort {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

kit::OpenRequest request(int threads, std::map<std::string, std::string> options = {}) {
  kit::OpenRequest r;
  r.threads = threads;
  r.options = std::move(options);
  return r;
}

std::string refusal(const kit::OpenRequest& r) {
  try {
    resolve_setup(r, 4);
  } catch (const kit::Failure& failure) {
    EXPECT_EQ(failure.code(), ASSAY_INVALID_ARGUMENT);
    return failure.what();
  }
  return "(accepted)";
}

TEST(Options, HaveNamesMeaningsAndDefaultsOfTheirType) {
  std::set<std::string> names;
  for (const assay_option& option : option_table()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name << " is there twice";
    EXPECT_STRNE(option.meaning, "");
    if (option.type == ASSAY_OPTION_INT) {
      EXPECT_LE(option.minimum, option.maximum) << option.name;
    }
    if (option.type != ASSAY_OPTION_CHOICE) continue;
    bool found = false;
    for (const char* const* c = option.choices; *c != nullptr; ++c) found |= std::string(*c) == option.default_value;
    EXPECT_TRUE(found) << option.name;
  }
}

TEST(Options, OnlyWhatChangesTheGraphIsPartOfTheCachesKey) {
  std::set<std::string> shaping;
  for (const assay_option& option : option_table()) {
    if ((option.flags & ASSAY_OPTION_SHAPES_GRAPH) != 0) shaping.insert(option.name);
  }
  EXPECT_EQ(shaping, (std::set<std::string>{"graph_optimization_level", "disabled_optimizers", "prefer_nhwc"}));
}

TEST(Setup, ThreadsAreTheTotalHoweverManyStreams) {
  for (int threads = 1; threads <= 8; ++threads) {
    for (int streams = 1; streams <= threads; ++streams) {
      const auto s = resolve_setup(request(threads, {{"streams", std::to_string(streams)}}), 4);
      EXPECT_EQ(s.streams + s.intra_op_threads - 1, threads);
    }
  }
}

TEST(Setup, NoNumberOfThreadsMeansAllCpus) {
  EXPECT_EQ(resolve_setup(request(0, {{"streams", "1"}}), 4).intra_op_threads, 4);
}

TEST(Setup, ParallelModeSharesTheThreads) {
  const auto s = resolve_setup(request(4, {{"execution_mode", "parallel"}}), 4);
  EXPECT_EQ(s.mode, ExecutionMode::kParallel);
  EXPECT_EQ(s.inter_op_threads, 2);
  EXPECT_EQ(s.streams + (s.intra_op_threads - 1) + (s.inter_op_threads - 1), 4);
  EXPECT_FALSE(s.memory_pattern);
}

TEST(Setup, LatencyUsesOneStreamAndSpins) {
  kit::OpenRequest r = request(4);
  r.goal = ASSAY_GOAL_LATENCY;
  r.in_flight = 3;
  const auto s = resolve_setup(r, 4);
  EXPECT_EQ(s.streams, 1);
  EXPECT_EQ(s.intra_op_threads, 4);
  EXPECT_TRUE(s.spinning);
}

TEST(Setup, ThroughputUsesSideBySideBatchesAsFarAsAskedFor) {
  EXPECT_EQ(resolve_setup(request(2), 8).streams, 2);
  EXPECT_EQ(resolve_setup(request(16), 8).streams, 4);
  kit::OpenRequest r = request(16);
  r.in_flight = 1;
  EXPECT_EQ(resolve_setup(r, 8).streams, 1);
  r.in_flight = 100;
  EXPECT_EQ(resolve_setup(r, 8).streams, 16);
}

TEST(Setup, SeveralStreamsDoNotSpin) {
  EXPECT_FALSE(resolve_setup(request(4, {{"streams", "2"}}), 4).spinning);
  EXPECT_TRUE(resolve_setup(request(4, {{"streams", "2"}, {"spinning", "true"}}), 4).spinning);
}

TEST(Setup, LevelsAreTheLibrarysNumbers) {
  const auto level = [](const char* name) {
    return static_cast<int>(resolve_setup(request(1, {{"graph_optimization_level", name}}), 1).level);
  };
  EXPECT_EQ(level("disabled"), 0);
  EXPECT_EQ(level("basic"), 1);
  EXPECT_EQ(level("extended"), 2);
  EXPECT_EQ(level("layout"), 3);
  EXPECT_EQ(level("all"), 99);
  EXPECT_EQ(to_string(resolve_setup(request(1), 1).level), "all");
}

TEST(Setup, ContradictionsAreRefused) {
  EXPECT_THAT(refusal(request(2, {{"streams", "3"}})), HasSubstr("streams is 3"));
  EXPECT_THAT(refusal(request(2, {{"arena", "false"}, {"arena_shrink", "true"}})), HasSubstr("arena_shrink"));
}

TEST(Setup, AnAffinityNamesEveryThreadOfThePool) {
  for (const char* good : {"2;3", "1,2;3-4", "10;11"}) {
    EXPECT_EQ(refusal(request(3, {{"affinity", good}, {"streams", "1"}})), "(accepted)") << good;
  }
  for (const char* bad : {"2", "2;3;4", "a;b", ";", "2;", ";3", "1-;2", "1,;2", " 1;2"}) {
    EXPECT_THAT(refusal(request(3, {{"affinity", bad}, {"streams", "1"}})), HasSubstr("affinity is")) << bad;
  }
}

TEST(Setup, SettingsBecomeTheLibrarysEntries) {
  ort::Setup s;
  s.spinning = false;
  s.affinity = "2";
  s.disabled_optimizers = "ConvAddFusion";
  s.prepacking = false;
  const auto entries = config_entries(s);
  EXPECT_THAT(entries, Contains(Pair("session.intra_op.allow_spinning", "0")));
  EXPECT_THAT(entries, Contains(Pair("session.intra_op_thread_affinities", "2")));
  EXPECT_THAT(entries, Contains(Pair("optimization.disable_specified_optimizers", "ConvAddFusion")));
  EXPECT_THAT(entries, Contains(Pair("session.disable_prepacking", "1")));
}

TEST(Setup, WhoElseUsesTheCoresSaysHowLongThePoolSpins) {
  const auto spins = [](bool shared, bool in_turn) {
    kit::OpenRequest r = request(4);
    r.goal = ASSAY_GOAL_LATENCY;
    r.shared_cores = shared;
    r.cores_in_turn = in_turn;
    return config_entries(resolve_setup(r, 4));
  };
  const auto stops = Contains(Pair("session.force_spinning_stop", "1"));
  EXPECT_THAT(spins(false, false), AllOf(Contains(Pair("session.intra_op.allow_spinning", "1")), Not(stops)));
  EXPECT_THAT(spins(true, false), AllOf(Contains(Pair("session.intra_op.allow_spinning", "0")), Not(stops)));
  EXPECT_THAT(spins(false, true), AllOf(Contains(Pair("session.intra_op.allow_spinning", "1")), stops));
}

kit::OpenRequest on_gpu(std::map<std::string, std::string> options = {}) {
  kit::OpenRequest r = request(8, std::move(options));
  r.device = "gpu:0";
  return r;
}

TEST(Setup, OnAGpuBatchesComputeInOneStreamAndThreadsSleep) {
  const auto s = resolve_setup(on_gpu(), 8);
  EXPECT_EQ(s.streams, 1);
  EXPECT_FALSE(s.spinning);
  EXPECT_FALSE(s.cuda.tf32) << "f32 is f32 unless it is asked otherwise";
  EXPECT_FALSE(s.cuda.graph);
}

TEST(Setup, WhatMeansNothingOnTheDeviceIsUnsupported) {
  const auto reason = [](const kit::OpenRequest& r) -> std::string {
    try {
      resolve_setup(r, 4);
    } catch (const kit::Failure& failure) {
      EXPECT_EQ(failure.code(), ASSAY_UNSUPPORTED);
      return failure.what();
    }
    return "(accepted)";
  };
  kit::OpenRequest on_cpu = request(4, {{"use_tf32", "true"}});
  on_cpu.device = "cpu";
  EXPECT_THAT(reason(on_cpu), HasSubstr("use_tf32 is true, but it is for GPUs alone, and the device is cpu"));
  for (const assay_option& option : option_table()) {  // a default does what it did
    on_cpu.options = {{option.name, option.default_value}};
    EXPECT_EQ(reason(on_cpu), "(accepted)") << option.name;
    EXPECT_EQ(reason(on_gpu({{option.name, option.default_value}})), "(accepted)") << option.name;
  }
  EXPECT_THAT(reason(on_gpu({{"streams", "2"}})), HasSubstr("one stream"));
  EXPECT_THAT(reason(on_gpu({{"execution_mode", "parallel"}})), HasSubstr("CUDA's provider runs operators one by one"));
  EXPECT_EQ(reason(on_gpu({{"streams", "1"}, {"execution_mode", "sequential"}})), "(accepted)");
}

TEST(Setup, AGraphKeepsItsMemory) {
  EXPECT_THAT(refusal(on_gpu({{"enable_cuda_graph", "true"}, {"arena_shrink", "true"}})), HasSubstr("leave one out"));
}

TEST(CudaOptions, AreTheLibrarysOwn) {
  using ::testing::IsSupersetOf;
  using ::testing::Not;
  const auto options_of = [](std::map<std::string, std::string> options) {
    return cuda_provider_options(resolve_setup(on_gpu(std::move(options)), 8).cuda, 3);
  };
  EXPECT_THAT(options_of({}),
              IsSupersetOf({Pair("device_id", "3"), Pair("use_tf32", "0"), Pair("enable_cuda_graph", "0"),
                            Pair("cudnn_conv_algo_search", "EXHAUSTIVE"), Pair("prefer_nhwc", "0"),
                            Pair("cudnn_conv_use_max_workspace", "1"), Pair("do_copy_in_default_stream", "1"),
                            Pair("arena_extend_strategy", "kNextPowerOfTwo")}));
  EXPECT_THAT(options_of({}), Not(Contains(Pair("gpu_mem_limit", ::testing::_)))) << "no limit";
  EXPECT_THAT(options_of({{"use_tf32", "true"},
                          {"enable_cuda_graph", "true"},
                          {"cudnn_conv_algo_search", "heuristic"},
                          {"prefer_nhwc", "true"},
                          {"cudnn_conv_use_max_workspace", "false"},
                          {"do_copy_in_default_stream", "false"},
                          {"arena_extend_strategy", "same_as_requested"},
                          {"gpu_mem_limit_mb", "4096"}}),
              IsSupersetOf({Pair("use_tf32", "1"), Pair("enable_cuda_graph", "1"), Pair("prefer_nhwc", "1"),
                            Pair("cudnn_conv_algo_search", "HEURISTIC"), Pair("cudnn_conv_use_max_workspace", "0"),
                            Pair("do_copy_in_default_stream", "0"), Pair("arena_extend_strategy", "kSameAsRequested"),
                            Pair("gpu_mem_limit", "4294967296")}));
}

TEST(CudaOptions, AreReadBackFromTheLibrarysText) {
  EXPECT_THAT(parse_provider_options("device_id=0;use_tf32=1;gpu_mem_limit=17"),
              ::testing::ElementsAre(Pair("device_id", "0"), Pair("gpu_mem_limit", "17"), Pair("use_tf32", "1")));
  EXPECT_TRUE(parse_provider_options("").empty());
  EXPECT_TRUE(parse_provider_options("nonsense;;").empty());
}

TEST(Precision, OnlyTheModelsOwn) {
  EXPECT_FALSE(converts_to_float16(ASSAY_PRECISION_F32, "cpu", "int8"));
  EXPECT_FALSE(converts_to_float16(ASSAY_PRECISION_F32, "gpu:0", "f32"));
  for (const assay_precision p : {ASSAY_PRECISION_BF16, ASSAY_PRECISION_F16, ASSAY_PRECISION_INT8}) {
    try {
      converts_to_float16(p, "cpu", "f32");
      ADD_FAILURE() << p;
    } catch (const kit::Failure& failure) {
      EXPECT_EQ(failure.code(), ASSAY_UNSUPPORTED);
    }
  }
}

TEST(Precision, OnAGpuFloat16IsTheModelsOwnOrAConversion) {
  EXPECT_TRUE(converts_to_float16(ASSAY_PRECISION_F16, "gpu:0", "f32"));
  EXPECT_FALSE(converts_to_float16(ASSAY_PRECISION_F16, "gpu:0", "f16"));
  EXPECT_THROW(converts_to_float16(ASSAY_PRECISION_F16, "gpu:0", "int8"), kit::Failure);
  EXPECT_THROW(converts_to_float16(ASSAY_PRECISION_BF16, "gpu:0", "f32"), kit::Failure);
}

}  // namespace
}  // namespace assay::ort
