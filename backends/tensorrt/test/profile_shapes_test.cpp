// For which shapes an engine is built, by tables.
#include "profile_shapes.hpp"

#include <gmock/gmock.h>

namespace assay::tensorrt {
namespace {

using testing::HasSubstr;

kit::TensorInfo input(const std::string& name, std::vector<std::int64_t> shape) {
  kit::TensorInfo info;
  info.name = name;
  info.shape = std::move(shape);
  return info;
}

template <class Body>
std::string refused(Body body) {
  try {
    body();
  } catch (const kit::Failure& e) {
    EXPECT_EQ(e.code(), ASSAY_INVALID_ARGUMENT);
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Ranges, ComeFromModelShapesAndBatchSize) {
  struct Row {
    std::vector<std::int64_t> model;
    std::vector<kit::FixedShape> asked;
    FreeAxes free;
    std::string text;
  };
  const FreeAxes batch8{8, false, 1, {}}, dynamic8{8, true, 1, {}}, dynamic8to32{8, true, 1, 32}, unknown{},
      typical16{0, false, 16, 128};
  const Row rows[] = {
      {{4, 3}, {}, batch8, "4x3"},
      {{-1, 3}, {}, batch8, "8x3"},
      {{-1, 3}, {}, dynamic8, "1 to 8 x 3, best 8 x 3"},
      {{-1, 3}, {}, dynamic8to32, "1 to 32 x 3, best 8 x 3"},
      {{-1, 3}, {}, unknown, "1 to 64 x 3, best 1 x 3"},
      {{-1, 3}, {}, typical16, "1 to 128 x 3, best 16 x 3"},
      {{-1, 3, -1}, {{"x", {-1, 3, 224}}}, batch8, "8x3x224"},
      {{-1, 3, -1}, {{"x", {2, 3, 224}}}, dynamic8, "2x3x224"},
      {{}, {}, batch8, "scalar"},
  };
  for (const Row& row : rows) {
    const std::vector<kit::TensorInfo> inputs = {input("x", row.model)};
    const std::vector<InputRange> ranges = ranges_of(inputs, row.asked, row.free);
    ASSERT_EQ(ranges.size(), 1U);
    EXPECT_EQ(to_text(ranges[0]), row.text);
    EXPECT_EQ(ranges[0].fixed(), row.text.find("to") == std::string::npos);
  }
}

TEST(Ranges, RefuseWhatIsNoShapeOfTheModel) {
  struct Row {
    kit::FixedShape asked;
    FreeAxes free;
    const char* says;
  };
  const Row rows[] = {
      {{"z", {1, 3}}, {}, "the model's inputs are: x"},
      {{"x", {1, 4}}, {}, "does not fit 'x'"},
      {{"x", {1}}, {}, "does not fit 'x'"},
      {{"x", {-1, 3}}, {0, false, 100, 10}, "above largest_size"},
  };
  const std::vector<kit::TensorInfo> inputs = {input("x", {-1, 3})};
  for (const Row& row : rows) {
    EXPECT_THAT(refused([&] { (void)ranges_of(inputs, {&row.asked, 1}, row.free); }), HasSubstr(row.says));
  }
}

TEST(Ranges, SayWhatTheyTakeAndHowToHaveMore) {
  const InputRange range{"x", {{1, 8, 32}, {3, 3, 3}}};
  using Shape = std::vector<std::int64_t>;
  for (const Shape& fits : {Shape{1, 3}, {8, 3}, {32, 3}}) EXPECT_NO_THROW(check_within(range, fits));
  for (const Shape& other : {Shape{33, 3}, {0, 3}, {8, 4}, {8}, {8, 3, 1}, {}}) {
    const std::string said = refused([&] { check_within(range, other); });
    EXPECT_THAT(said, HasSubstr("built for 1 to 32 x 3, best 8 x 3"));
    EXPECT_THAT(said, HasSubstr("largest_size"));
  }
}

}  // namespace
}  // namespace assay::tensorrt
