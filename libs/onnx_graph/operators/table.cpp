// Every operator whose shapes can be inferred. A newcomer adds a row here and one in inference_test.cpp.

#include <map>

#include "onnx_graph/operators/operator.hpp"

namespace assay::onnx_graph {
namespace {

constexpr OperatorRow kTable[] = {
    // One in, one out.
    {"", "Abs", infer_same},
    {"", "Acos", infer_same},
    {"", "Acosh", infer_same},
    {"", "Asin", infer_same},
    {"", "Asinh", infer_same},
    {"", "Atan", infer_same},
    {"", "Atanh", infer_same},
    {"", "BitwiseNot", infer_same},
    {"", "Cast", infer_cast},
    {"", "CastLike", infer_cast_like},
    {"", "Ceil", infer_same},
    {"", "Celu", infer_same},
    {"", "Clip", infer_same},
    {"", "Cos", infer_same},
    {"", "Cosh", infer_same},
    {"", "CumSum", infer_same},
    {"", "DequantizeLinear", infer_dequantize},
    {"", "Dropout", infer_dropout},
    {"", "DynamicQuantizeLinear", infer_dynamic_quantize},
    {"", "Elu", infer_same},
    {"", "Erf", infer_same},
    {"", "Exp", infer_same},
    {"", "Floor", infer_same},
    {"", "Gelu", infer_same},
    {"", "HardSigmoid", infer_same},
    {"", "HardSwish", infer_same},
    {"", "Hardmax", infer_same},
    {"", "Identity", infer_identity},
    {"", "IsInf", infer_boolean},
    {"", "IsNaN", infer_boolean},
    {"", "LeakyRelu", infer_same},
    {"", "Log", infer_same},
    {"", "LogSoftmax", infer_same},
    {"", "Mish", infer_same},
    {"", "Neg", infer_same},
    {"", "Not", infer_boolean},
    {"", "PRelu", infer_same},
    {"", "QuantizeLinear", infer_quantize},
    {"", "Reciprocal", infer_same},
    {"", "Relu", infer_same},
    {"", "Round", infer_same},
    {"", "Selu", infer_same},
    {"", "Shrink", infer_same},
    {"", "Sigmoid", infer_same},
    {"", "Sign", infer_same},
    {"", "Sin", infer_same},
    {"", "Sinh", infer_same},
    {"", "Softmax", infer_same},
    {"", "Softplus", infer_same},
    {"", "Softsign", infer_same},
    {"", "Sqrt", infer_same},
    {"", "Tan", infer_same},
    {"", "Tanh", infer_same},
    {"", "ThresholdedRelu", infer_same},
    // Several in, broadcast.
    {"", "Add", infer_arithmetic},
    {"", "And", infer_comparison},
    {"", "BitShift", infer_broadcast},
    {"", "BitwiseAnd", infer_broadcast},
    {"", "BitwiseOr", infer_broadcast},
    {"", "BitwiseXor", infer_broadcast},
    {"", "Div", infer_arithmetic},
    {"", "Equal", infer_equal},
    {"", "Greater", infer_comparison},
    {"", "GreaterOrEqual", infer_comparison},
    {"", "Less", infer_comparison},
    {"", "LessOrEqual", infer_comparison},
    {"", "Max", infer_arithmetic},
    {"", "Mean", infer_broadcast},
    {"", "Min", infer_arithmetic},
    {"", "Mod", infer_arithmetic},
    {"", "Mul", infer_arithmetic},
    {"", "Or", infer_comparison},
    {"", "Pow", infer_broadcast},
    {"", "Sub", infer_arithmetic},
    {"", "Sum", infer_broadcast},
    {"", "Where", infer_where},
    {"", "Xor", infer_comparison},
    // Reductions.
    {"", "ArgMax", infer_arg_reduce},
    {"", "ArgMin", infer_arg_reduce},
    {"", "ReduceL1", infer_reduce},
    {"", "ReduceL2", infer_reduce},
    {"", "ReduceLogSum", infer_reduce},
    {"", "ReduceLogSumExp", infer_reduce},
    {"", "ReduceMax", infer_reduce},
    {"", "ReduceMean", infer_reduce},
    {"", "ReduceMin", infer_reduce},
    {"", "ReduceProd", infer_reduce},
    {"", "ReduceSum", infer_reduce},
    {"", "ReduceSumSquare", infer_reduce},
    {"", "TopK", infer_top_k},
    // Layers.
    {"", "AveragePool", infer_pool},
    {"", "BatchNormalization", infer_batch_normalization},
    {"", "Conv", infer_conv},
    {"", "ConvInteger", infer_conv_integer},
    {"", "ConvTranspose", infer_conv_transpose},
    {"", "Einsum", infer_einsum},
    {"", "GRU", infer_recurrent},
    {"", "Gemm", infer_gemm},
    {"", "GlobalAveragePool", infer_global_pool},
    {"", "GlobalLpPool", infer_global_pool},
    {"", "GlobalMaxPool", infer_global_pool},
    {"", "GroupNormalization", infer_same},
    {"", "InstanceNormalization", infer_same},
    {"", "LRN", infer_same},
    {"", "LSTM", infer_recurrent},
    {"", "LayerNormalization", infer_layer_normalization},
    {"", "LpNormalization", infer_same},
    {"", "LpPool", infer_pool},
    {"", "MatMul", infer_matmul},
    {"", "MatMulInteger", infer_matmul_integer},
    {"", "MaxPool", infer_pool},
    {"", "MeanVarianceNormalization", infer_same},
    {"", "QLinearConv", infer_conv_quantized},
    {"", "QLinearMatMul", infer_matmul_quantized},
    {"", "RNN", infer_recurrent},
    {"", "Resize", infer_resize},
    {"", "Upsample", infer_upsample},
    // Shapes.
    {"", "DepthToSpace", infer_depth_to_space},
    {"", "Expand", infer_expand},
    {"", "Flatten", infer_flatten},
    {"", "Reshape", infer_reshape},
    {"", "Shape", infer_shape},
    {"", "Size", infer_size},
    {"", "SpaceToDepth", infer_space_to_depth},
    {"", "Squeeze", infer_squeeze},
    {"", "Tile", infer_tile},
    {"", "Transpose", infer_transpose},
    {"", "Unsqueeze", infer_unsqueeze},
    // Pieces.
    {"", "Compress", infer_compress},
    {"", "Concat", infer_concat},
    {"", "Gather", infer_gather},
    {"", "GatherElements", infer_gather_elements},
    {"", "GatherND", infer_gather_nd},
    {"", "NonZero", infer_non_zero},
    {"", "OneHot", infer_one_hot},
    {"", "Pad", infer_pad},
    {"", "ReverseSequence", infer_same},
    {"", "Scatter", infer_same},
    {"", "ScatterElements", infer_same},
    {"", "ScatterND", infer_same},
    {"", "Slice", infer_slice},
    {"", "Split", infer_split},
    {"", "Trilu", infer_same},
    // Made of nothing.
    {"", "Constant", infer_constant},
    {"", "ConstantOfShape", infer_constant_of_shape},
    {"", "EyeLike", infer_eye_like},
    {"", "Range", infer_range},
    // What ONNX Runtime's and PyTorch's exporters add.
    {"com.microsoft", "FusedConv", infer_conv},
    {"com.microsoft", "Gelu", infer_same},
};

}  // namespace

std::span<const OperatorRow> operator_table() { return kTable; }

InferFunction find_operator(std::string_view domain, std::string_view name) {
  static const auto* rows = [] {
    auto* made = new std::map<std::pair<std::string_view, std::string_view>, InferFunction>;
    for (const OperatorRow& row : kTable) made->emplace(std::pair(row.domain, row.name), row.infer);
    return made;
  }();
  const auto found = rows->find({domain, name});
  return found != rows->end() ? found->second : nullptr;
}

bool can_infer(const std::string& domain, const std::string& op_type) {
  return find_operator(domain, op_type) != nullptr;
}

}  // namespace assay::onnx_graph
