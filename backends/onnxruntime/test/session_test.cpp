// The plugin over the real library, through its table.

#include <future>
#include <thread>

#include "plugin_fixture.hpp"

namespace assay::ort {
namespace {

using onnx_bytes::fixed;
using onnx_bytes::named;
using onnx_bytes::node;
using onnx_bytes::value;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using SessionTest = PluginTest;

const std::vector<std::int64_t> kShape2x4 = {2, 4};
const std::vector<std::int64_t> kShape2x3 = {2, 3};

/// What dense() answers for the rows (1,2,3,4) and (-1,0,0,1).
const std::vector<float> kRows = {1, 2, 3, 4, -1, 0, 0, 1};
const std::vector<float> kAnswer = {20, 10.5, 1, 3, 3.5, 4};

TEST_F(SessionTest, ProbeFindsTheLibraryAndTheCpu) {
  const assay_host h = host();
  assay_probe_result result{};
  result.struct_size = sizeof result;
  ASSERT_EQ(table().probe(&h, &result, &error_), ASSAY_OK) << message();
  ASSERT_NE(result.available, 0) << result.reason;
  EXPECT_THAT(result.version, HasSubstr("1."));
  EXPECT_THAT(result.library, HasSubstr("libonnxruntime.so"));
  ASSERT_GE(result.device_count, 1U);
  EXPECT_STREQ(result.devices[0].name, "cpu");
  EXPECT_THAT(result.devices[0].identity, HasSubstr("sse2"));
}

TEST_F(SessionTest, DescribesTheModelAndWhatIsInForce) {
  open(request(write_model(onnx_bytes::dense())));
  ASSERT_EQ(info_.input_count, 1U);
  EXPECT_STREQ(info_.inputs[0].name, "x");
  EXPECT_EQ(info_.inputs[0].dtype, ASSAY_FLOAT32);
  ASSERT_EQ(info_.inputs[0].rank, 2);
  EXPECT_EQ(info_.inputs[0].shape[0], -1);
  EXPECT_EQ(info_.inputs[0].shape[1], 4);
  EXPECT_STREQ(info_.inputs[0].axes[0], "N");
  ASSERT_EQ(info_.output_count, 1U);
  EXPECT_STREQ(info_.outputs[0].name, "y");
  EXPECT_EQ(in_force("device"), "cpu");
  EXPECT_EQ(in_force("precision"), "f32");
  EXPECT_EQ(in_force("threads"), "2");
  EXPECT_EQ(in_force("streams"), "2");
  EXPECT_EQ(in_force("graph_optimization_level"), "all");
  EXPECT_THAT(in_force("version"), HasSubstr("1."));
  EXPECT_EQ(info_.from_cache, 0);
}

TEST_F(SessionTest, ComputesInTheCallersMemory) {
  open(request(write_model(onnx_bytes::dense())));
  assay_slot* s = slot({{2, 4}});
  std::vector<float> x = kRows;
  std::vector<float> y(6, -7);
  std::vector<assay_tensor> outputs = {tensor(y, kShape2x3)};
  ASSERT_EQ(run(s, {tensor(x, kShape2x4)}, outputs), ASSAY_OK) << message();
  EXPECT_EQ(y, kAnswer);
  EXPECT_EQ(outputs[0].data, y.data());
}

TEST_F(SessionTest, FollowsMemoryAndContentThatChange) {
  open(request(write_model(onnx_bytes::dense())));
  assay_slot* s = slot({{1, 4}});
  const std::vector<std::int64_t> in = {1, 4};
  const std::vector<std::int64_t> out = {1, 3};
  // More buffers than the slot keeps views of, twice around.
  std::vector<std::vector<float>> x(20, {1, 2, 3, 4});
  std::vector<std::vector<float>> y(20, std::vector<float>(3));
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i][0] = static_cast<float>(i) + 100.0F * static_cast<float>(round);
      std::vector<assay_tensor> outputs = {tensor(y[i], out)};
      ASSERT_EQ(run(s, {tensor(x[i], in)}, outputs), ASSAY_OK) << message();
      // w's first row is (0, -1, -2).
      EXPECT_FLOAT_EQ(y[i][0], 20.0F);
      EXPECT_FLOAT_EQ(y[i][1], std::max(0.0F, 11.5F - x[i][0]));
    }
  }
}

