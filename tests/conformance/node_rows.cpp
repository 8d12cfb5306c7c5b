// What opsets 17 to 21 changed or brought, behind the end of ONNX's own test data that Debian has. Inputs that say how
// rather than what (axes, sizes, scales) are constants, as exporters write them.

#include <map>

#include "conformance/node_rows.hpp"

namespace assay::conformance {
namespace {

using Ints = std::vector<std::int64_t>;
using enum DType;

constexpr std::int64_t operator""_i(unsigned long long value) { return static_cast<std::int64_t>(value); }

RowInput fed(Shape shape, DType dtype = kFloat32) { return {RowInput::Kind::kFed, dtype, std::move(shape), {}}; }
RowInput constant(DType dtype, Shape shape, std::vector<double> values) {
  return {RowInput::Kind::kConstant, dtype, std::move(shape), std::move(values)};
}
RowInput floats(std::vector<double> values) {
  Shape shape{static_cast<std::int64_t>(values.size())};
  return constant(kFloat32, std::move(shape), std::move(values));
}
RowInput ints(std::vector<double> values) {
  Shape shape{static_cast<std::int64_t>(values.size())};
  return constant(kInt64, std::move(shape), std::move(values));
}
RowInput none() { return {RowInput::Kind::kAbsent, kFloat32, {}, {}}; }
std::string text(const char* value) { return value; }  // const char* would rather be a number to the variant

void add_reductions(std::vector<Row>& all) {
  const std::vector<Row> rows = {
      {"reduce_mean_18", 18, "ReduceMean", {fed({2, 3, 4}), ints({1})}, {{"keepdims", 0_i}}},
      {"reduce_mean_18_two_axes", 18, "ReduceMean", {fed({2, 3, 4}), ints({0, -1})}},
      {"reduce_mean_18_all", 18, "ReduceMean", {fed({2, 3, 4})}},
      {"reduce_mean_18_noop", 18, "ReduceMean", {fed({2, 3, 4})}, {{"noop_with_empty_axes", 1_i}}},
      {"reduce_sum_18", 18, "ReduceSum", {fed({2, 3, 4}), ints({1})}},
      {"reduce_max_18", 18, "ReduceMax", {fed({2, 3, 4}), ints({1})}},
      {"reduce_max_20", 20, "ReduceMax", {fed({2, 3, 4}), ints({-1})}, {{"keepdims", 0_i}}},
      {"reduce_max_20_bool", 20, "ReduceMax", {fed({2, 3, 4}, kBool), ints({1})}, {}, {kBool}},
      {"reduce_max_18_int8", 18, "ReduceMax", {fed({2, 3, 4}, kInt8), ints({1})}, {}, {kInt8}},
      {"reduce_min_18", 18, "ReduceMin", {fed({2, 3, 4}), ints({1})}},
      {"reduce_min_20_bool", 20, "ReduceMin", {fed({2, 3, 4}, kBool), ints({1})}, {}, {kBool}},
      {"reduce_prod_18", 18, "ReduceProd", {fed({2, 3, 4}), ints({1})}},
      {"reduce_l1_18", 18, "ReduceL1", {fed({2, 3, 4}), ints({1})}},
      {"reduce_l2_18", 18, "ReduceL2", {fed({2, 3, 4}), ints({1})}},
      {"reduce_sum_square_18", 18, "ReduceSumSquare", {fed({2, 3, 4}), ints({1})}},
      {"reduce_log_sum_exp_18", 18, "ReduceLogSumExp", {fed({2, 3, 4}), ints({1})}},
  };
  all.insert(all.end(), rows.begin(), rows.end());
}

void add_resizes(std::vector<Row>& all) {
  const RowInput x = fed({1, 2, 4, 6}), sizes_8_9 = ints({1, 2, 8, 9}), scales = floats({1, 1, 1.5, 0.5});
  const std::vector<Row> rows = {
      {"resize_18_nearest", 18, "Resize", {x, none(), scales}, {{"mode", text("nearest")}}},
      {"resize_18_linear", 18, "Resize", {x, none(), none(), sizes_8_9}, {{"mode", text("linear")}}},
      {"resize_18_cubic", 18, "Resize", {x, none(), none(), sizes_8_9}, {{"mode", text("cubic")}}},
      {"resize_18_axes",
       18,
       "Resize",
       {x, none(), none(), ints({8, 9})},
       {{"mode", text("linear")}, {"axes", Ints{2, 3}}}},
      {"resize_18_axes_scales",
       18,
       "Resize",
       {x, none(), floats({2, 1.5})},
       {{"mode", text("nearest")}, {"axes", Ints{3, 2}}}},
      {"resize_18_not_larger",
       18,
       "Resize",
       {x, none(), none(), ints({8, 9})},
       {{"mode", text("nearest")}, {"axes", Ints{2, 3}}, {"keep_aspect_ratio_policy", text("not_larger")}}},
      {"resize_18_not_smaller",
       18,
       "Resize",
       {x, none(), none(), ints({8, 9})},
       {{"mode", text("nearest")}, {"axes", Ints{2, 3}}, {"keep_aspect_ratio_policy", text("not_smaller")}}},
      {"resize_19_half_pixel_symmetric",
       19,
       "Resize",
       {x, none(), scales},
       {{"mode", text("linear")}, {"coordinate_transformation_mode", text("half_pixel_symmetric")}}},
      {"resize_19_align_corners",
       19,
       "Resize",
       {x, none(), none(), sizes_8_9},
       {{"mode", text("linear")}, {"coordinate_transformation_mode", text("align_corners")}}},
      {"resize_19_asymmetric_floor",
       19,
       "Resize",
       {x, none(), none(), sizes_8_9},
       {{"mode", text("nearest")},
        {"coordinate_transformation_mode", text("asymmetric")},
        {"nearest_mode", text("floor")}}},
  };
  all.insert(all.end(), rows.begin(), rows.end());
}

void add_shapes(std::vector<Row>& all) {
  const RowInput x = fed({2, 3, 4});
  const RowInput pads = ints({0, 1, 2, 0, 0, 1}), two_pads = ints({1, 2, 0, 1});
  const std::vector<Row> rows = {
      {"split_18_num_outputs",
       18,
       "Split",
       {fed({2, 6})},
       {{"axis", 1_i}, {"num_outputs", 3_i}},
       {kFloat32, kFloat32, kFloat32}},
      {"split_18_uneven",
       18,
       "Split",
       {fed({2, 7})},
       {{"axis", 1_i}, {"num_outputs", 3_i}},
       {kFloat32, kFloat32, kFloat32}},
      {"split_18_sizes", 18, "Split", {fed({2, 6}), ints({2, 4})}, {{"axis", 1_i}}, {kFloat32, kFloat32}},
      {"pad_18", 18, "Pad", {x, pads, constant(kFloat32, {}, {1.5})}},
      {"pad_18_axes", 18, "Pad", {x, two_pads, none(), ints({1, -1})}},
      {"pad_18_reflect_axes", 18, "Pad", {x, two_pads, none(), ints({1, 2})}, {{"mode", text("reflect")}}},
      {"pad_18_edge", 18, "Pad", {x, pads}, {{"mode", text("edge")}}},
      {"pad_19_wrap", 19, "Pad", {x, pads}, {{"mode", text("wrap")}}},
      {"pad_21", 21, "Pad", {x, pads}},
      {"pad_21_negative", 21, "Pad", {x, ints({0, -1, 0, 0, 0, -2})}},
      {"shape_19", 19, "Shape", {x}, {{"start", 1_i}}, {kInt64}},
      {"shape_21", 21, "Shape", {x}, {{"end", Ints::value_type{-1}}}, {kInt64}},
      {"size_19", 19, "Size", {x}, {}, {kInt64}},
      {"size_21", 21, "Size", {x}, {}, {kInt64}},
      {"reshape_19", 19, "Reshape", {x, ints({0, -1})}},
      {"reshape_21", 21, "Reshape", {x, ints({4, 6})}},
      {"constant_of_shape_20", 20, "ConstantOfShape", {ints({2, 3})}},
      {"constant_of_shape_21", 21, "ConstantOfShape", {ints({2, 3})}},
      {"transpose_21", 21, "Transpose", {x}, {{"perm", Ints{2, 0, 1}}}},
      {"squeeze_21", 21, "Squeeze", {fed({2, 1, 3, 1}), ints({1, -1})}},
      {"squeeze_21_all", 21, "Squeeze", {fed({2, 1, 3, 1})}},
      {"unsqueeze_21", 21, "Unsqueeze", {x, ints({0, -1})}},
      {"flatten_21", 21, "Flatten", {x}, {{"axis", 2_i}}},
      {"identity_19", 19, "Identity", {x}},
      {"identity_21", 21, "Identity", {x}},
      {"cast_19_int32", 19, "Cast", {x}, {{"to", 6_i}}, {kInt32}},
      {"cast_21_float16", 21, "Cast", {x}, {{"to", 10_i}}, {kFloat16}},
  };
  all.insert(all.end(), rows.begin(), rows.end());
}

void add_scatters(std::vector<Row>& all) {
  const std::vector<RowInput> inputs = {fed({4, 3}), constant(kInt64, {3, 1}, {0, 2, 0}), fed({3, 3})};
  for (const char* reduction : {"add", "mul", "max", "min"}) {
    static const std::map<std::string, const char*> kNames = {{"add", "scatter_nd_18_add"},
                                                              {"mul", "scatter_nd_18_mul"},
                                                              {"max", "scatter_nd_18_max"},
                                                              {"min", "scatter_nd_18_min"}};
    all.push_back({kNames.at(reduction), 18, "ScatterND", inputs, {{"reduction", text(reduction)}}});
  }
}

void add_quantizers(std::vector<Row>& all) {
  const auto scale = [](std::vector<double> values) {
    return values.size() == 1 ? constant(kFloat32, {}, std::move(values)) : floats(std::move(values));
  };
  const RowInput x = fed({2, 3, 4});
  const std::vector<Row> rows = {
      {"quantize_19_uint8", 19, "QuantizeLinear", {x, scale({0.05}), constant(kUint8, {}, {100})}, {}, {kUint8}},
      {"quantize_19_int8_axis",
       19,
       "QuantizeLinear",
       {x, scale({0.05, 0.1, 0.02}), constant(kInt8, {3}, {0, 5, -5})},
       {{"axis", 1_i}},
       {kInt8}},
      {"quantize_21_int16", 21, "QuantizeLinear", {x, scale({0.001}), constant(kInt16, {}, {0})}, {}, {kInt16}},
      {"quantize_21_uint16", 21, "QuantizeLinear", {x, scale({0.001}), constant(kUint16, {}, {30000})}, {}, {kUint16}},
      {"quantize_21_output_dtype", 21, "QuantizeLinear", {x, scale({0.05})}, {{"output_dtype", 3_i}}, {kInt8}},
      {"dequantize_19_uint8",
       19,
       "DequantizeLinear",
       {fed({2, 3, 4}, kUint8), scale({0.05}), constant(kUint8, {}, {50})}},
      {"dequantize_19_int8_axis",
       19,
       "DequantizeLinear",
       {fed({2, 3, 4}, kInt8), scale({0.05, 0.1, 0.02}), constant(kInt8, {3}, {0, 5, -5})},
       {{"axis", 1_i}}},
      {"dequantize_19_int32", 19, "DequantizeLinear", {fed({2, 3, 4}, kInt32), scale({0.05})}},
      {"dequantize_21_int16",
       21,
       "DequantizeLinear",
       {fed({2, 3, 4}, kInt16), scale({0.05}), constant(kInt16, {}, {7})}},
      {"dequantize_21_uint16",
       21,
       "DequantizeLinear",
       {fed({2, 3, 4}, kUint16), scale({0.05}), constant(kUint16, {}, {30})}},
  };
  all.insert(all.end(), rows.begin(), rows.end());
}

void add_layers(std::vector<Row>& all) {
  const RowInput image = fed({1, 4, 7, 7}), x = fed({2, 3, 4}), per_group = fed({2}), per_channel = fed({4});
  const std::vector<Row> rows = {
      {"average_pool_19", 19, "AveragePool", {image}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}},
      {"average_pool_19_dilations",
       19,
       "AveragePool",
       {image},
       {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 2}}}},
      {"average_pool_19_dilations_pads",
       19,
       "AveragePool",
       {image},
       {{"kernel_shape", Ints{3, 3}},
        {"dilations", Ints{2, 2}},
        {"pads", Ints{1, 1, 1, 1}},
        {"count_include_pad", 1_i}}},
      {"average_pool_19_ceil",
       19,
       "AveragePool",
       {image},
       {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", 1_i}}},
      {"gelu_20", 20, "Gelu", {x}},
      {"gelu_20_tanh", 20, "Gelu", {x}, {{"approximate", text("tanh")}}},
      {"mish_18", 18, "Mish", {x}},
      {"group_normalization_18", 18, "GroupNormalization", {image, per_group, per_group}, {{"num_groups", 2_i}}},
      {"group_normalization_21", 21, "GroupNormalization", {image, per_channel, per_channel}, {{"num_groups", 2_i}}},
      {"layer_normalization_17", 17, "LayerNormalization", {x, per_channel, per_channel}},
      {"layer_normalization_17_no_bias", 17, "LayerNormalization", {x, per_channel}, {{"epsilon", 0.01F}}},
      {"layer_normalization_17_two_axes", 17, "LayerNormalization", {x, fed({3, 4}), fed({3, 4})}, {{"axis", 1_i}}},
      {"equal_19", 19, "Equal", {fed({3, 4}, kInt64), fed({4}, kInt64)}, {}, {kBool}},
      {"is_inf_20", 20, "IsInf", {x}, {}, {kBool}},
      {"is_nan_20", 20, "IsNaN", {x}, {}, {kBool}},
  };
  all.insert(all.end(), rows.begin(), rows.end());
}

}  // namespace

const std::vector<Row>& rows() {
  static const auto* all = [] {
    auto* made = new std::vector<Row>();
    for (const auto add :
         {add_reductions, add_resizes, add_shapes, add_scatters, add_quantizers, add_layers, add_layer_rows})
      add(*made);
    return made;
  }();
  return *all;
}

}  // namespace assay::conformance
