// Options and precisions, by tables.
#include "options.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <set>

#include "precision.hpp"

namespace assay::tensorrt {
namespace {

using testing::HasSubstr;

kit::OpenRequest asked(std::map<std::string, std::string> options) {
  kit::OpenRequest request;
  request.options = std::move(options);
  return request;
}

TEST(OptionTable, IsWhatTheHostCanCheck) {
  std::set<std::string> names;
  for (const assay_option& option : option_table()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_NE(std::string(option.meaning), "") << option.name;
    EXPECT_EQ(option.type == ASSAY_OPTION_CHOICE, option.choices != nullptr) << option.name;
    if (option.type == ASSAY_OPTION_INT) {
      EXPECT_LE(option.minimum, option.maximum) << option.name;
    }
  }
}

TEST(OptionTable, MarksWhatTheEngineIsBuiltWith) {
  const std::set<std::string> others = {"timing_cache", "cuda_graph"};
  for (const assay_option& option : option_table()) {
    EXPECT_EQ((option.flags & ASSAY_OPTION_SHAPES_GRAPH) != 0, !others.contains(option.name)) << option.name;
  }
}

TEST(Options, HaveTheTablesDefaults) {
  std::map<std::string, std::string> defaults;
  for (const assay_option& option : option_table()) defaults[option.name] = option.default_value;
  for (const Settings& s : {read_settings(asked({})), read_settings(asked(defaults))}) {
    EXPECT_FALSE(s.workspace_bytes.has_value());
    EXPECT_EQ(s.optimization_level, 3);
    EXPECT_FALSE(s.tf32);
    EXPECT_EQ(s.timing_cache, "");
    EXPECT_FALSE(s.cuda_graph);
    EXPECT_EQ(s.verbosity, Verbosity::kNames);
    EXPECT_FALSE(s.dynamic_batch);
    EXPECT_EQ(s.typical_size, 1);
    EXPECT_FALSE(s.largest_size.has_value());
    EXPECT_FALSE(s.aux_streams.has_value());
  }
}

TEST(Options, AreReadAsTheyAreSet) {
  struct Row {
    const char *name, *value;
    std::function<bool(const Settings&)> holds;
  };
  const Row rows[] = {
      {"workspace_mb", "512", [](const Settings& s) { return s.workspace_bytes == std::uint64_t{512} << 20U; }},
      {"optimization_level", "5", [](const Settings& s) { return s.optimization_level == 5; }},
      {"tf32", "true", [](const Settings& s) { return s.tf32; }},
      {"timing_cache", "/x/t", [](const Settings& s) { return s.timing_cache == "/x/t"; }},
      {"cuda_graph", "true", [](const Settings& s) { return s.cuda_graph; }},
      {"profiling_verbosity", "none", [](const Settings& s) { return s.verbosity == Verbosity::kNone; }},
      {"profiling_verbosity", "detailed", [](const Settings& s) { return s.verbosity == Verbosity::kDetailed; }},
      {"dynamic_batch", "true", [](const Settings& s) { return s.dynamic_batch; }},
      {"typical_size", "16", [](const Settings& s) { return s.typical_size == 16; }},
      {"largest_size", "256", [](const Settings& s) { return s.largest_size == 256; }},
      {"aux_streams", "0", [](const Settings& s) { return s.aux_streams == 0; }},
  };
  for (const Row& row : rows) {
    EXPECT_TRUE(row.holds(read_settings(asked({{row.name, row.value}})))) << row.name << "=" << row.value;
  }
}

TEST(Options, OfAProfileAreDetailedAndExcludeAGraph) {
  kit::OpenRequest request = asked({});
  request.profile = true;
  EXPECT_EQ(read_settings(request).verbosity, Verbosity::kDetailed);
  request.options["profiling_verbosity"] = "names";
  EXPECT_EQ(read_settings(request).verbosity, Verbosity::kNames);
  request.options["cuda_graph"] = "true";
  try {
    (void)read_settings(request);
    ADD_FAILURE() << "accepted";
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_INVALID_ARGUMENT);
    EXPECT_THAT(e.what(), HasSubstr("cuda_graph"));
  }
}

TEST(Slots, AreAsManyAsStepsUnlessAsked) {
  kit::OpenRequest request;
  EXPECT_EQ(useful_slots(request), 3);
  request.goal = ASSAY_GOAL_LATENCY;
  EXPECT_EQ(useful_slots(request), 1);
  request.in_flight = 7;
  EXPECT_EQ(useful_slots(request), 7);
}

TEST(Precision, IsOfMostTensors) {
  struct Row {
    TypeCounts counts;
    const char* precision;
  };
  const Row rows[] = {
      {{}, "f32"},           {{9, 0, 0, 0}, "f32"},  {{2, 9, 0, 0}, "f16"},
      {{9, 2, 0, 0}, "f32"}, {{2, 0, 9, 0}, "bf16"}, {{9, 0, 0, 1}, "int8"},
  };
  for (const Row& row : rows) EXPECT_EQ(precision_of(row.counts), row.precision);
}

TEST(Precision, IsTheModelsOrSkipped) {
  constexpr int kTuring = 7, kHopper = 9;
  struct Row {
    assay_precision asked;
    const char* model;
    int major;
    const char* says;  // "": it runs
  };
  const Row rows[] = {
      {ASSAY_PRECISION_F32, "f32", kTuring, ""},
      {ASSAY_PRECISION_F32, "f16", kTuring, ""},
      {ASSAY_PRECISION_F32, "int8", kTuring, ""},
      {ASSAY_PRECISION_F16, "f16", kTuring, ""},
      {ASSAY_PRECISION_BF16, "bf16", kHopper, ""},
      {ASSAY_PRECISION_INT8, "int8", kTuring, ""},
      {ASSAY_PRECISION_F16, "f32", kHopper, "convert the model to f16"},
      {ASSAY_PRECISION_BF16, "f32", kHopper, "convert the model to bf16"},
      {ASSAY_PRECISION_INT8, "f32", kHopper, "QuantizeLinear"},
      {ASSAY_PRECISION_F16, "int8", kHopper, "here int8"},
      {ASSAY_PRECISION_BF16, "bf16", kTuring, "compute capability 8.0"},
  };
  for (const Row& row : rows) {
    std::string said;
    try {
      check_precision(row.asked, row.model, row.major);
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_UNSUPPORTED);
      said = e.what();
    }
    EXPECT_EQ(said.empty(), *row.says == '\0') << row.model << ": " << said;
    EXPECT_THAT(said, HasSubstr(row.says));
  }
}

}  // namespace
}  // namespace assay::tensorrt
