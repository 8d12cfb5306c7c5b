#include "cli/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "cli/answer_files.hpp"

namespace assay::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const TensorInfo kRows{"y", DType::kFloat32, {-1, 2}, {"batch", ""}, 0};

Tensor floats(Shape shape, float first = 0) {
  Tensor t(DType::kFloat32, std::move(shape));
  for (std::int64_t i = 0; i < t.size(); ++i) t.as<float>()[i] = first + static_cast<float>(i);
  return t;
}

void add(Answers& answers, std::int64_t first, std::int64_t count, const Tensor& t) {
  const TensorView view = t.view();
  answers.add(first, count, {&view, 1});
}

TEST(Answers, ArePutTogetherBySample) {
  Answers answers({kRows}, 3);
  add(answers, 0, 2, floats({2, 2}));
  add(answers, 2, 1, floats({1, 2}, 4));
  EXPECT_EQ(answers.tensors()[0].shape(), (Shape{3, 2}));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(answers.tensors()[0].as<float>()[i], static_cast<float>(i));
  ASSERT_TRUE(answers.by_sample(0));
  EXPECT_THAT(answers.top(0, 2, 1).values, ElementsAre(std::pair<std::int64_t, double>(1, 5)));
}

// What NonZero and NonMaxSuppression give: as many rows as were found, by chance as many as samples.
TEST(Answers, RowsThatWereFoundAreAppended) {
  const std::vector<std::vector<std::int64_t>> all = {{5, 0, 3}, {2, 2, 1}, {0, 2, 1}, {2, 9, 9}, {0, 0, 0}};
  for (const auto& rows : all) {
    Answers answers({kRows}, 5);
    float next = 0;
    for (std::int64_t batch = 0; batch < 3; ++batch) {
      const std::int64_t found = rows[static_cast<std::size_t>(batch)];
      add(answers, 2 * batch, batch == 2 ? 1 : 2, floats({found, 2}, next));
      next += static_cast<float>(2 * found);
    }
    const Tensor& whole = answers.tensors()[0];
    EXPECT_EQ(whole.shape(), (Shape{rows[0] + rows[1] + rows[2], 2}));
    for (std::int64_t i = 0; i < whole.size(); ++i) ASSERT_EQ(whole.as<float>()[i], static_cast<float>(i));
    EXPECT_EQ(answers.by_sample(0), (rows == std::vector<std::int64_t>{2, 2, 1}));
  }
}

TEST(Answers, AScalarIsKeptOfOneBatchAndRefusedOfTwo) {
  for (const int axis : {0, -1}) {
    const TensorInfo scalar{"loss", DType::kFloat32, {}, {}, axis};
    Answers answers({scalar}, 3);
    add(answers, 0, 3, floats({}));
    EXPECT_EQ(answers.tensors()[0].shape(), Shape{});
    EXPECT_FALSE(answers.by_sample(0));
    Answers two({scalar}, 3);
    add(two, 0, 2, floats({}));
    EXPECT_THAT([&] { add(two, 2, 1, floats({})); }, ThrowsMessage<Error>(HasSubstr("--batch-size 3")));
  }
}

TEST(Answers, WithoutABatchAxisAreTheOneSample) {
  Answers answers({{"y", DType::kFloat32, {2, 2}, {"", ""}, -1}}, 1);
  add(answers, 0, 1, floats({2, 2}));
  EXPECT_TRUE(answers.by_sample(0));
  EXPECT_EQ(answers.top(0, 0, 9).values.size(), 4U);
}

TEST(Answers, OfAnotherShapeInALaterBatchAreRefused) {
  Answers answers({kRows}, 4);
  add(answers, 0, 2, floats({2, 2}));
  EXPECT_THAT([&] { add(answers, 2, 2, floats({2, 3})); },
              ThrowsMessage<Error>(HasSubstr("was 2x2 and is 2x3 in a later batch")));
}

