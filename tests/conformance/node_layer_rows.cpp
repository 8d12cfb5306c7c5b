// Layers as networks have them and as ONNX's own tests do not: groups, dilations, one axis of space and three, each way
// to say where the elements of a resized image come from.

#include <fmt/format.h>

#include "conformance/node_rows.hpp"

namespace assay::conformance {
namespace {

using Ints = std::vector<std::int64_t>;
using Attributes = onnx_graph::TestAttributes;
using enum DType;

constexpr std::int64_t operator""_i(unsigned long long value) { return static_cast<std::int64_t>(value); }

RowInput fed(Shape shape, DType dtype = kFloat32) { return {RowInput::Kind::kFed, dtype, std::move(shape), {}}; }
RowInput constant(DType dtype, std::vector<double> values) {
  return {RowInput::Kind::kConstant, dtype, {static_cast<std::int64_t>(values.size())}, std::move(values)};
}
RowInput scalar(DType dtype, double value) { return {RowInput::Kind::kConstant, dtype, {}, {value}}; }
RowInput absent() { return {RowInput::Kind::kAbsent, kFloat32, {}, {}}; }
std::string text(const char* value) { return value; }

Attributes with(Attributes attributes, const Attributes& more) {
  attributes.insert(attributes.end(), more.begin(), more.end());
  return attributes;
}

void add_convolutions(std::vector<Row>& all) {
  const RowInput image = fed({2, 6, 9, 9}), line = fed({2, 4, 9}), room = fed({1, 4, 5, 6, 7});
  const RowInput filter = fed({4, 3, 3, 3}), filter_3d = fed({4, 2, 2, 3, 2});
  const auto add = [&](const char* name, std::vector<RowInput> inputs, Attributes attributes) {
    all.push_back({fmt::format("conv_{}", name), 13, "Conv", std::move(inputs), std::move(attributes)});
  };
  add("group", {image, filter, fed({4})}, {{"group", 2_i}, {"pads", Ints{1, 0, 2, 1}}});
  add("group_dilated", {image, filter}, {{"group", 2_i}, {"dilations", Ints{2, 1}}, {"strides", Ints{1, 2}}});
  add("channels_same_lower", {image, fed({12, 1, 3, 3})}, {{"group", 6_i}, {"auto_pad", text("SAME_LOWER")}});
  add("channels_strides", {image, fed({6, 1, 3, 3})}, {{"group", 6_i}, {"strides", Ints{2, 1}}});
  add("channels_dilated", {image, fed({6, 1, 3, 3})}, {{"group", 6_i}, {"dilations", Ints{2, 2}}});
  add("line", {line, fed({6, 2, 3}), fed({6})},
      {{"group", 2_i}, {"strides", Ints{2}}, {"pads", Ints{2, 1}}, {"dilations", Ints{2}}});
  add("room", {room, fed({3, 4, 2, 3, 2}), fed({3})}, {{"strides", Ints{1, 2, 1}}, {"pads", Ints{0, 1, 1, 1, 0, 1}}});
  add("room_dilated", {room, fed({3, 4, 2, 3, 2})}, {{"dilations", Ints{2, 1, 2}}});
  add("room_group", {room, filter_3d}, {{"group", 2_i}});
}

void add_transposed(std::vector<Row>& all) {
  const RowInput image = fed({2, 4, 5, 6}), filter = fed({4, 3, 3, 2});
  const auto add = [&](const std::string& name, std::vector<RowInput> inputs, Attributes attributes) {
    all.push_back({"conv_transpose_" + name, 13, "ConvTranspose", std::move(inputs), std::move(attributes)});
  };
  const Attributes strides = {{"strides", Ints{2, 2}}};
  for (const std::int64_t groups : {1, 2}) {
    for (const std::int64_t dilation : {1, 2}) {
      const Attributes these =
          with(strides, {{"group", groups}, {"dilations", Ints{dilation, 1}}, {"pads", Ints{1, 0, 1, 2}}});
      const std::string name = fmt::format("group_{}_dilation_{}", groups, dilation);
      add(name, {image, filter, fed({3 * groups})}, these);
      add(name + "_output_padding", {image, filter}, with(these, {{"output_padding", Ints{1, 1}}}));
    }
  }
  add("grown", {image, filter}, with(strides, {{"output_padding", Ints{1, 1}}}));
  add("same_upper", {image, filter}, with(strides, {{"auto_pad", text("SAME_UPPER")}}));
  add("same_lower", {image, filter}, with(strides, {{"auto_pad", text("SAME_LOWER")}}));
  add("output_shape", {image, filter}, with(strides, {{"output_shape", Ints{10, 11}}}));
  add("channels", {image, fed({4, 1, 4, 4})}, with(strides, {{"group", 4_i}, {"pads", Ints{1, 1, 1, 1}}}));
  add("line", {fed({2, 4, 5}), fed({4, 3, 3})},
      {{"strides", Ints{2}}, {"pads", Ints{1, 0}}, {"output_padding", Ints{1}}, {"dilations", Ints{2}}});
  add("room", {fed({1, 4, 3, 4, 5}), fed({4, 2, 3, 2, 2}), fed({4})},
      {{"group", 2_i}, {"strides", Ints{2, 1, 2}}, {"pads", Ints{1, 0, 0, 0, 1, 1}}});
}

void add_pools(std::vector<Row>& all) {
  const std::vector<Shape> images = {{2, 3, 11}, {2, 3, 10, 9}, {1, 2, 8, 10, 7}};
  for (const Shape& shape : images) {
    const std::size_t n = shape.size() - 2;
    Ints kernel(n, 3), strides(n, 2), dilations(n, 2), pads(2 * n, 1);
    kernel.back() = 2;
    pads[n - 1] = 0;
    pads.back() = 0;
    for (const std::int64_t ceil : {0, 1}) {
      const Attributes plain = {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}, {"ceil_mode", ceil}};
      const Attributes dilated = with(plain, {{"dilations", dilations}});
      const std::string name = fmt::format("{}_axes{}", n, ceil != 0 ? "_ceil" : "");
      const auto add = [&](const std::string& what, std::int64_t opset, const char* op, const Attributes& attributes,
                           std::vector<DType> outputs = {kFloat32}) {
        all.push_back({"pool_" + name + "_" + what, opset, op, {fed(shape)}, attributes, std::move(outputs)});
      };
      add("max", 12, "MaxPool", plain);
      add("max_dilated", 12, "MaxPool", dilated);
      add("max_places", 12, "MaxPool", plain, {kFloat32, kInt64});
      add("max_places_dilated_by_columns", 12, "MaxPool", with(dilated, {{"storage_order", 1_i}}), {kFloat32, kInt64});
      add("average", 19, "AveragePool", plain);
      add("average_dilated", 19, "AveragePool", dilated);
      add("average_counting_pads", 19, "AveragePool", with(plain, {{"count_include_pad", 1_i}}));
      add("lp", 18, "LpPool", plain);
      add("lp_3_dilated", 18, "LpPool", with(dilated, {{"p", 3_i}}));
    }
  }
  all.push_back({"pool_global_lp", 13, "GlobalLpPool", {fed({2, 3, 4, 5})}, {{"p", 3_i}}});
  all.push_back({"pool_max_int8",
                 12,
                 "MaxPool",
                 {fed({1, 2, 6, 6}, kInt8)},
                 {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}},
                 {kInt8}});
}

