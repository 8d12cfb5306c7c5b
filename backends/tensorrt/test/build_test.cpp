// From a model to an engine, over libraries of ours that compute nothing: what the builder is told, what is kept, what
// is refused and why, leaks.
#include "build.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "fake_fixture.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::tensorrt {
namespace {

using test::in_force;
using test::thrown_by;
using test::trt;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFree = "in x -1x4\nlayer conv f32\nout y -1x3\n";

class Build : public test::FakeSession {};

TEST_F(Build, FixesFreeAxesToTheBatchSize) {
  request_.batch_size = 8;
  const auto session = build(kFree);
  EXPECT_THAT(trt().log(),
              AllOf(HasSubstr("setDimensions x 8x4\n"), Not(HasSubstr("profile")), HasSubstr("setMaxThreads 2\n")));
  const kit::Description d = session->describe();
  EXPECT_FALSE(d.from_cache);
  EXPECT_THAT(d.inputs[0].shape, ElementsAre(8, 4));
  EXPECT_EQ(d.short_batch, ASSAY_SHORT_BATCH_PAD);
  const std::pair<const char*, const char*> said[] = {
      {"precision", "f32"}, {"workspace_bytes", "1000"}, {"optimization_level", "3"}, {"tf32", "false"}};
  for (const auto& [key, value] : said) EXPECT_EQ(in_force(*session, key), value) << key;
}

TEST_F(Build, MakesAProfileOfWhatIsLeftFree) {
  request_.batch_size = 8;
  request_.options["dynamic_batch"] = "true";
  request_.options["largest_size"] = "32";
  const auto session = build(kFree);
  EXPECT_THAT(trt().log(), AllOf(HasSubstr("profile x 0 1x4\nprofile x 1 8x4\nprofile x 2 32x4\n"),
                                 HasSubstr("addOptimizationProfile\n"), Not(HasSubstr("setDimensions"))));
  EXPECT_EQ(session->describe().short_batch, ASSAY_SHORT_BATCH_RESHAPE);
}

TEST_F(Build, TellsTheBuilderTheOptions) {
  request_.options = {{"workspace_mb", "2"}, {"optimization_level", "5"}, {"tf32", "true"}, {"aux_streams", "0"}};
  request_.profile = true;
  const auto session = build("in x 2x4\nlayer conv f32\nout y 2x3\n");
  const std::pair<const char*, const char*> said[] = {
      {"workspace_bytes", "2097152"}, {"optimization_level", "5"}, {"tf32", "true"}};
  for (const auto& [key, value] : said) EXPECT_EQ(in_force(*session, key), value) << key;
  EXPECT_THAT(trt().log(), AllOf(HasSubstr("setProfilingVerbosity 2\n"), HasSubstr("setMaxAuxStreams 0\n")));
}

TEST_F(Build, LeavesWhatOpensFromTheCache) {
  const std::string kept = folder_ + "/kept";
  std::filesystem::create_directory(kept);
  request_.batch_size = 2;
  request_.cache_fill = kept;
  const auto built = build("in x -1x4\nlayer conv f16\nout y -1x3\n");
  request_.cache_fill.clear();
  request_.cache_read = kept;
  request_.model_path = folder_ + "/gone.onnx";
  const auto read = backend_.open(request_);
  EXPECT_TRUE(read->describe().from_cache);
  for (const char* key : {"precision", "workspace_bytes", "optimization_level", "tf32", "profile.x"}) {
    EXPECT_EQ(in_force(*read, key), in_force(*built, key)) << key;
  }
  EXPECT_EQ(in_force(*read, "precision"), "f16");
  EXPECT_TRUE(std::filesystem::exists(kept + "/timing.cache"));
}

/// As the plugin says of itself (graph_ignores): requests that differ in these share a cached engine.
TEST_F(Build, BuildsTheSameWhateverTheGoalAndTheBatchesInFlight) {
  EXPECT_EQ(backend_.graph_ignores(), ASSAY_GRAPH_IGNORES_GOAL | ASSAY_GRAPH_IGNORES_IN_FLIGHT);
  request_.batch_size = 2;
  std::set<std::string> calls;
  for (const assay_goal goal : {ASSAY_GOAL_THROUGHPUT, ASSAY_GOAL_LATENCY}) {
    for (const int in_flight : {0, 1, 8}) {
      trt().set("");
      request_.goal = goal;
      request_.in_flight = in_flight;
      (void)build(kFree);
      calls.insert(trt().log());
    }
  }
  EXPECT_EQ(calls.size(), 1U);
}

TEST_F(Build, TakesAndLeavesKernelsTimes) {
  const std::string times = folder_ + "/times";
  request_.options["timing_cache"] = times;
  (void)build(kFree);
  EXPECT_EQ(read_timing(times, ""), "+");  // the fake adds one a build
  (void)build(kFree);
  EXPECT_THAT(trt().log(), HasSubstr("setTimingCache +\n"));
  EXPECT_EQ(read_timing(times, ""), "++");
  keep_log();
  trt().set("setTimingCache@1=1");
  (void)build(kFree);
  EXPECT_THAT(logged(), HasSubstr("the timing cache is of no use here"));
  EXPECT_EQ(read_timing(times, ""), "+");
}

TEST_F(Build, ComputesInTheModelsTypesOrSaysWhyNot) {
  struct Row {
    const char* layers;
    assay_precision asked;
    const char* precision;  // "": unsupported
  };
  const Row rows[] = {{"layer a f32\n", ASSAY_PRECISION_F32, "f32"},
                      {"layer a f16\nlayer b f16\nlayer c f32\n", ASSAY_PRECISION_F16, "f16"},
                      {"layer a bf16\n", ASSAY_PRECISION_BF16, "bf16"},
                      {"layer a f32\nlayer q quantize\n", ASSAY_PRECISION_INT8, "int8"},
                      {"layer a f32\n", ASSAY_PRECISION_F16, ""},
                      {"layer a f32\n", ASSAY_PRECISION_INT8, ""}};
  for (const Row& row : rows) {
    request_.precision = row.asked;
    std::string met;
    const auto [status, text] =
        thrown_by([&] { met = in_force(*build("in x 2x4\nout y 2x3\n" + std::string(row.layers)), "precision"); });
    EXPECT_EQ(met, row.precision);
    EXPECT_EQ(status, *row.precision == '\0' ? ASSAY_UNSUPPORTED : ASSAY_OK) << text;
  }
}

/// y = relu(x) as an ONNX file that is a model to the fake parser, too: the text is the name of who produced it, and
/// that of the graph, which a conversion keeps.
std::string relu_model(const char* type, const std::string& more = "graph") {
  onnx_graph::TestModel model;
  model.proto.mutable_graph()->set_name(more);
  model.proto.set_producer_name("\nin x 2x4\nlayer a " + std::string(type) + "\nout y 2x4\n");
  model.input("x", {2, 4}).output("y", {2, 4}).node("Relu", {"x"}, {"y"});
  return model.bytes();
}

TEST_F(Build, ConvertsAModelInFloat32WhereFloat16IsAskedFor) {
  request_.precision = ASSAY_PRECISION_F16;
  EXPECT_EQ(in_force(*build(relu_model("f32")), "precision"), "f16");
  EXPECT_EQ(in_force(*build(relu_model("f16")), "precision"), "f16") << "as it is: one layer, and it is f16";
  EXPECT_EQ(thrown_by([&] { (void)build(relu_model("bf16")); }).first, ASSAY_UNSUPPORTED);
  request_.precision = ASSAY_PRECISION_F32;
  EXPECT_EQ(in_force(*build(relu_model("f32")), "precision"), "f32");
  request_.precision = ASSAY_PRECISION_F16;
  const auto [status, text] = thrown_by([&] { (void)build("in x 2x4\nlayer a f32\nout y 2x4\n"); });
  EXPECT_EQ(status, ASSAY_UNSUPPORTED);
  EXPECT_THAT(text, HasSubstr("f16 was asked for, and the model, which is in f32, cannot be converted: "));
}

TEST_F(Build, NamesEveryNodeThatIsNotSupported) {
  const auto [status, text] = thrown_by([&] { (void)build("in x 2x4\nbad 3 Foo\nbad 5 Bar\nworse 9\nout y 2x3\n"); });
  EXPECT_EQ(status, ASSAY_UNSUPPORTED);
  EXPECT_THAT(text, HasSubstr("cannot take the model " + request_.model_path +
                              ": 3 nodes are not supported: Foo 'n3' (no importer); Bar 'n5' (no importer); node 9"));
}

TEST_F(Build, NamesEveryNodeThatIsNotSupportedOnceTheModelIsConverted) {
  const std::string model = relu_model("f32", "\nbad16 0 Foo\nbad16 2 Bar\nworse16 1\n");
  EXPECT_EQ(in_force(*build(model), "precision"), "f32") << "as it is, all are";
  request_.precision = ASSAY_PRECISION_F16;
  const auto [status, text] = thrown_by([&] { (void)build(model); });
  EXPECT_EQ(status, ASSAY_UNSUPPORTED);
  EXPECT_THAT(text, HasSubstr("3 nodes are not supported: Foo 'n0' (no importer); Bar 'n2' (no importer); Relu 'y"));
}

TEST_F(Build, TellsTheLogOfMoreNodesThanAMessageHolds) {
  keep_log();
  std::string model = "in x 2x4\nout y 2x3\n";
  for (int i = 0; i < 14; ++i) model += "bad " + std::to_string(i) + " Foo\n";
  EXPECT_THAT(thrown_by([&] { (void)build(model); }).second,
              AllOf(HasSubstr("14 nodes are not supported"), HasSubstr("and 4 more"), Not(HasSubstr("'n13'"))));
  EXPECT_THAT(logged(), HasSubstr("'n13'"));
}

TEST_F(Build, RefusesModelsThatAreNone) {
  EXPECT_EQ(thrown_by([&] { (void)backend_.open(request_); }).first, ASSAY_INVALID_MODEL);  // is not there
  const auto [status, text] = thrown_by([&] { (void)build("broken"); });
  EXPECT_EQ(status, ASSAY_INVALID_MODEL);
  EXPECT_THAT(text, HasSubstr("Failed to parse the ONNX model."));
  const auto [empty_status, empty_text] = thrown_by([&] { (void)build(""); });  // the parser takes it
  EXPECT_EQ(empty_status, ASSAY_INVALID_MODEL);
  EXPECT_THAT(empty_text, HasSubstr("has no outputs"));
  const auto [shape_status, shape_text] = thrown_by([&] { (void)build("in x 2x4\nin s 2\nshape s\nout y 2x3\n"); });
  EXPECT_EQ(shape_status, ASSAY_UNSUPPORTED);
  EXPECT_THAT(shape_text, HasSubstr("'s' decide on shapes"));
  request_.shapes = {{"z", {1}}};
  EXPECT_EQ(thrown_by([&] { (void)build(kFree); }).first, ASSAY_INVALID_ARGUMENT);
}

TEST_F(Build, ThatFailsSaysWhyAndLeavesNothingBehind) {
  struct Row {
    const char* settings;
    assay_status status;
    const char* says;
  };
  const Row rows[] = {
      {"createInferBuilder=1", ASSAY_FRAMEWORK, "making TensorRT's builder failed: the fake has no builder"},
      {"buildSerializedNetwork=1", ASSAY_FRAMEWORK, "building the engine of "},
      {"profile@2=1", ASSAY_UNSUPPORTED, "refused the shapes 1 to 64 x 4, best 1 x 4 of 'x'"},
      {"addOptimizationProfile=1", ASSAY_UNSUPPORTED, "adding the optimization profile"},
      {"deserializeCudaEngine=1", ASSAY_FRAMEWORK, "reading the engine"},
  };
  for (const Row& row : rows) {
    trt().set(row.settings);
    const auto [status, text] = thrown_by([&] { (void)build(kFree); });
    EXPECT_EQ(status, row.status) << row.settings;
    EXPECT_THAT(text, HasSubstr(row.says));
    EXPECT_EQ(trt().held(), 0) << row.settings;
  }
}

TEST_F(Build, AnOutputThatIsAnInputHasTheModelsName) {
  const auto session = build("in x 2x4\nlayer conv f32\nout __x 2x4\n");
  EXPECT_EQ(session->describe().outputs[0].name, "x");
}

}  // namespace
}  // namespace assay::tensorrt