TEST(Answers, OfEqualValuesTheFirstIsTheLargerWhateverIsAskedFor) {
  Answers answers({{"y", DType::kFloat32, {-1, 10}, {"", ""}, 0}}, 1);
  Tensor votes(DType::kFloat32, {1, 10});
  for (int i = 0; i < 10; ++i) votes.as<float>()[i] = i == 0 || i == 2 ? 0.5F : 0;
  add(answers, 0, 1, votes);
  for (std::size_t k = 1; k <= 10; ++k) {
    std::vector<std::int64_t> order, expected{0, 2, 1, 3, 4, 5, 6, 7, 8, 9};
    for (const auto& [index, value] : answers.top(0, 0, k).values) order.push_back(index);
    expected.resize(k);
    EXPECT_EQ(order, expected) << k;
  }
}

TEST(Answers, WhatIsNoNumberComesLast) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  Answers answers({{"y", DType::kFloat32, {-1, 6}, {"", ""}, 0}}, 1);
  Tensor t = floats({1, 6});
  for (const int i : {0, 3, 5}) t.as<float>()[i] = kNan;
  add(answers, 0, 1, t);
  const Top top = answers.top(0, 0, 4);
  EXPECT_EQ(top.nan, 3);
  std::vector<std::int64_t> order;
  for (const auto& [index, value] : top.values) order.push_back(index);
  EXPECT_THAT(order, ElementsAre(4, 2, 1, 0));
}

TEST(AnswerFiles, NamesAreSafeAndDiffer) {
  std::vector<TensorInfo> outputs;
  for (const std::string& name : {std::string("a/b"), std::string("a_b"), std::string("a:b"), std::string(),
                                  std::string("\n"), std::string(300, 'x'), std::string(301, 'x')}) {
    outputs.push_back({name, DType::kFloat32, {}, {}, 0});
  }
  EXPECT_THAT(file_names(outputs), ElementsAre("a_b.npy", "a_b-2.npy", "a_b-3.npy", "_.npy", "_-2.npy",
                                               std::string(120, 'x') + ".npy", std::string(120, 'x') + "-2.npy"));
}

TEST(AnswerFiles, APlaceThatWillNotDoIsRefusedAtOnce) {
  const TemporaryFolder folder;
  const auto refused = [](const std::filesystem::path& place, const std::vector<TensorInfo>& outputs) {
    return [=] { AnswerFiles(place, outputs); };
  };
  EXPECT_THAT(refused(folder.path() / "y.npy", {kRows, kRows}),
              ThrowsMessage<Error>(HasSubstr("2 outputs; give a folder")));
  EXPECT_THAT(refused(folder.path() / "no" / "y.npy", {kRows}), ThrowsMessage<Error>(HasSubstr("no such folder")));
  EXPECT_THAT(refused("/proc/answers", {kRows}), ThrowsMessage<Error>(HasSubstr("cannot create the folder")));
  EXPECT_THAT(refused("/proc/y.npy", {kRows}), ThrowsMessage<Error>(HasSubstr("nothing can be written here")));
  EXPECT_THAT(refused(folder.path(), {{"y", DType::kBFloat16, {}, {}, 0}}),
              ThrowsMessage<Error>(HasSubstr("bfloat16")));
  EXPECT_THAT(refused(folder.path() / "o.txt", {kRows}), ThrowsMessage<Error>(HasSubstr("o.npy, or a folder")));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "o.txt"));
  std::filesystem::create_directory(folder.path() / "of.2026");
  EXPECT_NO_THROW(refused(folder.path() / "of.2026", {kRows})());
  EXPECT_NO_THROW(refused(folder.path() / "all.2026", {kRows, kRows})());
  std::filesystem::create_directory(folder.path() / "z.npy");
  EXPECT_THAT(refused(folder.path() / "z.npy", {kRows}), ThrowsMessage<Error>(HasSubstr("this is a folder")));
}

}  // namespace
}  // namespace assay::cli
