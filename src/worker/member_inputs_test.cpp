#include "worker/member_inputs.hpp"

#include <gtest/gtest.h>

namespace assay::worker {
namespace {

TensorInfo image(const std::string& name, Shape shape = {-1, 3, -1, -1}) {
  TensorInfo t;
  t.name = name;
  t.dtype = DType::kFloat32;
  t.shape = std::move(shape);
  t.batch_axis = 0;
  return t;
}

const Shape kSmall = {1, 3, 32, 32}, kLarge = {1, 3, 64, 64};

TEST(MemberInputs, AreNamedAsThoseThatAreChosenNameThem) {
  // One input of the ensemble, x, that the members call x, image and y; and a fourth member's own, w.z and w.x.
  const std::vector<MemberFile> files = {
      {"a.onnx", {image("x")}},
      {"b.onnx", {image("image")}},
      {"c.onnx", {image("y")}},
      {"w.onnx", {image("z", {-1, 4}), image("x", {-1, 5})}},
  };
  struct Row {
    const char* what;
    std::vector<std::size_t> chosen;
    std::map<std::string, Shape> shapes;
  };
  const std::vector<Row> rows = {
      {"the first alone", {0}, {{"x", kSmall}}},
      {"another alone", {1}, {{"image", kSmall}}},
      {"a pair is named after its first", {1, 2}, {{"image", kSmall}}},
      {"the ensemble's second input of that name", {3}, {{"x", {1, 5}}}},
      {"a pair of which only one names it so", {1, 3}, {{"image", kSmall}, {"x", {1, 5}}}},
      {"all", {0, 1, 2, 3}, {{"a.x", kSmall}, {"w.x", {1, 5}}}},
  };
  for (const Row& row : rows) {
    Case c;
    c.shapes = {{"a.x", kSmall}, {"w.x", {1, 5}}, {"no such", kLarge}};
    rename_inputs(files, row.chosen, c);
    EXPECT_EQ(c.shapes, row.shapes) << row.what;
  }
}

TEST(MemberInputs, AllThatIsSaidOfAnInputMovesWithIt) {
  const std::vector<MemberFile> files = {{"a.onnx", {image("x")}}, {"b.onnx", {image("image")}}};
  const std::vector<std::size_t> second = {1};
  Case c;
  c.shapes = {{"x", kSmall}};
  c.batch_axis = {{"x", 0}};
  c.data.ranges = {{"x", {0, 5}}};
  c.data.source = "x=there_is_no_such_file.npy";
  rename_inputs(files, second, c);
  EXPECT_EQ(c.shapes.at("image"), kSmall);
  EXPECT_EQ(c.batch_axis.at("image"), 0);
  EXPECT_EQ(c.data.ranges.at("image"), std::pair(std::int64_t{0}, std::int64_t{5}));
  EXPECT_EQ(c.data.source, "image=there_is_no_such_file.npy");
}

}  // namespace
}  // namespace assay::worker
