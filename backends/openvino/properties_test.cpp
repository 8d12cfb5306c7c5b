#include "properties.hpp"

#include <gmock/gmock.h>

#include <set>

namespace assay::openvino {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

kit::OpenRequest request() {
  kit::OpenRequest r;
  r.threads = 3;
  return r;
}

TEST(Properties, ForThroughputAndLatencyUseOpenVinosHints) {
  kit::OpenRequest r = request();
  r.goal = ASSAY_GOAL_THROUGHPUT;
  EXPECT_THAT(compile_properties(r), Contains(Pair("PERFORMANCE_HINT", "THROUGHPUT")));
  r.goal = ASSAY_GOAL_LATENCY;
  EXPECT_THAT(compile_properties(r), Contains(Pair("PERFORMANCE_HINT", "LATENCY")));
  r.options["performance_hint"] = "throughput";
  EXPECT_THAT(compile_properties(r), Contains(Pair("PERFORMANCE_HINT", "THROUGHPUT")));
}

TEST(Properties, PrecisionIsNeverLeftToOpenVino) {
  kit::OpenRequest r = request();
  EXPECT_THAT(compile_properties(r), Contains(Pair("INFERENCE_PRECISION_HINT", "f32")));
  r.precision = ASSAY_PRECISION_BF16;
  EXPECT_THAT(compile_properties(r), Contains(Pair("INFERENCE_PRECISION_HINT", "bf16")));
  r.precision = ASSAY_PRECISION_F16;
  EXPECT_THAT(compile_properties(r), Contains(Pair("INFERENCE_PRECISION_HINT", "f16")));
  r.precision = ASSAY_PRECISION_INT8;
  EXPECT_THAT(compile_properties(r), Contains(Pair("INFERENCE_PRECISION_HINT", "f32")));
}

TEST(Properties, CommonSettingsAndOptionsArePassedOn) {
  kit::OpenRequest r = request();
  r.in_flight = 4;
  r.profile = true;
  r.options = {
      {"streams", "2"},          {"pinning", "false"},           {"hyper_threading", "true"},  {"cores", "efficiency"},
      {"partitioner", "static"}, {"execution_mode", "accuracy"}, {"denormals_as_zero", "true"}};
  EXPECT_THAT(
      compile_properties(r),
      testing::UnorderedElementsAre(Pair("PERFORMANCE_HINT", "THROUGHPUT"), Pair("INFERENCE_PRECISION_HINT", "f32"),
                                    Pair("INFERENCE_NUM_THREADS", "3"), Pair("NUM_STREAMS", "2"),
                                    Pair("PERFORMANCE_HINT_NUM_REQUESTS", "4"), Pair("ENABLE_CPU_PINNING", "NO"),
                                    Pair("ENABLE_HYPER_THREADING", "YES"), Pair("CPU_DENORMALS_OPTIMIZATION", "YES"),
                                    Pair("SCHEDULING_CORE_TYPE", "ECORE_ONLY"), Pair("TBB_PARTITIONER", "STATIC"),
                                    Pair("EXECUTION_MODE_HINT", "ACCURACY"),
                                    Pair("DYNAMIC_QUANTIZATION_GROUP_SIZE", "0"), Pair("PERF_COUNT", "YES")));
  r.options["requests"] = "6";
  EXPECT_THAT(compile_properties(r), Contains(Pair("PERFORMANCE_HINT_NUM_REQUESTS", "6")));
}

TEST(Properties, AutoIsLeftToOpenVino) {
  kit::OpenRequest r = request();
  for (const char* option : {"streams", "requests", "pinning", "hyper_threading", "partitioner", "denormals_as_zero"}) {
    r.options[option] = "auto";
  }
  EXPECT_EQ(compile_properties(r), compile_properties(request()));
  for (const char* key : {"NUM_STREAMS", "ENABLE_CPU_PINNING", "PERFORMANCE_HINT_NUM_REQUESTS"}) {
    EXPECT_THAT(compile_properties(r), Not(Contains(Pair(key, testing::_))));
  }
}

TEST(Properties, EachOptionIsDescribedOnce) {
  std::set<std::string> names;
  for (const assay_option& option : option_table()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_GT(std::string(option.meaning).size(), 20U) << option.name;
    EXPECT_EQ(option.type == ASSAY_OPTION_CHOICE, option.choices != nullptr) << option.name;
    if (option.type == ASSAY_OPTION_INT) {
      EXPECT_LT(option.minimum, option.maximum) << option.name;
    }
  }
}

void expect_refused(assay_precision precision, const cpu_features::CpuFeatures& cpu, const char* reason) {
  try {
    check_precision(precision, cpu, false);
    FAIL() << "accepted precision " << precision;
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_UNSUPPORTED);
    EXPECT_THAT(e.what(), HasSubstr(reason));
  }
}

TEST(Properties, PrecisionsTheProcessorLacksAreRefusedWithTheReason) {
  cpu_features::CpuFeatures cpu;
  cpu.brand = "Old CPU";
  cpu.avx512f = cpu.avx512_core = true;
  EXPECT_NO_THROW(check_precision(ASSAY_PRECISION_F32, cpu, false));
  expect_refused(ASSAY_PRECISION_BF16, cpu, "Old CPU (avx512f avx512_core) has neither");
  expect_refused(ASSAY_PRECISION_F16, cpu, "avx512_fp16");
  expect_refused(ASSAY_PRECISION_INT8, cpu, "QuantizeLinear");
  EXPECT_NO_THROW(check_precision(ASSAY_PRECISION_INT8, cpu, true));
  cpu.amx_bf16 = true;
  EXPECT_NO_THROW(check_precision(ASSAY_PRECISION_BF16, cpu, false));
  cpu.avx512_fp16 = true;
  EXPECT_NO_THROW(check_precision(ASSAY_PRECISION_F16, cpu, false));
}

}  // namespace
}  // namespace assay::openvino
