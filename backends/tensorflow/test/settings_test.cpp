#include "settings.hpp"

#include <gmock/gmock.h>

#include <set>

#include "wire.hpp"

namespace assay::tensorflow {
namespace {

using testing::HasSubstr;

cpu_features::CpuFeatures with_bf16() {
  cpu_features::CpuFeatures cpu;
  cpu.avx512_bf16 = true;
  return cpu;
}

kit::OpenRequest request(std::map<std::string, std::string> options = {}) {
  kit::OpenRequest r;
  r.threads = 4;
  r.options = std::move(options);
  return r;
}

/// The integer at a path of field numbers; -99 where there is none.
std::int64_t at(std::string_view message, std::initializer_list<int> path) {
  const std::vector<int> fields(path);
  for (std::size_t depth = 0; depth < fields.size(); ++depth) {
    MessageReader reader(message);
    bool found = false;
    while (!found && reader.next()) found = reader.field() == fields[depth];
    if (!found) return -99;
    if (depth + 1 == fields.size()) return reader.integer();
    message = reader.bytes();
  }
  return -99;
}

TEST(Settings, TheGoalDecidesHowManyBatchesRunSideBySide) {
  kit::OpenRequest r = request();
  EXPECT_EQ(settings_of(r, {}).streams, 2);
  EXPECT_EQ(settings_of(r, {}).inter_op_threads, 2);
  EXPECT_EQ(settings_of(r, {}).intra_op_threads, 4);
  r.goal = ASSAY_GOAL_LATENCY;
  EXPECT_EQ(settings_of(r, {}).streams, 1);
  r.options = {{"streams", "3"}, {"inter_op_threads", "5"}, {"intra_op_threads", "7"}};
  EXPECT_EQ(settings_of(r, {}).streams, 3);
  EXPECT_EQ(settings_of(r, {}).inter_op_threads, 5);
  EXPECT_EQ(settings_of(r, {}).intra_op_threads, 7);
}

TEST(Settings, OperationsAreFusedWhereXlaDoesNotCompile) {
  EXPECT_FALSE(settings_of(request({{"xla", "true"}}), {}).remapper);
  EXPECT_TRUE(settings_of(request({{"xla", "false"}}), {}).remapper);
  EXPECT_TRUE(settings_of(request({{"xla", "true"}, {"remapper", "true"}}), {}).remapper);
  EXPECT_FALSE(settings_of(request({{"xla", "false"}, {"remapper", "false"}}), {}).remapper);
}

TEST(Settings, BecomeTheFieldsOfConfigProto) {
  Settings s;
  s.xla = true;
  s.intra_op_threads = 2;
  s.inter_op_threads = 3;
  const std::string config = config_proto(s);
  EXPECT_EQ(at(config, {2}), 2);
  EXPECT_EQ(at(config, {5}), 3);
  EXPECT_EQ(at(config, {9}), 1);
  EXPECT_EQ(at(config, {10, 3, 5}), 2);      // global_jit_level: ON_2
  EXPECT_EQ(at(config, {10, 3, 7}), 1);      // cpu_global_jit
  EXPECT_EQ(at(config, {10, 10, 14}), 1);    // remapping: ON
  EXPECT_EQ(at(config, {10, 10, 3}), 1);     // constant_folding: ON
  EXPECT_EQ(at(config, {10, 10, 50}), 0);    // cpu_layout_conversion: none
  EXPECT_EQ(at(config, {10, 10, 19}), -99);  // disable_meta_optimizer
  EXPECT_EQ(at(config, {10, 10, 31}), -99);  // auto_mixed_precision_onednn_bfloat16
}

TEST(Settings, FewPassesAreThoseThatATranslatedGraphNeedsOnce) {
  Settings s;
  EXPECT_EQ(at(config_proto(s), {10, 10, 12}), -99);  // meta_optimizer_iterations
  s.few_passes = true;
  const std::string config = config_proto(s);
  EXPECT_EQ(at(config, {10, 10, 12}), 1);
  for (const int pass : {1, 7, 8, 9, 10, 13, 22, 24}) EXPECT_EQ(at(config, {10, 10, pass}), 2) << pass;
  EXPECT_EQ(at(config, {10, 10, 14}), 1);  // remapping stays
  EXPECT_EQ(at(config, {10, 10, 3}), 1);   // and constant folding
  EXPECT_TRUE(settings_of(request({}), {}).few_passes);
  EXPECT_FALSE(settings_of(request({{"passes", "all"}}), {}).few_passes);
}

TEST(Settings, ChannelsFirstAreRefusedWhereNothingComputesThem) {
  const auto refused = [](std::map<std::string, std::string> options) {
    options["onednn"] = options.contains("onednn") ? options["onednn"] : "false";
    try {
      check_layout(settings_of(request(std::move(options)), {}));
    } catch (const kit::Failure& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(refused({{"layout", "channels_first"}}), HasSubstr("tensorflow.onednn=true"));
  EXPECT_NE(refused({{"layout_conversion", "to_channels_first"}}), "");
  EXPECT_EQ(refused({{"layout", "channels_first"}, {"onednn", "true"}}), "");
  EXPECT_NE(refused({{"layout", "channels_first"}, {"xla", "true"}}), "");  // it may compile nothing of a small graph
  EXPECT_EQ(refused({{"layout", "channels_first"}, {"layout_conversion", "to_channels_last"}}), "");
  EXPECT_NE(refused({{"layout", "channels_first"}, {"layout_conversion", "to_channels_last"}, {"grappler", "false"}}),
            "");
  EXPECT_EQ(refused({}), "");
}

TEST(Settings, EachSwitchIsAFieldOfItsOwn) {
  Settings s;
  s.xla = s.remapper = s.constant_folding = s.grappler = false;
  s.bf16 = true;
  s.conversion = LayoutConversion::kToChannelsLast;
  const std::string config = config_proto(s);
  EXPECT_EQ(at(config, {10, 3, 5}), -1);
  EXPECT_EQ(at(config, {10, 3, 7}), 0);
  EXPECT_EQ(at(config, {10, 10, 14}), 2);
  EXPECT_EQ(at(config, {10, 10, 3}), 2);
  EXPECT_EQ(at(config, {10, 10, 19}), 1);
  EXPECT_EQ(at(config, {10, 10, 31}), 1);
  EXPECT_EQ(at(config, {10, 10, 50}), 1);
}

void expect_refused(assay_precision precision, const char* reason) {
  kit::OpenRequest r = request();
  r.precision = precision;
  try {
    (void)settings_of(r, {});
    ADD_FAILURE() << "was not refused";
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_UNSUPPORTED);
    EXPECT_THAT(e.what(), HasSubstr(reason));
  }
}

TEST(Settings, PrecisionsThatTheProcessorOrTensorFlowLackAreRefused) {
  expect_refused(ASSAY_PRECISION_BF16, "avx512_bf16");
  expect_refused(ASSAY_PRECISION_F16, "float16");
  expect_refused(ASSAY_PRECISION_INT8, "QDQ");
  kit::OpenRequest r = request();
  r.precision = ASSAY_PRECISION_BF16;
  EXPECT_TRUE(settings_of(r, with_bf16()).bf16);
}

TEST(Options, AreWellFormed) {
  std::set<std::string> names;
  for (const assay_option& option : option_table()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_GT(std::string(option.meaning).size(), 10U);
    EXPECT_EQ(option.type == ASSAY_OPTION_CHOICE, option.choices != nullptr) << option.name;
  }
}

}  // namespace
}  // namespace assay::tensorflow
