// A session while it is asked by several threads.
#include "session.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <variant>

#include "test/compiled.hpp"
#include "test/sessions.hpp"

namespace assay::mlir_backend {
namespace {

using test::in_force;

class Sessions : public test::SessionTest {};

/// A convolution of any batch that is even, so that nothing is compiled when the model is opened.
compiler::test::TestModel even_batches() {
  compiler::test::TestModel m;
  m.input("x", {-1, 32, 8, 8})
      .integers("pairs", {-1, 2, 32, 8, 8})
      .integers("images", {-1, 32, 8, 8})
      .weights("w", {32, 32, 3, 3})
      .node("Reshape", {"x", "pairs"}, {"p"})
      .node("Reshape", {"p", "images"}, {"i"})
      .node("Conv", {"i", "w"}, {"y"})
      .output("y");
  return m;
}

TEST_F(Sessions, SayWhatAutotuneFoundWhileItIsFound) {
  write(even_batches());
  request_.options["autotune"] = "1";
  request_.profile = true;
  MlirSession session(request_);
  EXPECT_EQ(in_force(session.describe(), "measured_convolutions"), "") << "it was compiled when it was opened";
  std::atomic<bool> done = false;
  std::thread opens([&] {
    const std::vector<kit::FixedShape> shapes = {{"x", {2, 32, 8, 8}}};
    (void)session.open_slot(shapes);
    done = true;
  });
  int asked = 0;  // waits for nothing that is compiled
  while (!done) {
    const kit::Description d = session.describe();
    EXPECT_EQ(in_force(d, "measured_convolutions").empty(), in_force(d, "autotune").empty());
    ++asked;
  }
  opens.join();
  EXPECT_GT(asked, 100);
  EXPECT_EQ(in_force(session.describe(), "convolutions"), "1");
  EXPECT_EQ(in_force(session.describe(), "measured_convolutions"), "1");
  EXPECT_THAT(session.report("profile"),
              testing::HasSubstr(R"("autotune": {"different_convolutions": 1, "measured": 1)"));
}

TEST_F(Sessions, AShortBatchMayHaveASlotOfItsOwnAndWhatThatTakesGoesIntoTheCache) {
  write(test::convolution());
  request_.batch_size = 4;
  const std::filesystem::path folder = folder_ / "cache";
  std::filesystem::create_directory(folder);
  request_.cache_fill = folder;
  const kit::Description compiled = MlirSession(request_).describe();
  EXPECT_EQ(compiled.short_batch, ASSAY_SHORT_BATCH_EITHER);
  EXPECT_EQ(in_force(compiled, "short_batch"), "auto");
  EXPECT_GT(compiled.slot_open_ns, 0);
  request_.cache_fill = "";
  request_.cache_read = folder;
  EXPECT_EQ(MlirSession(request_).describe().slot_open_ns, compiled.slot_open_ns);
  constexpr std::int64_t kKnown = 123456789;
  std::ofstream(folder / "compile_ns.txt") << kKnown << "\n";
  MlirSession session(request_);
  EXPECT_TRUE(session.describe().from_cache);
  EXPECT_EQ(session.describe().slot_open_ns, kKnown);
  const std::vector<kit::FixedShape> shorter = {{"x", {3, 32, 8, 8}}};
  EXPECT_NE(session.open_slot(shorter), nullptr);
  EXPECT_NE(session.describe().slot_open_ns, kKnown) << "the time of what was compiled last";
  std::ofstream(folder / "compile_ns.txt") << "?";
  EXPECT_FALSE(MlirSession(request_).describe().from_cache) << "a cache that is damaged";
}

TEST_F(Sessions, ThatHaveNoFreeBatchFillUpWhateverIsAskedFor) {
  compiler::test::TestModel m;
  m.input("x", {4, 32, 8, 8}).weights("w", {32, 32, 3, 3}).node("Conv", {"x", "w"}, {"y"}).output("y");
  write(m);
  request_.batch_size = 4;
  for (const char* asked : {"auto", "compile", "pad"}) {
    request_.options["short_batch"] = asked;
    const kit::Description d = MlirSession(request_).describe();
    EXPECT_EQ(d.short_batch, ASSAY_SHORT_BATCH_PAD) << asked;
    EXPECT_EQ(in_force(d, "short_batch"), "pad") << asked;
  }
}

/// The answer for a target, or why it is refused.
std::variant<std::vector<float>, std::string> answer_for(kit::OpenRequest request, const std::string& target) {
  request.options["target"] = target;
  try {
    MlirSession session(request);
    EXPECT_EQ(in_force(session.describe(), "target"), target);
    if (target == "avx2") {
      EXPECT_EQ(in_force(session.describe(), "vector_width"), "256");
    } else if (target == "avx512") {
      EXPECT_EQ(in_force(session.describe(), "vector_width"), "512");
    }
    return test::answer_of(session);
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_UNSUPPORTED);
    return e.what();
  }
}

TEST_F(Sessions, AreOfTheTargetThatIsAskedForAndAnswerAlike) {
  write(test::convolution());
  const auto expected = std::get<std::vector<float>>(answer_for(request_, "host"));
  for (const char* target : {"avx512", "avx2"}) {
    const auto found = answer_for(request_, target);
    const std::string why_not = compiler::test::why_not_here(target);
    ASSERT_EQ(std::holds_alternative<std::string>(found), !why_not.empty()) << target;
    if (!why_not.empty()) {
      EXPECT_EQ(std::get<std::string>(found), why_not);
      continue;
    }
    const auto& answer = std::get<std::vector<float>>(found);
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(answer[i], expected[i], 1e-4) << target;
  }
  EXPECT_THAT(std::get<std::string>(answer_for(request_, "avx10")),
              testing::HasSubstr("code for avx10 was asked for, which this CPU"));
}

/// Always four rows, however many samples.
TEST_F(Sessions, WhereAnOutputDoesNotGrowWithTheBatchAShortOneIsFilledUp) {
  compiler::test::TestModel m;
  m.input("x", {-1, 32}).integers("rows", {4, -1}).node("Reshape", {"x", "rows"}, {"y"}).output("y");
  write(m);
  request_.batch_size = 8;
  const kit::Description d = MlirSession(request_).describe();
  EXPECT_EQ(d.short_batch, ASSAY_SHORT_BATCH_PAD);
  EXPECT_EQ(in_force(d, "short_batch"), "pad");
  EXPECT_EQ(d.inputs[0].shape, (std::vector<std::int64_t>{8, 32}));
  EXPECT_EQ(d.outputs[0].shape, (std::vector<std::int64_t>{4, 64}));
  request_.options["short_batch"] = "compile";
  EXPECT_EQ(MlirSession(request_).describe().inputs[0].shape, (std::vector<std::int64_t>{-1, 32}));
}

}  // namespace
}  // namespace assay::mlir_backend
