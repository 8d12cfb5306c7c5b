// The host over the null backend: everything that src/backend answers for, without a framework.
#include "backend/backend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "backend/search.hpp"
#include "base/file.hpp"
#include "support/environment.hpp"

namespace assay::backend {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Runs `body`, which must throw Error(code); answers its whole text.
template <class Body>
std::string error_of(ErrorCode code, Body body) {
  try {
    body();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

class HostTest : public testing::Test {
 protected:
  HostTest() { std::ofstream(model_) << "anything"; }
  OpenRequest request(std::map<std::string, std::string> options = {}) {
    OpenRequest r;
    r.model = model_;
    options.try_emplace("io", "x:float32:-1x4->y:float32:-1x3");
    r.options = std::move(options);
    return r;
  }
  TemporaryFolder folder_;
  std::filesystem::path model_ = folder_.path() / "model.onnx";
  Backend null_ = load_backend("null");
};

TEST_F(HostTest, FindsThePluginsOfTheBuildTree) {
  const std::vector<std::string> names = backend_names();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.back(), "null");
  EXPECT_EQ(null_.name(), "null");
  EXPECT_EQ(null_.plugin().filename(), "libassay_backend_null.so");
}

TEST_F(HostTest, AnUnknownBackendNamesTheNearOne) {
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [] { (void)load_backend("nul"); }),
              HasSubstr("there is no backend 'nul'; did you mean 'null'?"));
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [] { (void)load_backend("../null"); }),
              HasSubstr("there is no backend"));
}

TEST_F(HostTest, BackendPathIsLookedThroughFirst) {
  std::filesystem::copy_file(null_.plugin(), folder_.path() / "libassay_backend_null.so");
  const ScopedVariable path("ASSAY_BACKEND_PATH", "/nowhere:" + folder_.path().string());
  EXPECT_EQ(load_backend("null").plugin().parent_path(), std::filesystem::canonical(folder_.path()));
}

TEST_F(HostTest, AFileThatIsNoPluginIsRefusedWithItsPath) {
  const std::filesystem::path file = folder_.path() / "libassay_backend_broken.so";
  std::ofstream(file) << "not a library";
  const std::string text = error_of(ErrorCode::kUnavailable, [&] { (void)load_plugin(file); });
  EXPECT_THAT(text, HasSubstr("libassay_backend_broken.so"));
  EXPECT_THAT(text, HasSubstr("cannot be opened"));
  EXPECT_THAT(error_of(ErrorCode::kUnavailable, [&] { (void)load_plugin(folder_.path() / "none.so"); }),
              HasSubstr("there is no such plugin file"));
}

TEST_F(HostTest, APluginUnderAnotherNameIsRefused) {
  const std::filesystem::path file = folder_.path() / "libassay_backend_other.so";
  std::filesystem::copy_file(null_.plugin(), file);
  EXPECT_THAT(error_of(ErrorCode::kUnavailable, [&] { (void)load_plugin(file); }),
              HasSubstr("calls itself 'null', its file name says 'other'"));
}

TEST_F(HostTest, ProbeSaysWhatIsThereOrWhyNot) {
  const Probe probe = null_.probe();
  EXPECT_TRUE(probe.available);
  ASSERT_EQ(probe.devices.size(), 2U);
  EXPECT_EQ(probe.devices[0].name, "cpu");
  EXPECT_EQ(probe.devices[1].name, "gpu:0");
  const ScopedVariable missing("ASSAY_NULL_UNAVAILABLE", "no driver was met");
  EXPECT_FALSE(null_.probe().available);
  EXPECT_EQ(null_.probe().reason, "no driver was met");
  EXPECT_THAT(error_of(ErrorCode::kUnavailable, [&] { (void)null_.open(request()); }), HasSubstr("no driver was met"));
}

TEST_F(HostTest, OptionsAreCheckedBeforeOpening) {
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)null_.open(request({{"compute_m", "1"}})); }),
              HasSubstr("null.compute_m: backend 'null' has no option 'compute_m'; did you mean 'compute_ms'?"));
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)null_.open(request({{"compute_ms", "-1"}})); }),
              HasSubstr("null.compute_ms: the value '-1' does not fit: it takes a number from 0 to 1e+06 (default 0)"));
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)null_.open(request({{"short_batch", "cut"}})); }),
              HasSubstr("one of reshape, pad (default reshape)"));
}

TEST_F(HostTest, AThreadOrFlightCountOutOfRangeIsRefused) {
  OpenRequest r = request();
  r.threads = 0;
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)null_.open(r); }), HasSubstr("0 threads"));
  r.threads = 1;
  r.in_flight = -1;
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)null_.open(r); }), HasSubstr("-1 batches in flight"));
}

TEST_F(HostTest, AShapeForNoInputIsRefused) {
  OpenRequest r = request();
  r.shapes["X"] = {2, 4};
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)null_.open(r); }), HasSubstr("'X', which is no input"));
  r.shapes = {{"x", {2, 4, 1}}};
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)null_.open(r); }), HasSubstr("2x4x1"));
}

