// Operators that move elements without changing them.
#include <algorithm>
#include <numeric>

#include "operators/operator.hpp"

namespace assay::tensorflow {
namespace {

/// The shape as a tensor: numbers that are known, and sizes of x where they are not (`from`: which axis of x).
TF_Output shape_tensor(Operator& op, TF_Output x, const Ints& sizes,
                       const std::vector<std::optional<std::size_t>>& from) {
  const TF_Output all = op.g.op("Shape").in(x).type("out_type", DataType::kInt64).done();
  std::vector<TF_Output> parts;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (!from[i]) {
      parts.push_back(op.g.ints({sizes[i]}, DataType::kInt64));
    } else {
      const auto at = static_cast<std::int64_t>(*from[i]);
      parts.push_back(op.g.op("Slice").in(all).in(op.g.ints({at})).in(op.g.ints({1})).done());
    }
  }
  return op.g.op("ConcatV2").in_list(parts).in(op.g.ints({0}, DataType::kInt32, true)).done();
}

}  // namespace

void translate_reshape(Operator& op) {
  const TF_Output x = op.in(0);
  const std::optional<Ints> wanted = op.opset() < 5 ? op.list("shape") : op.integers(1);
  if (!wanted) {
    op.out(0, op.g.binary("Reshape", x, op.in(1)));
    return;
  }
  const std::optional<Ints> given = op.shape(0);
  Ints sizes = *wanted;
  std::vector<std::optional<std::size_t>> from(sizes.size());
  bool dynamic = false;
  for (std::size_t i = 0; i < sizes.size() && op.integer("allowzero", 0) == 0; ++i) {
    if (sizes[i] != 0) continue;
    if (given && i >= given->size()) op.fail("it copies axis " + std::to_string(i) + ", which its input has not");
    if (given && (*given)[i] >= 0) {
      sizes[i] = (*given)[i];
    } else {
      from[i] = i;
      dynamic = true;
    }
  }
  op.out(0, dynamic ? op.g.binary("Reshape", x, shape_tensor(op, x, sizes, from)) : op.g.reshape(x, sizes));
}

void translate_flatten(Operator& op) {
  const TF_Output x = op.in(0);
  const std::optional<Ints> shape = op.shape(0);
  if (!shape) op.fail("the number of axes of its input is not known");
  const auto rank = static_cast<std::int64_t>(shape->size());
  std::int64_t axis = op.integer("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) op.fail("axis " + std::to_string(axis) + " of " + std::to_string(rank));
  const auto product = [&](std::int64_t begin, std::int64_t end) {
    std::int64_t n = 1;
    for (std::int64_t i = begin; i < end; ++i)
      n = (*shape)[static_cast<std::size_t>(i)] < 0 || n < 0 ? -1 : n * (*shape)[static_cast<std::size_t>(i)];
    return n;
  };
  const std::int64_t rows = product(0, axis);
  const std::int64_t columns = product(axis, rank);
  if (rows < 0 && columns < 0) op.fail("free sizes on both sides of the axis");
  op.out(0, op.g.reshape(x, {rows, columns}));
}

void translate_transpose(Operator& op) {
  const std::size_t rank = op.rank(0);
  Ints order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  order = op.list("perm").value_or(order);
  const auto [values, last] = op.operand();
  for (std::int64_t& axis : order) axis = Operator::place(op.axis(axis, rank), rank, last);
  op.out(0, op.g.transpose(values[0], order));
}

void translate_concat(Operator& op) {
  const auto [values, last] = op.all_operands();
  const std::size_t rank = op.rank(0);
  const std::int64_t axis = Operator::place(op.axis(op.integer("axis", 1), rank), rank, last);
  if (values.size() == 1) return op.alias(0, 0);
  op.out(0, op.g.op("ConcatV2").in_list(values).in(op.g.ints({axis}, DataType::kInt32, true)).done(), last);
}

void translate_constant(Operator& op) {
  const onnx_graph::Node& node = op.node;
  if (const auto* number = node.attribute<float>("value_float")) {
    op.out(0, op.g.floats({*number}, {}));
  } else if (const auto* numbers = node.attribute<std::vector<float>>("value_floats")) {
    op.out(0, op.g.floats(*numbers, {static_cast<std::int64_t>(numbers->size())}));
  } else if (const auto* integer = node.attribute<std::int64_t>("value_int")) {
    op.out(0, op.g.ints({*integer}, DataType::kInt64, true));
  } else if (const auto* integers = node.attribute<Ints>("value_ints")) {
    op.out(0, op.g.ints(*integers, DataType::kInt64));
  } else {
    op.fail("its value is of a kind that is not read");
  }
}

}  // namespace assay::tensorflow