void add_normalizations(std::vector<Row>& all) {
  for (const Shape& shape : {Shape{2, 6, 5}, Shape{2, 6, 5, 4}, Shape{2, 6, 3, 4, 2}}) {
    const RowInput x = fed(shape), six = fed({6});
    const auto name = [&](const char* what) { return fmt::format("{}_of_{}_axes", what, shape.size()); };
    const RowInput variance = constant(kFloat32, {1, 2, 3, 0.4, 0.5, 6});
    all.push_back({name("batch_normalization"), 15, "BatchNormalization", {x, six, six, six, variance}});
    all.push_back({name("instance_normalization"), 13, "InstanceNormalization", {x, six, six}});
    all.push_back({name("group_normalization"), 21, "GroupNormalization", {x, six, six}, {{"num_groups", 3_i}}});
  }
  for (const std::int64_t size : {1, 3, 5, 7}) {
    all.push_back({fmt::format("lrn_{}", size), 13, "LRN", {fed({2, 7, 3, 4})}, {{"size", size}, {"alpha", 0.3F}}});
  }
  all.push_back({"lp_normalization_1", 13, "LpNormalization", {fed({2, 3, 4})}, {{"axis", 1_i}, {"p", 1_i}}});
  all.push_back({"lp_normalization_2", 13, "LpNormalization", {fed({2, 3, 4})}});
  all.push_back({"mean_variance_normalization_axes",
                 13,
                 "MeanVarianceNormalization",
                 {fed({2, 3, 4, 5})},
                 {{"axes", Ints{1, 3}}}});
  all.push_back({"layer_normalization_moments",
                 17,
                 "LayerNormalization",
                 {fed({2, 3, 4}), fed({3, 4})},
                 {{"axis", 1_i}},
                 {kFloat32, kFloat32, kFloat32}});
}

