// The kit, through the table that it makes of a toy backend: what a host sees of exceptions, lifetimes and threads.
#include "assay/backend_kit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "base/file.hpp"

namespace assay {
namespace {

using testing::HasSubstr;

std::atomic<int> alive{0};  // toy objects

// Doubles a float; what is thrown is chosen by its value. Its destructor does not call stop(): the kit must.
class ToySlot final : public kit::BlockingSlot {
 public:
  ToySlot() { ++alive; }
  ~ToySlot() override { --alive; }

 protected:
  void run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) override {
    const float x = *static_cast<const float*>(inputs[0].data);
    if (x == 1) throw kit::Failure(ASSAY_DEVICE_LOST, "the device is gone");
    if (x == 2) throw std::bad_alloc();
    if (x == 3) throw std::logic_error("the framework is confused");
    if (x == 4) throw 4;  // NOLINT(hicpp-exception-baseclass): a framework may
    history_.push_back(x);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    *static_cast<float*>(outputs[0].data) = 2 * history_.back();
    timing.compute_ns = 5;
  }

 private:
  std::vector<float> history_;  // gone before the base class is: a thread that still ran would be seen by a sanitizer
};

class ToySession final : public kit::Session {
 public:
  ToySession() { ++alive; }
  ~ToySession() override { --alive; }
  kit::Description describe() override {
    kit::Description d;
    d.inputs = {{"x", ASSAY_FLOAT32, true, {-1}, {"n"}}};
    d.outputs = {{"y", ASSAY_FLOAT32, false, {}, {}}};
    d.in_force = {{"device", "cpu"}};
    return d;
  }
  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override {
    if (shapes.size() != 1) throw kit::Failure(ASSAY_INVALID_ARGUMENT, "one shape");
    if (shapes[0].shape.empty()) return nullptr;
    return std::make_unique<ToySlot>();
  }
};

class ToyBackend final : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "toy"; }
  kit::Probe probe(const kit::Host& host) override {
    return {true,
            "",
            "1",
            host.library,
            "built in",
            {{"cpu", "a toy", "toy", 1}, {"gpu:0", "another", "toy2", 2}},
            "no third device"};
  }
  std::span<const assay_option> options() override { return {}; }
  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override {
    if (request.model_path == "throw 4") throw 4;  // NOLINT(hicpp-exception-baseclass): a framework may
    if (request.model_path == "long") throw kit::Failure(ASSAY_INVALID_MODEL, std::string(5000, 'x'));
    request.host.log(ASSAY_LOG_INFO, "opened " + request.model_path + " " + request.option("a", "-"));
    return std::make_unique<ToySession>();
  }
};

const assay_backend_table& table() { return *kit::detail::Table<ToyBackend>::query(ASSAY_ABI_VERSION); }

class KitTest : public testing::Test {
 protected:
  KitTest() {
    error_.struct_size = sizeof error_;
    host_.struct_size = sizeof host_;
    host_.log = [](void* user, assay_log_level, const char* message) { *static_cast<std::string*>(user) += message; };
    host_.log_user = &log_;
  }
  ~KitTest() override { EXPECT_EQ(alive, 0); }
  assay_session* open(const char* model) {
    static const assay_setting kOption{"a", "b"};
    assay_open_request request{};
    request.struct_size = sizeof request;
    request.model_path = model;
    request.device = "cpu";
    request.options = &kOption;
    request.option_count = 1;
    assay_session* session = nullptr;
    status_ = table().open(&host_, &request, &session, &error_);
    return session;
  }
  assay_slot* open_slot(assay_session* session, std::int32_t rank = 1) {
    const std::int64_t shape[] = {1};
    const assay_fixed_shape fixed{"x", rank, 0, shape};
    assay_slot* slot = nullptr;
    status_ = table().slot_open(session, &fixed, 1, &slot, &error_);
    return slot;
  }
  assay_status submit(assay_slot* slot, float x, assay_done_fn done = nullptr, void* user = nullptr) {
    if (x_ != x) x_ = x;  // a batch under way may be reading it
    const std::int64_t shape[] = {1};
    const assay_tensor in{&x_, 4, ASSAY_FLOAT32, ASSAY_HOST, 1, 0, shape, nullptr};
    const assay_tensor out{&y_, 4, ASSAY_FLOAT32, ASSAY_HOST, 1, 0, shape, nullptr};
    return table().submit(slot, &in, 1, &out, 1, done, user, &error_);
  }
  assay_status wait(assay_slot* slot, assay_timing* timing = nullptr) {
    assay_tensor out{};
    return table().wait(slot, &out, 1, timing, &error_);
  }
  float x_ = 0, y_ = 0;
  std::string log_;
  assay_host host_{};
  assay_error error_{};
  assay_status status_ = ASSAY_OK;
};

void count(void* user) { ++*static_cast<std::atomic<int>*>(user); }

