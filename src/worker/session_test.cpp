#include "worker/session.hpp"

#include <gtest/gtest.h>

namespace assay::worker {
namespace {

constexpr std::uint64_t kMebi = 1 << 20;

measure::ProcessMemory memory(std::uint64_t now, std::uint64_t peak) {
  return {.pss = now * kMebi, .resident = now * kMebi, .peak_resident = peak * kMebi};
}

TEST(ParamsOfARequest, EveryEngineOfAPlacedEnsembleHasItsLibrary) {
  Request request;
  request.test_case.backend = "x+y";
  request.library = "/lib/x.so";
  request.libraries = {{"x", "/lib/x.so"}, {"y", "/lib/y.so"}};
  Reporter reporter([](const Event&) {});
  const Params params = params_of(request, {}, reporter);
  EXPECT_EQ(params.backend, "x");
  EXPECT_EQ(params.library, request.library);
  EXPECT_EQ(params.libraries, request.libraries);
}

TEST(Memory, GeneratedInputsAreTakenOffAPeakThatHeldThemAndOffNoOther) {
  struct Row {
    const char* when;
    std::uint64_t peak_before, peak_now;
    double expected;
  };
  // 60 MiB of inputs are made when 100 MiB are in use.
  for (const Row& row : {Row{"the peak came while loading", 300, 300, 300},
                         {"while measuring", 110, 200, 140},
                         {"while measuring, a little above loading", 150, 200, 150}}) {
    MemoryMarks marks;
    marks.start = memory(10, 10);
    marks.library = memory(20, 20);
    marks.before_inputs = memory(100, row.peak_before);
    marks.now = memory(170, row.peak_now);
    TaskResult result;
    put_memory(marks, 60 * kMebi, result);
    EXPECT_DOUBLE_EQ(result.values.at("memory.peak").front() / kMebi, row.expected) << row.when;
    EXPECT_DOUBLE_EQ(result.values.at("memory.resting").front() / kMebi, 110) << row.when;
  }
}

}  // namespace
}  // namespace assay::worker
