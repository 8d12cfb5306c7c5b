// Products of matrices, and softmax.
#include "operators/matrix.hpp"

namespace assay::tensorflow {
namespace {

/// Unsigned integers as signed ones: the same modulo 2 to the power of their bits.
DataType multiplied_as(DataType type) {
  return type == DataType::kUint32 || type == DataType::kUint64 ? DataType::kInt64 : type;
}

}  // namespace

void translate_gemm(Operator& op) {
  const bool transpose_a = op.integer("transA", 0) != 0;
  const bool transpose_b = op.integer("transB", 0) != 0;
  const float alpha = op.real("alpha", 1);
  const float beta = op.real("beta", 1);
  const DataType given = op.type(0);
  const bool whole = alpha == 1 && (beta == 1 || !op.has(2));
  const DataType type = whole || is_float(given) ? multiplied_as(given) : DataType::kDouble;
  TF_Output y = op.g.op("MatMul")
                    .in(op.g.cast(op.in(0), type))
                    .in(op.g.cast(op.in(1), type))
                    .flag("transpose_a", transpose_a)
                    .flag("transpose_b", transpose_b)
                    .done();
  if (alpha != 1) y = op.g.binary("Mul", y, op.g.scalar(type, alpha));
  if (op.has(2) && beta != 0) {
    TF_Output c = op.g.cast(op.in(2), type);
    if (beta != 1) c = op.g.binary("Mul", c, op.g.scalar(type, beta));
    const std::optional<Ints> there = op.g.shape_of(y);
    const std::optional<Ints> bias = op.g.shape_of(c);
    const bool row = bias && there && bias->size() == 1 && bias->at(0) == there->at(1) && bias->at(0) > 0;
    y = row ? op.g.binary("BiasAdd", y, c) : op.g.binary("AddV2", y, c);
  }
  op.out(0, op.g.cast(y, given));
}

TF_Output matrix_product(Operator& op, TF_Output a, TF_Output b) {
  const std::size_t a_rank = op.g.sizes_of(a).size(), b_rank = op.g.sizes_of(b).size();
  if (a_rank == 0 || b_rank == 0) op.fail("a scalar");
  const auto axis = [&](std::int64_t at) { return op.g.ints({at}, DataType::kInt32, true); };
  if (a_rank == 1) a = op.g.binary("ExpandDims", a, axis(0));
  if (b_rank == 1) b = op.g.binary("ExpandDims", b, axis(1));
  const bool plain = a_rank <= 2 && b_rank <= 2;
  TF_Output y = op.g.binary(plain ? "MatMul" : "BatchMatMulV2", a, b);
  Ints gone;
  if (a_rank == 1) gone.push_back(-2);
  if (b_rank == 1) gone.push_back(-1);
  if (!gone.empty()) y = op.g.op("Squeeze").in(y).integers("squeeze_dims", gone).done();
  return y;
}

void translate_matmul(Operator& op) {
  const DataType given = op.type(0);
  const DataType type = multiplied_as(given);
  op.out(0, op.g.cast(matrix_product(op, op.g.cast(op.in(0), type), op.g.cast(op.in(1), type)), given));
}

void translate_softmax(Operator& op) {
  const char* type = op.node.op_type == "LogSoftmax" ? "LogSoftmax" : "Softmax";
  const bool flattens = op.opset() < 13;  // all axes from the given one on were one
  const std::size_t rank = op.rank(0);
  const std::int64_t axis = op.axis(op.integer("axis", flattens ? 1 : -1), rank);
  const bool of_channels = axis == 1 && (!flattens || rank == 2) && op.is_last(0);
  if (of_channels) return op.out_last(0, op.g.unary(type, op.in_last(0)));
  TF_Output x = op.in(0);
  if (axis + 1 == static_cast<std::int64_t>(rank)) {
    op.out(0, op.g.unary(type, x));
    return;
  }
  if (flattens) {
    const Ints sizes = op.sizes(0);
    std::int64_t width = 1;
    for (std::size_t i = static_cast<std::size_t>(axis); i < rank; ++i) {
      if (sizes[i] < 0) op.fail("a softmax over several axes of free size");
      width *= sizes[i];
    }
    const TF_Output same = op.g.op("Shape").in(x).type("out_type", DataType::kInt64).done();
    x = op.g.unary(type, op.g.reshape(x, {-1, width}));
    op.out(0, op.g.binary("Reshape", x, same));
    return;
  }
  Ints order;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(rank); ++i) order.push_back(i);
  std::swap(order[static_cast<std::size_t>(axis)], order.back());
  op.out(0, op.g.transpose(op.g.unary(type, op.g.transpose(x, order)), order));
}

}  // namespace assay::tensorflow