TEST_F(KitTest, ProbeAnswersDevices) {
  assay_probe_result result{};
  result.struct_size = sizeof result;
  host_.library = "/some/lib.so";
  ASSERT_EQ(table().probe(&host_, &result, &error_), ASSAY_OK);
  EXPECT_EQ(result.device_count, 2U);
  EXPECT_STREQ(result.devices[1].name, "gpu:0");
  EXPECT_STREQ(result.library, "/some/lib.so");
  EXPECT_STREQ(result.absent, "no third device");
  // A host that was built before there was such a field has no room for it.
  result.absent = "untouched";
  result.struct_size = offsetof(assay_probe_result, absent);
  ASSERT_EQ(table().probe(&host_, &result, &error_), ASSAY_OK);
  EXPECT_STREQ(result.absent, "untouched");
}

TEST_F(KitTest, OpenHandsOverOptionsAndLog) {
  assay_session* session = open("m");
  ASSERT_EQ(status_, ASSAY_OK);
  EXPECT_EQ(log_, "opened m b");
  assay_session_info info{};
  info.struct_size = sizeof info;
  ASSERT_EQ(table().describe(session, &info, &error_), ASSAY_OK);
  EXPECT_STREQ(info.inputs[0].axes[0], "n");
  EXPECT_EQ(info.outputs[0].rank, -1);
  EXPECT_EQ(info.outputs[0].axes, nullptr);
  info.slot_open_ns = 77;
  info.struct_size = offsetof(assay_session_info, slot_open_ns);
  ASSERT_EQ(table().describe(session, &info, &error_), ASSAY_OK);
  EXPECT_EQ(info.slot_open_ns, 77) << "a host that does not know it is not written to";
  table().close(session, nullptr);
}

TEST_F(KitTest, NoExceptionCrosses) {
  EXPECT_EQ(open("throw 4"), nullptr);
  EXPECT_EQ(status_, ASSAY_INTERNAL);
  EXPECT_EQ(open("long"), nullptr);
  EXPECT_EQ(status_, ASSAY_INVALID_MODEL);
  EXPECT_EQ(std::strlen(error_.message), sizeof error_.message - 1) << "cut, and ended";
  assay_session* session = open("m");
  EXPECT_EQ(open_slot(session, 0), nullptr) << "where the plugin answers none, it is no success";
  EXPECT_EQ(status_, ASSAY_INTERNAL);
  assay_slot* slot = open_slot(session);
  const assay_status expected[] = {ASSAY_DEVICE_LOST, ASSAY_OUT_OF_MEMORY, ASSAY_FRAMEWORK, ASSAY_INTERNAL};
  for (int i = 1; i <= 4; ++i) {
    ASSERT_EQ(submit(slot, static_cast<float>(i)), ASSAY_OK);
    EXPECT_EQ(wait(slot), expected[i - 1]);
    EXPECT_GT(std::strlen(error_.message), 0U);
    std::atomic<int> calls{0};
    ASSERT_EQ(submit(slot, static_cast<float>(i), count, &calls), ASSAY_OK);
    EXPECT_EQ(wait(slot), expected[i - 1]) << "the same on the slot's own thread";
    EXPECT_EQ(calls, 1);
  }
  ASSERT_EQ(submit(slot, 8), ASSAY_OK);
  EXPECT_EQ(wait(slot), ASSAY_OK);
  EXPECT_EQ(y_, 16) << "a failure is forgotten by the next batch";
  table().close(session, slot);
  table().close(session, nullptr);
}

TEST_F(KitTest, WithoutACallbackTheBatchRunsInWait) {
  assay_session* session = open("m");
  assay_slot* slot = open_slot(session);
  ASSERT_EQ(submit(slot, 8), ASSAY_OK);
  EXPECT_EQ(y_, 0) << "nothing ran yet";
  assay_timing timing{sizeof timing, 0, 0, 0, 0, 0};
  ASSERT_EQ(wait(slot, &timing), ASSAY_OK);
  EXPECT_EQ(y_, 16);
  EXPECT_EQ(timing.compute_ns, 5);
  EXPECT_EQ(timing.copy_in_ns, -1);
  EXPECT_EQ(timing.ahead_ns, -1);
  timing = {offsetof(assay_timing, ahead_ns), 0, 0, 0, 0, 77};
  ASSERT_EQ(submit(slot, 8), ASSAY_OK);
  ASSERT_EQ(wait(slot, &timing), ASSAY_OK);
  EXPECT_EQ(timing.ahead_ns, 77) << "a host that does not know it is not written to";
  table().close(session, slot);
  table().close(session, nullptr);
}

