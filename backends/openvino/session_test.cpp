// Small models on a real OpenVINO.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "framework_fixture.hpp"
#include "properties.hpp"

namespace assay::openvino {
namespace {

using test::Node;
using test::OpenVino;
using testing::HasSubstr;

/// A `done` that can be slept on.
struct Done {
  std::mutex mutex;
  std::condition_variable changed;
  int count = 0;

  static void call(void* self) {
    auto* d = static_cast<Done*>(self);
    const std::lock_guard lock(d->mutex);
    ++d->count;
    d->changed.notify_all();
  }
  void wait_for(int n) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return count >= n; });
  }
};

constexpr std::int64_t kTwo = 2;

TEST_F(OpenVino, SaysWhatIsInForce) {
  write_model(test::add_relu());
  const auto session = open();
  const kit::Description d = session->describe();
  EXPECT_EQ(in_force(d, "device"), "cpu");
  EXPECT_EQ(in_force(d, "precision"), "f32");
  EXPECT_EQ(in_force(d, "threads"), "2");
  EXPECT_EQ(in_force(d, "streams"), "1");
  EXPECT_EQ(in_force(d, "performance_hint"), "latency");
  EXPECT_THAT(in_force(d, "version"), testing::StartsWith("20"));
  EXPECT_FALSE(d.from_cache);
  EXPECT_EQ(d.useful_slots, 1);
  EXPECT_EQ(d.short_batch, ASSAY_SHORT_BATCH_RESHAPE);
  ASSERT_EQ(d.inputs.size(), 1U);
  EXPECT_EQ(d.inputs[0].shape, (std::vector<std::int64_t>{-1, 3}));
  EXPECT_EQ(d.inputs[0].axes[0], "batch");
}

TEST_F(OpenVino, OptionsReachTheFramework) {
  write_model(test::add_relu());
  request_.goal = ASSAY_GOAL_THROUGHPUT;
  request_.options = {{"streams", "2"},
                      {"pinning", "false"},
                      {"hyper_threading", "true"},
                      {"partitioner", "static"},
                      {"denormals_as_zero", "true"},
                      {"execution_mode", "accuracy"},
                      {"mmap", "false"},
                      {"dynamic_quantization", "true"},
                      {"requests", "3"}};
  const kit::Description d = open()->describe();
  EXPECT_EQ(in_force(d, "streams"), "2");
  EXPECT_EQ(in_force(d, "pinning"), "false");
  EXPECT_EQ(in_force(d, "execution_mode"), "accuracy");
  EXPECT_EQ(in_force(d, "performance_hint"), "throughput");
  EXPECT_GE(d.useful_slots, 2);
}

TEST_F(OpenVino, RunsInPlaceOnTheCallersThreadOrWithACallback) {
  write_model(test::add_relu());
  request_.shapes = {{"x", {2, 3}}};
  const auto session = open();
  EXPECT_EQ(session->describe().short_batch, ASSAY_SHORT_BATCH_PAD);
  const auto slot = session->open_slot(request_.shapes);
  const std::vector<std::int64_t> shape = {2, 3};
  Done done;
  for (int i = 0; i < 20; ++i) {
    std::vector<float> x = {0, 1, 2, -5, 5, static_cast<float>(i)}, y(6, -1);  // other memory each time
    const assay_tensor in = test::tensor(x, shape, ASSAY_FLOAT32);
    assay_tensor out = test::tensor(y, shape, ASSAY_FLOAT32);
    const bool with_callback = i % 2 == 0;
    slot->submit({&in, 1}, {&out, 1}, with_callback ? Done::call : nullptr, &done);
    if (with_callback) done.wait_for(i / 2 + 1);
    kit::Timing timing;
    slot->wait({&out, 1}, timing);
    EXPECT_EQ(out.data, y.data());
    EXPECT_EQ(out.bytes, 24U);
    ASSERT_EQ(out.rank, 2);
    EXPECT_EQ(out.shape[0], kTwo);
    EXPECT_EQ(y, (std::vector<float>{1, 0, 5, 0, 3, static_cast<float>(i + 3)}));
    EXPECT_EQ(timing.compute_ns > 0, !with_callback);
  }
  EXPECT_EQ(done.count, 10);  // none for those without
}