TEST_F(HostTest, DescribesTheModel) {
  BackendSession session = null_.open(request({{"io", "a:float32:-1x8,b:int64:2->y:float32:-1x4,z:uint8:?"}}));
  const SessionInfo& info = session.info();
  ASSERT_EQ(info.inputs.size(), 2U);
  EXPECT_EQ(info.inputs[0].shape, (Shape{-1, 8}));
  EXPECT_EQ(info.inputs[0].axes, (std::vector<std::string>{"batch", ""}));
  EXPECT_EQ(info.inputs[1].dtype, DType::kInt64);
  EXPECT_TRUE(info.outputs[0].rank_known);
  EXPECT_FALSE(info.outputs[1].rank_known);
  EXPECT_EQ(info.in_force.at("precision"), "f32");
}

TEST_F(HostTest, FailuresOfThePluginKeepTheirCodeAndWords) {
  EXPECT_THAT(error_of(ErrorCode::kFramework, [&] { (void)null_.open(request({{"fail_at", "open"}})); }),
              HasSubstr("told to fail at open"));
  EXPECT_THAT(error_of(ErrorCode::kFramework, [&] { (void)null_.open(request({{"fail_at", "describe"}})); }),
              HasSubstr("told to fail at describe"));
  BackendSession session = null_.open(request({{"fail_at", "slot:2"}}));
  Slot slot = session.open_slot(std::vector<Shape>{{1, 4}});
  EXPECT_THAT(error_of(ErrorCode::kFramework, [&] { (void)session.open_slot(std::vector<Shape>{{1, 4}}); }),
              HasSubstr("null: "));
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)session.open_slot(std::vector<Shape>{{1, 5}}); }),
              HasSubstr("1x5"));
  EXPECT_THAT(error_of(ErrorCode::kInvalidArgument, [&] { (void)session.open_slot({}); }), HasSubstr("has 1 inputs"));
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { (void)session.report("profile"); }), HasSubstr("profile"));
  EXPECT_THAT(session.report("plan"), HasSubstr("float32"));
}

TEST_F(HostTest, RunsABatchInTheCallersMemory) {
  BackendSession session = null_.open(request());
  Slot slot = session.open_slot(std::vector<Shape>{{2, 4}});
  const float x[8] = {1, 2, 3, 4, 1, 2, 3, 4};
  float y[6] = {-1, -1, -1, -1, -1, -1};
  const std::int64_t in_shape[2] = {2, 4}, out_shape[2] = {2, 3};
  const assay_tensor in{const_cast<float*>(x), sizeof x, ASSAY_FLOAT32, ASSAY_HOST, 2, 0, in_shape, nullptr};
  assay_tensor out{y, sizeof y, ASSAY_FLOAT32, ASSAY_HOST, 2, 0, out_shape, nullptr};
  slot.submit({&in, 1}, {&out, 1}, nullptr, nullptr);
  assay_timing timing{};
  slot.wait({&out, 1}, &timing);
  EXPECT_EQ(out.data, y);
  EXPECT_GE(timing.compute_ns, 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_GE(y[i], 0);
    EXPECT_EQ(y[i], y[i + 3]) << "equal samples have equal answers";
  }
  EXPECT_NE(y[0], y[1]);
}

TEST_F(HostTest, ThePluginsWordsReachTheListenerWhoMayThrow) {
  std::vector<std::string> heard;
  OpenRequest r = request();
  r.log = [&](LogLevel level, const std::string& text) {
    EXPECT_EQ(level, LogLevel::kInfo);
    heard.push_back(text);
    throw std::runtime_error("a listener's mistake");
  };
  (void)null_.open(r);
  EXPECT_THAT(heard, ElementsAre(HasSubstr("pretending to load")));
}

TEST_F(HostTest, CachedGraphsAreReadAndOthersRefused) {
  const TemporaryFolder cache;
  OpenRequest r = request();
  r.cache_fill = cache.path();
  EXPECT_FALSE(null_.open(r).info().from_cache);
  r.cache_fill.clear();
  r.cache_read = cache.path();
  EXPECT_TRUE(null_.open(r).info().from_cache);
  r.options["io"] = "x:float32:-1x5->y:float32:-1x3";
  EXPECT_THAT(error_of(ErrorCode::kFramework, [&] { (void)null_.open(r); }), HasSubstr("no graph of this model"));
}

TEST_F(HostTest, MovedSlotsAndSessionsCloseOnce) {
  BackendSession session = null_.open(request());
  Slot a = session.open_slot(std::vector<Shape>{{1, 4}});
  Slot b = std::move(a);
  a = session.open_slot(std::vector<Shape>{{2, 4}});
  std::swap(a, b);
  {
    Slot c = std::move(a);
  }
  b = session.open_slot(std::vector<Shape>{{3, 4}});
  BackendSession moved = std::move(session);
  EXPECT_EQ(moved.info().inputs.size(), 1U);
  session = std::move(moved);  // which goes after its slots
}