TEST_F(KitTest, CallbackAndCallersThreadMayTakeTurns) {
  assay_session* session = open("m");
  assay_slot* slot = open_slot(session);
  for (int i = 10; i < 30; ++i) {
    std::atomic<int> calls{0};  // gone when `wait` has returned
    ASSERT_EQ(i % 3 == 0 ? submit(slot, static_cast<float>(i)) : submit(slot, static_cast<float>(i), count, &calls),
              ASSAY_OK);
    ASSERT_EQ(wait(slot), ASSAY_OK);
    EXPECT_EQ(calls, i % 3 == 0 ? 0 : 1);
    EXPECT_EQ(y_, static_cast<float>(2 * i));
  }
  table().close(session, slot);
  table().close(session, nullptr);
}

TEST_F(KitTest, SubmitAndWaitOutOfTurnAreErrors) {
  assay_session* session = open("m");
  assay_slot* slot = open_slot(session);
  EXPECT_EQ(wait(slot), ASSAY_INVALID_ARGUMENT);
  std::atomic<int> calls{0};
  ASSERT_EQ(submit(slot, 8, count, &calls), ASSAY_OK);
  EXPECT_EQ(submit(slot, 8, count, &calls), ASSAY_INVALID_ARGUMENT);
  EXPECT_EQ(wait(slot), ASSAY_OK);
  EXPECT_EQ(calls, 1);
  table().close(session, slot);
  table().close(session, nullptr);
}

TEST_F(KitTest, ASlotMayBeClosedWhileItsBatchRuns) {
  assay_session* session = open("m");
  std::atomic<int> calls{0};
  for (int i = 0; i < 20; ++i) {
    assay_slot* slot = open_slot(session);
    ASSERT_EQ(submit(slot, 8, count, &calls), ASSAY_OK);
    table().close(session, slot);
  }
  EXPECT_EQ(calls, 20) << "a callback is owed for every submit";
  assay_slot* slot = open_slot(session);
  ASSERT_EQ(submit(slot, 8), ASSAY_OK);
  table().close(session, slot);
  table().close(session, nullptr);
}

TEST(KitLibrary, TheNewestFileOfTheFirstRootIsFound) {
  const TemporaryFolder root;
  const std::filesystem::path a = root.path() / "a[1]", b = root.path() / "b";
  std::filesystem::create_directories(a);
  std::filesystem::create_directories(b);
  for (const char* name : {"libtoy.so.1.9", "libtoy.so.1.32"}) std::ofstream(a / name) << "x";
  std::ofstream(b / "libtoy.so.7") << "x";
  kit::Host host;
  host.roots = {{"/missing", "first"}, {a.string(), "second"}, {b.string(), "third"}};
  const char* const patterns[] = {"toy/libtoy.so*", "libtoy.so*"};
  EXPECT_EQ(kit::find_library(host, patterns).path, (a / "libtoy.so.1.32").string());
  EXPECT_EQ(kit::find_library(host, patterns).origin, "second");
  host.library = "/x/liby.so";
  EXPECT_EQ(kit::find_library(host, patterns).path, "/x/liby.so");
  EXPECT_TRUE(kit::find_library(kit::Host(), patterns).path.empty());
  try {
    kit::open_library((b / "libtoy.so.7").string());
    FAIL() << "no library was opened";
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_UNAVAILABLE);
    EXPECT_THAT(e.what(), HasSubstr("libtoy.so.7"));
  }
}

TEST(KitTensor, ChecksShapesAndMemory) {
  const kit::TensorInfo info{"x", ASSAY_FLOAT32, true, {-1, 4}, {}};
  using Axes = std::vector<std::int64_t>;
  EXPECT_NO_THROW(kit::check_shape(info, Axes{2, 4}));
  for (const Axes& bad : {Axes{2, 5}, Axes{2}, Axes{-1, 4}}) EXPECT_THROW(kit::check_shape(info, bad), kit::Failure);
  EXPECT_NO_THROW(kit::check_shape(info, Axes{-1, 4}, true));
  EXPECT_THROW(kit::element_count(Axes{INT64_C(1) << 40, INT64_C(1) << 40}), kit::Failure);
  EXPECT_THROW(kit::element_count(Axes{-1}), kit::Failure);
  EXPECT_EQ(kit::element_count(Axes{3, 0}), 0);
  EXPECT_EQ(kit::to_text(Axes{1, -1}), "1x?");
  const std::int64_t shape[] = {2, 4};
  float memory[8] = {};
  const assay_tensor good{memory, sizeof memory, ASSAY_FLOAT32, ASSAY_HOST, 2, 0, shape, nullptr};
  EXPECT_NO_THROW(kit::check_tensor(info, shape, good));
  assay_tensor bad = good;
  bad.bytes = 31;
  EXPECT_THROW(kit::check_tensor(info, shape, bad), kit::Failure);
  bad = good;
  bad.strides = shape;
  EXPECT_THROW(kit::check_tensor(info, shape, bad), kit::Failure);
}

}  // namespace
}  // namespace assay
