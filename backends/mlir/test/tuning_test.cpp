#include "compiler/tuning.hpp"

#include <gmock/gmock.h>

#include "compiler/chunks.hpp"
#include "test/models.hpp"

namespace assay::compiler {
namespace {

using test::TestModel;
using testing::IsEmpty;

TEST(Tuning, IsReadBackAsItWasWritten) {
  Tuning tuning{12, 9, {}};
  tuning.schedules["1x3x9x9 by 16x3x3x3 strides 1x1"] = {{4, 9, {2, 7}}, 1200, 1000};
  tuning.schedules["2x8x5x5 by 16x8x1x1"] = {{0, 0, {1, 14}}, 88, 80};
  const std::optional<Tuning> read = tuning_of(to_text(tuning));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->problems, 12);
  EXPECT_EQ(read->measured, 9);
  EXPECT_EQ(read->schedules, tuning.schedules);
  EXPECT_TRUE(tuning_of("3 3\n")->schedules.empty());
  for (const char* broken :
       {"", "3\n", "1 1\n4 9 2 7 1200\n", "1 1\nfour 9 2 7 8 7 a\n", "1 1\n4 9 2 7 8 7\n", "1 1\n\n"})
    EXPECT_FALSE(tuning_of(broken)) << broken;
}

TEST(Tuning, ATileThatDoesNotFitIsNotTaken) {
  const Target target{"", "", 16, 32};
  const Tile model = choose_tile(28, 4, target);
  const auto tile = [&](std::int64_t vectors, std::int64_t pixels, std::int64_t m = 0) {
    const ConvSchedule s{m, 0, {vectors, pixels}};
    return tile_of(&s, 0, model, 28, 4, target);
  };
  EXPECT_EQ(tile(4, 5), (Tile{4, 5}));
  EXPECT_EQ(tile(3, 5), model);   // 4 blocks are not threes
  EXPECT_EQ(tile(1, 29), model);  // a row has 28
  EXPECT_EQ(tile(4, 8), model);   // 37 registers
  EXPECT_EQ(tile(0, 0), model);
  EXPECT_EQ(tile(4, 5, 2), model);  // of another method
  EXPECT_EQ(tile_of(nullptr, 0, model, 28, 4, target), model);
}

/// Convolutions of large images, then one of many channels over what is left of them.
std::vector<std::int64_t> chunks(std::int64_t samples, std::int64_t l2_bytes, std::int64_t l3_bytes) {
  TestModel m;
  const Shape shape = {samples, 32, 64, 64};
  m.input("x", shape).weights("w", {32, 32, 1, 1}).weights("v", {1024, 1024, 1, 1});
  m.node("Conv", {"x", "w"}, {"a"}).node("Conv", {"a", "w"}, {"b"}).node("Conv", {"b", "w"}, {"c"});
  m.node("Reshape", {"c", "s"}, {"r"}).integers("s", {0, 1024, 16, 8}).node("Conv", {"r", "v"}, {"y"}).output("y");
  std::string bytes;
  Target target{"", "", 16, 32};
  target.l2_bytes = l2_bytes;
  target.l3_bytes = l3_bytes;
  return chunks_of(test::imported(m, {{"x", shape}}, bytes), target, Math::kStrict);
}

TEST(Chunks, AreFewSamplesWhereImagesAreLargeAndAllWhereWeightsAre) {
  const std::vector<std::int64_t> some = chunks(8, 1 << 20, 8 << 20);
  ASSERT_EQ(some.size(), 5U);
  EXPECT_LT(some[0], 8);
  EXPECT_EQ(some[4], 8);
}

TEST(Chunks, AreNotMadeWhereACacheHoldsAllOrThereIsNothingToSplit) {
  EXPECT_THAT(chunks(8, 1 << 20, 1 << 30), IsEmpty());
  EXPECT_THAT(chunks(1, 1 << 20, 8 << 20), IsEmpty());
  EXPECT_THAT(chunks(0, 1 << 20, 8 << 20), IsEmpty());
}

TEST(Chunks, DivideTheBatchAndOneAnother) {
  for (const std::int64_t samples : {6, 12, 20, 30, 48, 1000}) {
    TestModel m;
    const Shape shape = {samples, 16, 48, 48};
    m.input("x", shape).node("Relu", {"x"}, {"r"});
    m.node("MaxPool", {"r"}, {"y"}, {{"kernel_shape", Shape{2, 2}}, {"strides", Shape{2, 2}}}).output("y");
    std::string bytes;
    const Graph graph = test::imported(m, {{"x", shape}}, bytes);
    for (const std::int64_t l2_bytes : {1 << 19, 1 << 20, 3 << 19, 1 << 21}) {
      Target target{"", "", 16, 32};
      target.l2_bytes = l2_bytes;
      std::int64_t before = 1;
      for (const std::int64_t chunk : chunks_of(graph, target, Math::kFast)) {
        EXPECT_EQ(samples % chunk, 0);
        EXPECT_EQ(chunk % before, 0) << before << " then " << chunk << " of " << samples;
        before = chunk;
      }
    }
  }
}

}  // namespace
}  // namespace assay::compiler
