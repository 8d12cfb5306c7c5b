// What is found along one axis: the largest, where it is, sums up to here.
#include <numeric>
#include <utility>

#include "operators/formula.hpp"

namespace assay::tensorflow {
namespace {

/// A tensor of one element, whatever its number of axes, as the scalar that TensorFlow wants.
TF_Output as_scalar(Operator& op, std::size_t input) {
  if (const std::optional<Ints> known = op.integers(input); known && known->size() == 1) {
    return op.g.ints(*known, DataType::kInt32, true);
  }
  return op.g.cast(op.g.reshape(op.in(input), {}), DataType::kInt32);
}

/// The size of one axis, int32: a constant where it is known.
TF_Output size_along(Operator& op, TF_Output x, std::int64_t axis) {
  const Ints shape = op.g.sizes_of(x);
  const std::int64_t size = shape[static_cast<std::size_t>(axis)];
  if (size >= 0) return op.g.ints({size}, DataType::kInt32, true);
  const TF_Output sizes = op.g.unary("Shape", x);
  return op.g.op("GatherV2")
      .in(sizes)
      .in(op.g.ints({axis}, DataType::kInt32, true))
      .in(op.g.ints({0}, DataType::kInt32, true))
      .done();
}

TF_Output arg_extreme(Operator& op, const char* type, TF_Output x, std::int64_t axis) {
  return op.g.op(type).in(x).in(op.g.ints({axis}, DataType::kInt32, true)).type("output_type", DataType::kInt64).done();
}

/// Axes in order but for two that change places.
Ints swapped_axes(std::size_t rank, std::size_t a, std::size_t b) {
  Ints order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[a], order[b]);
  return order;
}

TF_Output one_hot(Operator& op, TF_Output x, std::int64_t axis) {
  const DataType type = op.g.type_of(x);
  return op.g.op("OneHot")
      .in(arg_extreme(op, "ArgMax", x, axis))
      .in(size_along(op, x, axis))
      .in(op.g.scalar(type, 1))
      .in(op.g.scalar(type, 0))
      .integer("axis", axis)
      .done();
}

}  // namespace

void translate_arg_extreme(Operator& op) {
  const char* type = op.node.op_type == "ArgMax" ? "ArgMax" : "ArgMin";
  const std::size_t rank = op.rank(0);
  const bool keep = op.integer("keepdims", 1) != 0;
  const std::int64_t given = op.axis(op.integer("axis", 0), rank);
  // Without its channels an image has one layout only.
  const bool last = op.is_last(0) && (keep || given == 1);
  const std::int64_t axis = Operator::place(given, rank, last);
  TF_Output x = last ? op.in_last(0) : op.in(0);
  TF_Output y;
  if (op.integer("select_last_index", 0) != 0) {
    const Term size = Term{&op.g, size_along(op, x, axis)}.as(DataType::kInt64);
    x = op.g.binary("ReverseV2", x, op.g.ints({axis}));
    y = (size - 1 - Term{&op.g, arg_extreme(op, type, x, axis)}).x;
  } else {
    y = arg_extreme(op, type, x, axis);
  }
  if (keep) y = op.g.binary("ExpandDims", y, op.g.ints({axis}, DataType::kInt32, true));
  op.out(0, y, last && keep);
}

void translate_cum_sum(Operator& op) {
  op.out(0, op.g.op("Cumsum")
                .in(op.in(0))
                .in(as_scalar(op, 1))
                .flag("exclusive", op.integer("exclusive", 0) != 0)
                .flag("reverse", op.integer("reverse", 0) != 0)
                .done());
}

void translate_hardmax(Operator& op) {
  const bool flattens = op.opset() < 13;  // all axes from the given one on were one
  const std::size_t rank = op.rank(0);
  const std::int64_t axis = op.axis(op.integer("axis", flattens ? 1 : -1), rank);
  const TF_Output x = op.in(0);
  if (!flattens) return op.out(0, one_hot(op, x, axis));
  const Ints shape = op.sizes(0);
  std::int64_t width = 1;
  for (std::size_t i = static_cast<std::size_t>(axis); i < rank; ++i) {
    if (shape[i] < 0) op.fail("a hardmax over several axes of free size");
    width *= shape[i];
  }
  op.out(0, op.g.binary("Reshape", one_hot(op, op.g.reshape(x, {-1, width}), 1), op.g.unary("Shape", x)));
}

void translate_top_k(Operator& op) {
  const std::size_t rank = op.rank(0);
  const auto axis = static_cast<std::size_t>(op.axis(op.integer("axis", -1), rank));
  const bool largest = op.integer("largest", 1) != 0;
  const Ints order = swapped_axes(rank, axis, rank - 1);
  TF_Output x = op.g.transpose(op.in(0), order);
  // The smallest are the largest of the opposite; for an integer of its complement, which every one has.
  const char* opposite = is_float(op.g.type_of(x)) ? "Neg" : "Invert";
  if (!largest) x = op.g.unary(opposite, x);
  const TF_Output k = op.opset() < 10 ? op.g.ints({op.integer("k", 1)}, DataType::kInt32, true) : as_scalar(op, 1);
  TF_Output values = op.g.binary("TopKV2", x, k);
  const TF_Output indices = op.g.cast({values.operation, 1}, DataType::kInt64);
  if (!largest) values = op.g.unary(opposite, values);
  op.out(0, op.g.transpose(values, order));
  op.out(1, op.g.transpose(indices, order));
}

}  // namespace assay::tensorflow
