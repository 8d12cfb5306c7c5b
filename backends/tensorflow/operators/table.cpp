// One row an operator: to add one, see operator.hpp.
#include "operators/operator.hpp"

namespace assay::tensorflow {
namespace {

constexpr OperatorRow kTable[] = {
    // Each element by itself.
    {"", "Abs", translate_unary},
    {"", "Add", translate_binary},
    {"", "Clip", translate_clip},
    {"", "Identity", translate_identity},
    {"", "Mul", translate_binary},
    {"", "Relu", translate_unary},
    {"", "Sigmoid", translate_unary},
    // Layers.
    {"", "AveragePool", translate_average_pool},
    {"", "BatchNormalization", translate_batch_normalization},
    {"", "Conv", translate_conv},
    {"", "Gemm", translate_gemm},
    {"", "GlobalAveragePool", translate_global_pool},
    {"", "GlobalMaxPool", translate_global_pool},
    {"", "LogSoftmax", translate_softmax},
    {"", "MatMul", translate_matmul},
    {"", "MaxPool", translate_max_pool},
    {"", "Softmax", translate_softmax},
    // Reductions.
    {"", "ReduceMax", translate_reduce},
    {"", "ReduceMean", translate_reduce},
    {"", "ReduceMin", translate_reduce},
    {"", "ReduceProd", translate_reduce},
    {"", "ReduceSum", translate_reduce},
    // Elements moved.
    {"", "Concat", translate_concat},
    {"", "Constant", translate_constant},
    {"", "Flatten", translate_flatten},
    {"", "Reshape", translate_reshape},
    {"", "Transpose", translate_transpose},
};

}  // namespace

std::span<const OperatorRow> operator_table() { return kTable; }

}  // namespace assay::tensorflow