TEST_F(SessionTest, GivesItsOwnMemoryForOutputsWithoutOne) {
  open(request(write_model(onnx_bytes::dense())));
  assay_slot* s = slot({{2, 4}});
  std::vector<float> x = kRows;
  for (int round = 0; round < 3; ++round) {
    std::vector<assay_tensor> outputs = {plugin_memory()};
    ASSERT_EQ(run(s, {tensor(x, kShape2x4)}, outputs), ASSAY_OK) << message();
    ASSERT_NE(outputs[0].data, nullptr);
    ASSERT_EQ(outputs[0].rank, 2);
    EXPECT_EQ(outputs[0].shape[0], 2);
    EXPECT_EQ(outputs[0].bytes, 24U);
    const auto* y = static_cast<const float*>(outputs[0].data);
    EXPECT_EQ(std::vector<float>(y, y + 6), kAnswer);
  }
}

TEST_F(SessionTest, AnOutputsShapeMayDependOnTheData) {
  const std::string model = onnx_bytes::model({.nodes = {node("NonZero", {"x"}, {"y"})},
                                               .inputs = {value("x", 1, {named("n")})},
                                               .outputs = {value("y", 7, {fixed(1), named("found")})}});
  open(request(write_model(model)));
  assay_slot* s = slot({{4}});
  const std::vector<std::int64_t> shape = {4};
  for (int zeros = 0; zeros <= 4; ++zeros) {
    std::vector<float> x(4, 1.0F);
    std::fill_n(x.begin(), zeros, 0.0F);
    std::vector<assay_tensor> outputs = {plugin_memory()};
    ASSERT_EQ(run(s, {tensor(x, shape)}, outputs), ASSAY_OK) << message();
    EXPECT_EQ(outputs[0].shape[1], 4 - zeros);
    EXPECT_EQ(outputs[0].dtype, ASSAY_INT64);
    EXPECT_EQ(outputs[0].bytes, 8U * (4U - static_cast<unsigned>(zeros)));
  }
}

TEST_F(SessionTest, RunsBehindACallbackAndOnSeveralSlotsAtOnce) {
  open(request(write_model(onnx_bytes::dense())), {{"streams", "2"}});
  EXPECT_EQ(info_.useful_slots, 2);
  EXPECT_EQ(in_force("threads"), "2");
  EXPECT_EQ(in_force("intra_op_threads"), "1");
  const auto work = [&](assay_slot* s) {
    assay_error error{sizeof(assay_error), ASSAY_OK, {}};
    for (int i = 0; i < 200; ++i) {
      std::vector<float> x = kRows;
      std::vector<float> y(6);
      const assay_tensor in = tensor(x, kShape2x4);
      assay_tensor out = tensor(y, kShape2x3);
      std::promise<void> done;
      const auto signal = [](void* user) { static_cast<std::promise<void>*>(user)->set_value(); };
      ASSERT_EQ(table().submit(s, &in, 1, &out, 1, signal, &done, &error), ASSAY_OK) << error.message;
      done.get_future().wait();
      ASSERT_EQ(table().wait(s, &out, 1, nullptr, &error), ASSAY_OK) << error.message;
      ASSERT_EQ(y, kAnswer);
    }
  };
  std::thread first(work, slot({{2, 4}}));
  std::thread second(work, slot({{2, 4}}));
  first.join();
  second.join();
}

