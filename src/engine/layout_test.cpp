#include "engine/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing/sessions.hpp"

namespace assay::engine {
namespace {

using assay::test::error_of;
using assay::test::tensors_of;
using ::testing::HasSubstr;

Layout make(const std::string& inputs, const std::string& outputs, const Params& params = {}) {
  return {tensors_of(inputs), tensors_of(outputs), params};
}

/// What a backend would say of these tensors.
backend::SessionInfo said(const std::string& inputs, const std::string& outputs) {
  backend::SessionInfo info;
  info.inputs = tensors_of(inputs);
  info.outputs = tensors_of(outputs);
  return info;
}

TEST(Layout, TheFirstFreeAxisIsTheBatch) {
  const Layout l = make("x:float32:-1x3", "y:float32:-1x2", {.batch_size = 8});
  EXPECT_TRUE(l.batched);
  EXPECT_FALSE(l.fixed_batch);
  EXPECT_EQ(l.inputs[0].with_count(5), (Shape{5, 3}));
  EXPECT_TRUE(l.outputs[0].sized);
  EXPECT_TRUE(l.open_shapes().empty());
  const Layout wide = make("x:float32:-1x-1", "y:float32:-1x2", {.batch_size = 8, .shapes = {{"x", {4, 3}}}});
  EXPECT_EQ(wide.open_shapes().at("x"), (Shape{-1, 3}));
}

TEST(Layout, AUsersBatchAxisCountsMore) {
  const Layout none = make("x:float32:-1x3", "y:float32:-1x2", {.shapes = {{"x", {7, 3}}}, .batch_axis = {{"x", -1}}});
  EXPECT_FALSE(none.batched);
  EXPECT_EQ(none.open_shapes().at("x"), (Shape{7, 3}));
  EXPECT_FALSE(none.outputs[0].sized);  // its first axis is free, and is no batch
  const Layout second = make("x:float32:4x-1", "y:float32:4x-1", {.batch_axis = {{"x", 1}, {"y", 1}}});
  EXPECT_EQ(second.inputs[0].with_count(9), (Shape{4, 9}));
  EXPECT_EQ(second.outputs[0].with_count(9), (Shape{4, 9}));
}

TEST(Layout, AnOutputFreeUnderAnotherNameIsNotTakenForTheBatch) {
  auto outputs = tensors_of("boxes:float32:-1x4");
  outputs[0].axes[0] = "found";
  const Layout l(tensors_of("x:float32:-1x3"), outputs, {});
  EXPECT_FALSE(l.outputs[0].sized);
  const Layout told(tensors_of("x:float32:-1x3"), outputs, {.batch_axis = {{"boxes", 0}}});
  EXPECT_TRUE(told.outputs[0].sized);
}

/// One output of float32, its axes by name.
std::vector<TensorInfo> output_of(const Shape& shape, const std::vector<std::string>& axes) {
  return {{.name = "y", .dtype = DType::kFloat32, .shape = shape, .axes = axes}};
}

TEST(Layout, AnOutputsBatchAxisIsTheOneOfTheInputsName) {
  struct Case {
    Shape shape;
    std::vector<std::string> axes;
    int expected;
  };
  const Case cases[] = {
      {{-1, 7}, {"batch", ""}, 0},
      {{-1, -1, 8}, {"seq", "batch", ""}, 1},
      {{16, -1}, {"", "batch"}, 1},
      {{-1, 7}, {"", ""}, 0},
      {{-1, 7}, {"found", ""}, -1},
      {{}, {}, -1},
      {{1}, {""}, -1},
  };
  for (const Case& c : cases) {
    const Layout l(tensors_of("x:float32:-1x3"), output_of(c.shape, c.axes), {.batch_size = 4});
    EXPECT_EQ(l.outputs[0].info.batch_axis, c.expected) << to_string(c.shape);
  }
}

TEST(Layout, SequenceFirstModelsAreNotPutTogetherAlongTheSequence) {
  auto inputs = tensors_of("x:float32:-1x-1x8");
  inputs[0].axes = {"seq", "batch", ""};
  const Params params{.batch_size = 4, .shapes = {{"x", {16, 1, 8}}}, .batch_axis = {{"x", 1}}};
  EXPECT_EQ(Layout(inputs, output_of({-1, -1, 5}, {"seq", "batch", ""}), params).outputs[0].info.batch_axis, 1);
  EXPECT_EQ(Layout(inputs, output_of({-1, -1, 5}, {"", "", ""}), params).outputs[0].info.batch_axis, -1);
}

TEST(Layout, WhatTheBackendFixesToAnotherSizeIsNotTheBatch) {
  for (const auto& [theirs, expected] : {std::pair("y:float32:16x4", -1), std::pair("y:float32:4x16", 0)}) {
    Layout l(tensors_of("x:float32:-1x3"), output_of({-1, -1}, {"", ""}), {.batch_size = 4});
    l.adopt(said("x:float32:4x3", theirs));
    EXPECT_EQ(l.outputs[0].info.batch_axis, expected) << theirs;
    EXPECT_TRUE(l.outputs[0].sized) << theirs;
  }
}

TEST(Layout, AnOutputOfUnknownRankKeepsWhatTheUserSays) {
  const Params params{.batch_size = 8, .batch_axis = {{"y", 1}}};
  Layout l = make("x:float32:-1x3", "y:float32:?", params);
  EXPECT_EQ(l.outputs[0].info.batch_axis, 1);
  l.adopt(said("x:float32:8x3", "y:float32:5x8"));
  EXPECT_EQ(l.outputs[0].with_count(2), (Shape{5, 2}));
  Layout flat = make("x:float32:-1x3", "y:float32:?", params);
  EXPECT_THAT(error_of([&] { flat.adopt(said("x:float32:8x3", "y:float32:8")); }).message(), HasSubstr("1 axes"));
}

TEST(Layout, AScalarIsNoUnknownRank) {
  Layout l = make("x:float32:-1x3", "y:float32:", {.batch_size = 8});
  EXPECT_TRUE(l.outputs[0].sized);
  l.adopt(said("x:float32:8x3", "y:float32:?"));  // a backend that cannot tell
  EXPECT_TRUE(l.outputs[0].sized);
  EXPECT_EQ(l.outputs[0].info.batch_axis, -1);
  Layout unknown = make("x:float32:-1x3", "y:float32:?", {.batch_size = 8});
  EXPECT_FALSE(unknown.outputs[0].sized);
  unknown.adopt(said("x:float32:8x3", "y:float32:"));
  EXPECT_TRUE(unknown.outputs[0].sized);
  EXPECT_EQ(unknown.outputs[0].info.batch_axis, -1);
}

TEST(Layout, StreamsOfWholeGraphsTakeTheirBatchFromTheShape) {
  EXPECT_EQ(make("x:float32:-1x3", "y:float32:-1", {.batch_size = 0, .shapes = {{"x", {6, 3}}}}).stream_batch, 6);
  EXPECT_EQ(make("x:float32:-1x3", "y:float32:-1", {.batch_size = 0}).stream_batch, 1);
}

TEST(Layout, TwoFixedBatchesMustAgree) {
  const Params params{.batch_axis = {{"a", 0}, {"b", 0}}};
  EXPECT_THAT(error_of([&] { make("a:float32:4x3,b:float32:5x3", "y:float32:4", params); }).message(),
              HasSubstr("another input's 4"));
}

TEST(Layout, TooManyAxes) {
  std::string shape = "-1";
  for (int i = 0; i < 40; ++i) shape += "x1";
  EXPECT_EQ(error_of([&] { make("x:float32:" + shape, "y:float32:-1"); }).code(), ErrorCode::kUnsupported);
}

TEST(Layout, WhatTheBackendWorkedOutIsTakenOver) {
  Layout l = make("x:float32:-1x3", "y:float32:-1x-1", {.batch_size = 8});
  EXPECT_FALSE(l.outputs[0].sized);
  l.adopt(said("x:float32:8x3", "y:float32:8x10"));
  EXPECT_TRUE(l.outputs[0].sized);
  EXPECT_FALSE(l.any_from_run);
  EXPECT_EQ(l.outputs[0].with_count(2), (Shape{2, 10}));

  Layout unknown = make("x:float32:-1x3", "y:float32:?", {.batch_size = 8});
  unknown.adopt(said("x:float32:8x3", "y:float32:8x10"));
  EXPECT_EQ(unknown.outputs[0].with_count(2), (Shape{2, 10}));

  Layout never = make("x:float32:-1x3", "y:float32:?", {.batch_size = 8});
  never.adopt(said("x:float32:8x3", "y:float32:?"));
  EXPECT_TRUE(never.any_from_run);
}

TEST(Layout, ABackendMayDropAnInputButNoOutput) {
  Layout l = make("a:float32:-1x3,b:float32:-1", "y:float32:-1,z:float32:-1");
  l.adopt(said("b:float32:1", "z:float32:1,y:float32:1"));
  EXPECT_EQ(l.input_order, std::vector<std::size_t>{1});
  EXPECT_EQ(l.output_order, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(error_of([&] { l.adopt(said("b:float32:1", "z:float32:1")); }).code(), ErrorCode::kFramework);
}

}  // namespace
}  // namespace assay::engine