TEST_F(OpenVino, GivesOutputMemoryOfItsOwnAndTakesTheCallersAgain) {
  write_model(test::add_relu());
  const auto session = open();
  const std::vector<kit::FixedShape> shapes = {{"x", {2, 3}}};
  const auto slot = session->open_slot(shapes);
  const std::vector<std::int64_t> shape = {2, 3};
  std::vector<float> x = {0, 1, 2, -5, 5, 0}, y(6);
  const assay_tensor in = test::tensor(x, shape, ASSAY_FLOAT32);
  for (const bool own : {true, false, true, true, false}) {
    x[5] += 1;
    assay_tensor out = own ? test::no_memory(ASSAY_FLOAT32) : test::tensor(y, shape, ASSAY_FLOAT32);
    kit::Timing timing;
    slot->submit({&in, 1}, {&out, 1}, nullptr, nullptr);
    slot->wait({&out, 1}, timing);
    ASSERT_NE(out.data, nullptr);
    EXPECT_EQ(out.data == y.data(), !own);
    EXPECT_EQ(out.shape[0], kTwo);
    EXPECT_EQ(out.bytes, 24U);
    EXPECT_EQ(static_cast<const float*>(out.data)[5], x[5] + 3);
  }
}

TEST_F(OpenVino, ShapesKnownOnlyAfterTheRun) {
  write_model(test::model({{"NonZero", {"x"}, {"y"}}}, {{"x", 1, {"n"}}}, {{"y", 7, {1, "found"}}}));
  const auto session = open();
  const std::vector<kit::FixedShape> shapes = {{"x", {5}}};
  const auto slot = session->open_slot(shapes);
  const std::vector<std::int64_t> shape = {5};
  for (const auto& [values, expected] : std::vector<std::pair<std::vector<float>, std::vector<std::int64_t>>>{
           {{0, 1, 0, 2, 3}, {1, 3, 4}}, {{0, 0, 0, 0, 0}, {}}, {{1, 1, 1, 1, 1}, {0, 1, 2, 3, 4}}}) {
    std::vector<float> x = values;
    const assay_tensor in = test::tensor(x, shape, ASSAY_FLOAT32);
    assay_tensor out = test::no_memory(ASSAY_INT64);
    kit::Timing timing;
    slot->submit({&in, 1}, {&out, 1}, nullptr, nullptr);
    slot->wait({&out, 1}, timing);
    ASSERT_EQ(out.rank, 2);
    ASSERT_EQ(out.shape[1], static_cast<std::int64_t>(expected.size()));
    const auto* found = static_cast<const std::int64_t*>(out.data);
    EXPECT_EQ(std::vector<std::int64_t>(found, found + expected.size()), expected);
  }
}