void add_products(std::vector<Row>& all) {
  const auto einsum = [&](const char* name, const char* equation, std::vector<RowInput> inputs) {
    all.push_back({fmt::format("einsum_{}", name), 13, "Einsum", std::move(inputs), {{"equation", text(equation)}}});
  };
  einsum("of_three", "ij,jk,kl->il", {fed({2, 3}), fed({3, 4}), fed({4, 5})});
  einsum("implied", " ij , jk ", {fed({2, 3}), fed({3, 4})});
  einsum("ellipsis_implied", "...ij,...jk", {fed({2, 3, 4}), fed({2, 4, 5})});
  all.push_back({"matmul_1_3", 13, "MatMul", {fed({4}), fed({2, 4, 5})}});
  all.push_back({"matmul_3_1", 13, "MatMul", {fed({2, 3, 4}), fed({4})}});
  all.push_back({"matmul_integer_zero_points",
                 10,
                 "MatMulInteger",
                 {fed({3, 4}, kUint8), fed({4, 2}, kInt8), scalar(kUint8, 7), constant(kInt8, {3, -4})},
                 {},
                 {kInt32}});
  all.push_back({"conv_integer_group",
                 10,
                 "ConvInteger",
                 {fed({1, 4, 5, 6}, kUint8), fed({4, 2, 3, 3}, kUint8), scalar(kUint8, 9)},
                 {{"group", 2_i}},
                 {kInt32}});
  all.push_back({"qlinear_conv_by_channel",
                 10,
                 "QLinearConv",
                 {fed({1, 2, 7, 6}, kUint8), scalar(kFloat32, 0.02), scalar(kUint8, 50), fed({3, 2, 3, 3}, kUint8),
                  constant(kFloat32, {0.01, 0.02, 0.004}), scalar(kUint8, 40), scalar(kFloat32, 0.1),
                  scalar(kUint8, 100), constant(kInt32, {100, -50, 7})},
                 {{"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 1}}},
                 {kUint8}});
  for (const std::int64_t opset : {11, 13}) {
    for (const std::int64_t axis : {0, 1, 2, 3}) {
      all.push_back(
          {fmt::format("softmax_{}_axis_{}", opset, axis), opset, "Softmax", {fed({2, 3, 4, 5})}, {{"axis", axis}}});
    }
  }
}

void add_places(std::vector<Row>& all) {
  const std::vector<std::vector<double>> scales = {{1, 1, 2, 2}, {1, 1, 3, 2}, {1, 1, 1.5, 2.5}, {1, 1, 0.5, 0.75}};
  for (const char* mode : {"nearest", "linear", "cubic"}) {
    for (const char* places : {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
      for (std::size_t i = 0; i < scales.size(); ++i) {
        if (text(places) == "align_corners" && i == 3) continue;  // ONNX Runtime scales by what the sizes came to
        const std::string name = fmt::format("resize_{}_{}_{}", mode, places, i);
        const Attributes common = {{"mode", text(mode)}, {"coordinate_transformation_mode", text(places)}};
        const std::vector<RowInput> inputs = {fed({1, 2, 4, 6}), absent(), constant(kFloat32, scales[i])};
        for (const char* nearest : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
          if (text(mode) != "nearest" && text(nearest) != "floor") continue;
          all.push_back({name + "_" + nearest, 13, "Resize", inputs, with(common, {{"nearest_mode", text(nearest)}})});
        }
      }
    }
  }
  const RowInput twice = constant(kFloat32, {1, 1, 2, 3});
  all.push_back({"upsample_9", 9, "Upsample", {fed({1, 2, 3, 4}), twice}, {{"mode", text("linear")}}});
  all.push_back({"resize_10", 10, "Resize", {fed({1, 2, 3, 4}), twice}, {{"mode", text("nearest")}}});
  all.push_back({"resize_line",
                 13,
                 "Resize",
                 {fed({1, 2, 6}), absent(), constant(kFloat32, {1, 1, 2})},
                 {{"mode", text("linear")}}});
  all.push_back({"resize_room",
                 13,
                 "Resize",
                 {fed({1, 2, 3, 4, 5}), absent(), constant(kFloat32, {1, 1, 2, 2, 2})},
                 {{"mode", text("linear")}}});
}

}  // namespace

void add_layer_rows(std::vector<Row>& all) {
  for (const auto add : {add_convolutions, add_transposed, add_pools, add_normalizations, add_products, add_places}) {
    add(all);
  }
}

}  // namespace assay::conformance