TEST_F(SessionTest, ABatchUnderWayIsNotDisturbed) {
  open(request(write_model(onnx_bytes::dense())));
  assay_slot* s = slot({{2, 4}});
  std::vector<float> x = kRows;
  std::vector<float> zeros(8);
  std::vector<float> y(6);
  const assay_tensor in = tensor(x, kShape2x4);
  const assay_tensor other = tensor(zeros, kShape2x4);
  assay_tensor out = tensor(y, kShape2x3);
  ASSERT_EQ(table().submit(s, &in, 1, &out, 1, nullptr, nullptr, &error_), ASSAY_OK) << message();
  EXPECT_EQ(table().submit(s, &other, 1, &out, 1, nullptr, nullptr, &error_), ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(table().submit(s, &other, 1, &out, 1, nullptr, nullptr, &error_), ASSAY_INVALID_ARGUMENT);
  ASSERT_EQ(table().wait(s, &out, 1, nullptr, &error_), ASSAY_OK) << message();
  EXPECT_EQ(y, kAnswer);
}

TEST_F(SessionTest, AShortBatchIsASlotOfItsOwnShape) {
  open(request(write_model(onnx_bytes::dense())));
  EXPECT_EQ(info_.short_batch, ASSAY_SHORT_BATCH_RESHAPE);
  std::vector<float> x(kRows.begin() + 4, kRows.end());
  std::vector<float> y(3);
  const std::vector<std::int64_t> in = {1, 4};
  const std::vector<std::int64_t> out = {1, 3};
  slot({{2, 4}});
  std::vector<assay_tensor> outputs = {tensor(y, out)};
  ASSERT_EQ(run(slot({{1, 4}}), {tensor(x, in)}, outputs), ASSAY_OK) << message();
  EXPECT_THAT(y, ElementsAre(3, 3.5, 4));
}

TEST_F(SessionTest, FixedShapesAreFixedInTheGraph) {
  assay_open_request r = request(write_model(onnx_bytes::dense()));
  const assay_fixed_shape shape = {"x", 2, 0, kShape2x4.data()};
  r.shapes = &shape;
  r.shape_count = 1;
  open(r);
  EXPECT_EQ(info_.inputs[0].shape[0], 2);
  EXPECT_EQ(info_.short_batch, ASSAY_SHORT_BATCH_PAD);
  assay_slot* other = nullptr;
  EXPECT_EQ(try_slot({{3, 4}}, &other), ASSAY_INVALID_ARGUMENT);
  EXPECT_THAT(message(), HasSubstr("2x4"));
}

TEST_F(SessionTest, RefusesTensorsThatDoNotFit) {
  open(request(write_model(onnx_bytes::dense())));
  assay_slot* bad = nullptr;
  EXPECT_EQ(try_slot({{2, 5}}, &bad), ASSAY_INVALID_ARGUMENT);
  EXPECT_THAT(message(), HasSubstr("?x4"));
  EXPECT_EQ(try_slot({{2, 4, 1}}, &bad), ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(try_slot({}, &bad), ASSAY_INVALID_ARGUMENT);

  assay_slot* s = slot({{2, 4}});
  std::vector<float> x = kRows;
  std::vector<float> y(6);
  std::vector<assay_tensor> outputs = {tensor(y, kShape2x3)};
  assay_tensor in = tensor(x, kShape2x4, ASSAY_INT32);
  EXPECT_EQ(run(s, {in}, outputs), ASSAY_INVALID_ARGUMENT);
  in = tensor(x, kShape2x4);
  in.bytes = 4;
  EXPECT_EQ(run(s, {in}, outputs), ASSAY_INVALID_ARGUMENT);
  EXPECT_THAT(message(), HasSubstr("needs 32 bytes"));
  const std::vector<std::int64_t> strides = {1, 2};
  in = tensor(x, kShape2x4);
  in.strides = strides.data();
  EXPECT_EQ(run(s, {in}, outputs), ASSAY_UNSUPPORTED);
  const std::vector<std::int64_t> wrong = {2, 2};
  std::vector<assay_tensor> wrong_outputs = {tensor(y, wrong)};
  EXPECT_EQ(run(s, {tensor(x, kShape2x4)}, wrong_outputs), ASSAY_INVALID_ARGUMENT);
  // The slot still works.
  ASSERT_EQ(run(s, {tensor(x, kShape2x4)}, outputs), ASSAY_OK) << message();
  EXPECT_EQ(y, kAnswer);
}

TEST_F(SessionTest, BrokenModelsAreInvalidModels) {
  EXPECT_EQ(try_open(request(write_model("this is no protobuf"))), ASSAY_INVALID_MODEL) << message();
  EXPECT_EQ(try_open(request(write_model(""))), ASSAY_INVALID_MODEL) << message();
  const std::string whole = onnx_bytes::dense();
  EXPECT_EQ(try_open(request(write_model(whole.substr(0, whole.size() / 2)))), ASSAY_INVALID_MODEL) << message();
  EXPECT_EQ(try_open(request((folder_.path() / "absent.onnx").string())), ASSAY_INVALID_MODEL) << message();
  EXPECT_THAT(message(), HasSubstr("absent.onnx"));
}

TEST_F(SessionTest, UnknownOperatorsAndVersionsAreUnsupported) {
  const auto with = [](const std::string& op, std::int64_t opset) {
    return onnx_bytes::model({.nodes = {node(op, {"x"}, {"y"})},
                              .inputs = {value("x", 1, {fixed(2)})},
                              .outputs = {value("y", 1, {fixed(2)})}},
                             opset);
  };
  EXPECT_EQ(try_open(request(write_model(with("Frobnicate", 17)))), ASSAY_UNSUPPORTED) << message();
  EXPECT_THAT(message(), HasSubstr("Frobnicate"));
  EXPECT_EQ(try_open(request(write_model(with("Relu", 9999)))), ASSAY_UNSUPPORTED) << message();
}

TEST_F(SessionTest, StringTensorsAreUnsupported) {
  const std::string model = onnx_bytes::model({.nodes = {node("Identity", {"words"}, {"y"})},
                                               .inputs = {value("words", 8, {fixed(2)})},
                                               .outputs = {value("y", 8, {fixed(2)})}});
  EXPECT_EQ(try_open(request(write_model(model))), ASSAY_UNSUPPORTED);
  EXPECT_THAT(message(), HasSubstr("'words' holds strings"));
}

TEST_F(SessionTest, LowerPrecisionIsUnsupportedWithTheReason) {
  assay_open_request r = request(write_model(onnx_bytes::dense()));
  r.precision = ASSAY_PRECISION_BF16;
  EXPECT_EQ(try_open(r), ASSAY_UNSUPPORTED);
  EXPECT_THAT(message(), HasSubstr("bf16"));
}

TEST_F(SessionTest, AnotherDeviceIsUnavailable) {
  assay_open_request r = request(write_model(onnx_bytes::dense()));
  r.device = "npu:0";
  EXPECT_EQ(try_open(r), ASSAY_UNAVAILABLE);
  EXPECT_THAT(message(), HasSubstr("npu:0"));
}

TEST_F(SessionTest, EverySettingReachesTheLibrary) {
  const Settings settings = {{"graph_optimization_level", "basic"},
                             {"disabled_optimizers", "ConstantFolding"},
                             {"spinning", "false"},
                             {"inter_op_spinning", "false"},
                             {"execution_mode", "parallel"},
                             {"inter_op_threads", "2"},
                             {"intra_op_threads", "2"},
                             {"arena", "false"},
                             {"denormals_as_zero", "true"},
                             {"deterministic", "true"},
                             {"prepacking", "false"}};
  open(request(write_model(onnx_bytes::dense())), settings);
  for (const auto& [key, expected] : settings) EXPECT_EQ(in_force(key), expected) << key;
  EXPECT_EQ(in_force("memory_pattern"), "false");  // parallel mode has none
  std::vector<float> x = kRows;
  std::vector<float> y(6);
  std::vector<assay_tensor> outputs = {tensor(y, kShape2x3)};
  ASSERT_EQ(run(slot({{2, 4}}), {tensor(x, kShape2x4)}, outputs), ASSAY_OK) << message();
  EXPECT_EQ(y, kAnswer);
}

TEST_F(SessionTest, ThreadsAreCountedAsTheLibraryMakesThem) {
  assay_open_request r = request(write_model(onnx_bytes::dense()));
  r.threads = 4;
  open(r);
  EXPECT_EQ(in_force("threads"), "4");
  close_session();
  open(r, {{"intra_op_threads", "3"}, {"streams", "1"}});
  EXPECT_EQ(in_force("threads"), "3");
}

TEST_F(SessionTest, TakesAnAffinity) {
  open(request(write_model(onnx_bytes::dense())), {{"affinity", "1"}, {"streams", "1"}});
  EXPECT_EQ(in_force("affinity"), "1");
  EXPECT_EQ(in_force("threads"), "2");
}

TEST_F(SessionTest, TheArenaCanBeShrunkAfterEachBatch) {
  open(request(write_model(onnx_bytes::dense())), {{"arena_shrink", "true"}});
  std::vector<float> x = kRows;
  std::vector<float> y(6);
  std::vector<assay_tensor> outputs = {tensor(y, kShape2x3)};
  ASSERT_EQ(run(slot({{2, 4}}), {tensor(x, kShape2x4)}, outputs), ASSAY_OK) << message();
  EXPECT_EQ(y, kAnswer);
}

TEST_F(SessionTest, ReportsProfilePlacementAndMemory) {
  assay_open_request r = request(write_model(onnx_bytes::dense()));
  r.profile = 1;
  open(r);
  std::vector<float> x = kRows;
  std::vector<float> y(6);
  std::vector<assay_tensor> outputs = {tensor(y, kShape2x3)};
  ASSERT_EQ(run(slot({{2, 4}}), {tensor(x, kShape2x4)}, outputs), ASSAY_OK) << message();
  const char* text = nullptr;
  ASSERT_EQ(table().report(session_, "profile", &text, &error_), ASSAY_OK) << message();
  EXPECT_THAT(text, HasSubstr("model_run"));
  EXPECT_THAT(text, HasSubstr("Gemm"));
  const std::string first = text;
  ASSERT_EQ(table().report(session_, "profile", &text, &error_), ASSAY_OK) << message();
  EXPECT_EQ(first, text);
  ASSERT_EQ(table().report(session_, "placement", &text, &error_), ASSAY_OK) << message();
  EXPECT_THAT(text, HasSubstr("CPUExecutionProvider"));
  ASSERT_EQ(table().report(session_, "memory", &text, &error_), ASSAY_OK) << message();
  EXPECT_THAT(text, HasSubstr("InUse"));
  EXPECT_EQ(table().report(session_, "horoscope", &text, &error_), ASSAY_UNSUPPORTED);
}

TEST_F(SessionTest, WithoutProfilingThereIsNoProfile) {
  open(request(write_model(onnx_bytes::dense())));
  const char* text = nullptr;
  EXPECT_EQ(table().report(session_, "profile", &text, &error_), ASSAY_UNSUPPORTED);
  EXPECT_EQ(table().report(session_, "placement", &text, &error_), ASSAY_UNSUPPORTED);
}

TEST_F(SessionTest, TheLibrarysLogGoesToTheHost) {
  // An initializer that nothing uses makes the library warn.
  const std::vector<float> unused(4, 1.0F);
  const std::string model = onnx_bytes::model({.nodes = {node("Relu", {"x"}, {"y"})},
                                               .initializers = {onnx_bytes::float_tensor("unused", {4}, unused)},
                                               .inputs = {value("x", 1, {fixed(2)})},
                                               .outputs = {value("y", 1, {fixed(2)})}});
  ::testing::internal::CaptureStderr();
  open(request(write_model(model)));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("unused")));
  EXPECT_THAT(log_, ::testing::Contains(HasSubstr("unused")));
}

}  // namespace
}  // namespace assay::ort