TEST_F(OpenVino, EveryElementTypeKeepsItsValueAndName) {
  struct Case {
    assay_dtype dtype;
    std::vector<std::uint8_t> bytes;  // two elements
  };
  const std::vector<Case> cases = {
      {ASSAY_UINT8, {7, 255}},
      {ASSAY_INT8, {7, 0x80}},
      {ASSAY_BOOL, {1, 0}},
      {ASSAY_FLOAT16, {0x00, 0x3C, 0x00, 0xC0}},  // 1, -2
      {ASSAY_INT32, {1, 2, 3, 4, 0xFF, 0xFF, 0xFF, 0xFF}},
      {ASSAY_INT64, {1, 2, 3, 4, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.dtype);
    write_model(test::model({{"Identity", {"x"}, {"y"}}}, {{"x", c.dtype, {"n"}}}, {{"y", c.dtype, {"n"}}}));
    const auto session = open();
    EXPECT_EQ(session->describe().inputs.at(0).dtype, c.dtype);
    EXPECT_EQ(session->describe().outputs.at(0).dtype, c.dtype);
    const std::vector<kit::FixedShape> shapes = {{"x", {2}}};
    const auto slot = session->open_slot(shapes);
    const std::vector<std::int64_t> shape = {2};
    std::vector<std::uint8_t> x = c.bytes, y(c.bytes.size());
    const assay_tensor in = test::tensor(x, shape, c.dtype);
    assay_tensor out = test::tensor(y, shape, c.dtype);
    kit::Timing timing;
    slot->submit({&in, 1}, {&out, 1}, nullptr, nullptr);
    slot->wait({&out, 1}, timing);
    EXPECT_EQ(y, c.bytes);
  }
}

TEST_F(OpenVino, SeveralInputsAndOutputsKeepTheFilesNamesAndOrder) {
  // "z_first" and "a_second" name one tensor through an Identity, which OpenVINO folds away.
  write_model(
      test::model({{"Add", {"b", "a"}, {"sum"}}, {"Identity", {"sum"}, {"z_first"}}, {"Sub", {"b", "a"}, {"a_second"}}},
                  {{"b", 1, {2}}, {"a", 1, {2}}}, {{"z_first", 1, {2}}, {"a_second", 1, {2}}}));
  const auto session = open();
  const kit::Description d = session->describe();
  EXPECT_EQ(d.inputs.at(0).name, "b");
  EXPECT_EQ(d.inputs.at(1).name, "a");
  EXPECT_EQ(d.outputs.at(0).name, "z_first");
  EXPECT_EQ(d.outputs.at(1).name, "a_second");
  const std::vector<kit::FixedShape> shapes = {{"b", {2}}, {"a", {2}}};
  const auto slot = session->open_slot(shapes);
  const std::vector<std::int64_t> shape = {2};
  std::vector<float> b = {10, 20}, a = {1, 2}, sum(2), difference(2);
  const std::vector<assay_tensor> in = {test::tensor(b, shape, ASSAY_FLOAT32), test::tensor(a, shape, ASSAY_FLOAT32)};
  std::vector<assay_tensor> out = {test::tensor(sum, shape, ASSAY_FLOAT32),
                                   test::tensor(difference, shape, ASSAY_FLOAT32)};
  kit::Timing timing;
  slot->submit(in, out, nullptr, nullptr);
  slot->wait(out, timing);
  EXPECT_EQ(sum, (std::vector<float>{11, 22}));
  EXPECT_EQ(difference, (std::vector<float>{9, 18}));
}

TEST_F(OpenVino, SlotsOfOneSessionRunSideBySide) {
  write_model(test::add_relu());
  request_.goal = ASSAY_GOAL_THROUGHPUT;
  request_.options = {{"streams", "2"}};
  const auto session = open();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const std::int64_t n = t + 1;
      const std::vector<kit::FixedShape> shapes = {{"x", {n, 3}}};
      const auto slot = session->open_slot(shapes);
      const std::vector<std::int64_t> shape = {n, 3};
      std::vector<float> x(static_cast<std::size_t>(3 * n)), y(x.size());
      Done done;
      for (int i = 0; i < 50; ++i) {
        for (float& v : x) v = static_cast<float>(100 * t + i);
        const assay_tensor in = test::tensor(x, shape, ASSAY_FLOAT32);
        assay_tensor out = test::tensor(y, shape, ASSAY_FLOAT32);
        slot->submit({&in, 1}, {&out, 1}, (i + t) % 3 == 0 ? nullptr : Done::call, &done);
        kit::Timing timing;
        slot->wait({&out, 1}, timing);
        if (y.back() != x.back() + 3 || y[0] != x[0] + 1) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(OpenVino, ASlotMayBeClosedWhileItRuns) {
  write_model(test::add_relu());
  const auto session = open();
  const std::vector<std::int64_t> shape = {4, 3};
  const std::vector<kit::FixedShape> shapes = {{"x", shape}};
  for (int i = 0; i < 20; ++i) {
    std::vector<float> x(12), y(12);
    Done done;
    auto slot = session->open_slot(shapes);
    const assay_tensor in = test::tensor(x, shape, ASSAY_FLOAT32);
    const assay_tensor out = test::tensor(y, shape, ASSAY_FLOAT32);
    slot->submit({&in, 1}, {&out, 1}, Done::call, &done);
    slot.reset();
    EXPECT_EQ(done.count, 1);
  }
}

TEST_F(OpenVino, ReportsAProfileOnlyWhenAsked) {
  write_model(test::add_relu());
  EXPECT_EQ(failure_of([&] { open()->report("profile"); }).first, ASSAY_UNSUPPORTED);
  request_.profile = true;
  const auto session = open();
  const std::vector<std::int64_t> shape = {2, 3};
  const std::vector<kit::FixedShape> shapes = {{"x", shape}};
  const auto slot = session->open_slot(shapes);
  std::vector<float> x(6), y(6);
  const assay_tensor in = test::tensor(x, shape, ASSAY_FLOAT32);
  assay_tensor out = test::tensor(y, shape, ASSAY_FLOAT32);
  kit::Timing timing;
  slot->submit({&in, 1}, {&out, 1}, nullptr, nullptr);
  slot->wait({&out, 1}, timing);
  const std::string profile = session->report("profile");
  EXPECT_THAT(profile, HasSubstr("\"batches\": 1"));
  EXPECT_THAT(profile, HasSubstr("\"runs\": 1"));
  EXPECT_THAT(session->report("placement"), HasSubstr("CPU"));
  EXPECT_EQ(failure_of([&] { session->report("plan"); }).first, ASSAY_UNSUPPORTED);
}

TEST_F(OpenVino, MistakesOfTheCallerAreInvalidArguments) {
  write_model(test::add_relu());
  const auto session = open();
  const auto slot_of = [&](std::vector<std::int64_t> shape) {
    const std::vector<kit::FixedShape> shapes = {{"x", std::move(shape)}};
    return session->open_slot(shapes);
  };
  EXPECT_EQ(failure_of([&] { slot_of({2, 4}); }).first, ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(failure_of([&] { slot_of({2}); }).first, ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(failure_of([&] { session->open_slot({}); }).first, ASSAY_INVALID_ARGUMENT);
  const auto slot = slot_of({2, 3});
  std::vector<float> x(6), y(6);
  const std::vector<std::int64_t> shape = {2, 3}, other = {1, 3};
  const assay_tensor good = test::tensor(x, shape, ASSAY_FLOAT32), out = test::tensor(y, shape, ASSAY_FLOAT32);
  assay_tensor bad = good;
  bad.dtype = ASSAY_FLOAT64;
  EXPECT_EQ(failure_of([&] { slot->submit({&bad, 1}, {&out, 1}, nullptr, nullptr); }).first, ASSAY_INVALID_ARGUMENT);
  bad = good;
  bad.shape = other.data();
  EXPECT_EQ(failure_of([&] { slot->submit({&bad, 1}, {&out, 1}, nullptr, nullptr); }).first, ASSAY_INVALID_ARGUMENT);
  bad = good;
  bad.bytes = 20;
  EXPECT_EQ(failure_of([&] { slot->submit({&bad, 1}, {&out, 1}, nullptr, nullptr); }).first, ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(failure_of([&] { slot->submit({}, {&out, 1}, nullptr, nullptr); }).first, ASSAY_INVALID_ARGUMENT);

  request_.shapes = {{"x", {2, 5}}};
  EXPECT_THAT(failure_of([&] { open(); }), testing::Pair(ASSAY_INVALID_ARGUMENT, HasSubstr("?x3")));
  request_.shapes = {{"nope", {2, 3}}};
  EXPECT_THAT(failure_of([&] { open(); }), testing::Pair(ASSAY_INVALID_ARGUMENT, HasSubstr("x")));
}

TEST_F(OpenVino, BadModelsAreToldApart) {
  write_model("");
  EXPECT_EQ(failure_of([&] { open(); }).first, ASSAY_INVALID_MODEL);
  write_model("this is no model");
  EXPECT_EQ(failure_of([&] { open(); }).first, ASSAY_INVALID_MODEL);
  const std::string whole = test::add_relu();
  write_model(whole.substr(0, whole.size() / 2));
  EXPECT_EQ(failure_of([&] { open(); }).first, ASSAY_INVALID_MODEL);
  request_.model_path = folder_ + "/missing.onnx";
  EXPECT_EQ(failure_of([&] { open(); }).first, ASSAY_INVALID_MODEL);
  write_model(test::model({{"NoSuchOperator", {"x"}, {"y"}}}, {{"x", 1, {"n"}}}, {{"y", 1, {"n"}}}));
  const auto unknown = failure_of([&] { open(); });
  EXPECT_EQ(unknown.first, ASSAY_UNSUPPORTED) << unknown.second;
  EXPECT_THAT(unknown.second, HasSubstr("NoSuchOperator"));
  write_model(test::model({{"Relu", {"not_there"}, {"y"}}}, {{"x", 1, {"n"}}}, {{"y", 1, {"n"}}}));
  EXPECT_EQ(failure_of([&] { open(); }).first, ASSAY_INVALID_MODEL);
}

TEST_F(OpenVino, PrecisionsAndDevicesThatAreNotHereAreUnsupported) {
  write_model(test::add_relu());
  const cpu_features::CpuFeatures cpu = cpu_features::of_this_machine();
  for (const assay_precision p : {ASSAY_PRECISION_BF16, ASSAY_PRECISION_F16, ASSAY_PRECISION_INT8}) {
    request_.precision = p;
    const bool can =
        (p == ASSAY_PRECISION_BF16 && cpu.computes_bf16()) || (p == ASSAY_PRECISION_F16 && cpu.computes_f16());
    const auto failure = failure_of([&] { open(); });
    EXPECT_EQ(failure.first, can ? ASSAY_OK : ASSAY_UNSUPPORTED) << failure.second;
  }
  request_.precision = ASSAY_PRECISION_F32;
  request_.device = "gpu:0";
  EXPECT_EQ(failure_of([&] { open(); }).first, ASSAY_UNSUPPORTED);
}

}  // namespace
}  // namespace assay::openvino