TEST_F(HostTest, APluginGetsAListThatWasChecked) {
  EXPECT_EQ(null_.checked({{"untold", "compute, copy_in"}, {"jitter", "0"}}),
            (std::map<std::string, std::string>{{"untold", "copy_in,compute"}, {"jitter", "0"}}));
  const auto compute_ns = [&](const std::string& untold) {
    BackendSession session = null_.open(request({{"untold", untold}}));
    Slot slot = session.open_slot(std::vector<Shape>{{1, 4}});
    std::vector<float> x(4), y(3);
    const std::int64_t x_shape[] = {1, 4}, y_shape[] = {1, 3};
    const assay_tensor in{x.data(), 16, ASSAY_FLOAT32, ASSAY_HOST, 2, 0, x_shape, nullptr};
    assay_tensor out{y.data(), 12, ASSAY_FLOAT32, ASSAY_HOST, 2, 0, y_shape, nullptr};
    slot.submit({&in, 1}, {&out, 1}, nullptr, nullptr);
    assay_timing timing{};
    slot.wait({&out, 1}, &timing);
    return timing.compute_ns;
  };
  EXPECT_GE(compute_ns(""), 0);
  EXPECT_EQ(compute_ns(" copy_out , compute "), -1) << "blanks do not reach the plugin";
}

TEST_F(HostTest, BuffersComeAlignedAndGoAgain) {
  BackendSession session = null_.open(request());
  void* pinned = session.allocate(ASSAY_PINNED, 100);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pinned) % 64, 0U);
  session.release(ASSAY_PINNED, pinned);
  session.release(ASSAY_PINNED, nullptr);
  EXPECT_THAT(error_of(ErrorCode::kUnsupported, [&] { (void)session.allocate(ASSAY_DEVICE, 100); }),
              HasSubstr("memory"));
}

TEST(CheckedValue, EveryTypeHasItsRange) {
  Option option{"n", ASSAY_OPTION_INT, false, "auto", 1, 8, {}, ""};
  for (const char* good : {"1", "8", "auto"}) EXPECT_NO_THROW(checked_value("b", option, good)) << good;
  for (const char* bad : {"0", "9", "1.5", "", " 1", "1 ", "0x1", "99999999999999999999", "automatic"}) {
    EXPECT_THROW(checked_value("b", option, bad), Error) << bad;
  }
  option.type = ASSAY_OPTION_REAL;
  for (const char* good : {"1", "7.5", "1e0"}) EXPECT_NO_THROW(checked_value("b", option, good)) << good;
  for (const char* bad : {"nan", "inf", "0.99", "eight"}) EXPECT_THROW(checked_value("b", option, bad), Error) << bad;
  option.type = ASSAY_OPTION_BOOL;
  option.default_value = "false";
  EXPECT_NO_THROW(checked_value("b", option, "true"));
  for (const char* bad : {"yes", "auto", "TRUE"}) EXPECT_THROW(checked_value("b", option, bad), Error) << bad;
  option.type = ASSAY_OPTION_TEXT;
  EXPECT_EQ(checked_value("b", option, " what, ever "), " what, ever ");
}

TEST(CheckedValue, AListIsSomeOfTheChoicesInTheirOrder) {
  const Option option{"without", ASSAY_OPTION_LIST, true, "", 0, 0, {"fold", "fuse", "drop"}, "passes"};
  const std::pair<const char*, const char*> good[] = {
      {"", ""}, {" ", ""}, {"drop", "drop"}, {" drop ,fold", "fold,drop"}, {"fuse,fuse", "fuse"}};
  for (const auto& [given, taken] : good) EXPECT_EQ(checked_value("b", option, given), taken) << given;
  const auto refusal = [&](const char* list) {
    return error_of(ErrorCode::kInvalidArgument, [&] { (void)checked_value("b", option, list); });
  };
  EXPECT_EQ(refusal("fold, fus"),
            "b.without: 'fus' of 'fold, fus' is none of its choices (did you mean 'fuse'?): it takes a list of fold, "
            "fuse, drop, by commas, or nothing (default \"\")");
  EXPECT_THAT(refusal("pool"), HasSubstr("'pool' of 'pool' is none of its choices: it takes"));
  for (const char* empty : {",", "fold,", ",fold", "fold,,drop"}) EXPECT_THAT(refusal(empty), HasSubstr("is empty"));
  EXPECT_THAT(refusal("auto"), HasSubstr("none of its choices"));
}

TEST(CheckedValue, AListThatThePluginChoosesMayBeLeftToIt) {
  const Option option{"without", ASSAY_OPTION_LIST, true, "auto", 0, 0, {"fold"}, "passes"};
  EXPECT_EQ(checked_value("b", option, "auto"), "auto");
  EXPECT_EQ(checked_value("b", option, ""), "");
}

}  // namespace
}  // namespace assay::backend
