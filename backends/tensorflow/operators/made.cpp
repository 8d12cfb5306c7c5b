// Operators that make tensors of few numbers, or of what they find in others.
#include "operators/sizes.hpp"

namespace assay::tensorflow {
namespace {

/// Of types that TensorFlow counts in: the others exactly through a wider one.
DataType counted_in(DataType type) { return type == DataType::kInt16 ? DataType::kInt32 : type; }

/// Of distinct rows: how many rows come before each, compared element by element from the left.
TF_Output ranks_of_rows(GraphBuilder& g, TF_Output rows) {
  if (g.type_of(rows) == DataType::kBool) rows = g.cast(rows, DataType::kInt32);  // which have an order
  const TF_Output flat =
      g.op("Reshape").in(rows).in(concatenated(g, {part(g, sizes_of(g, rows), 0, 1), one_int(g, -1)})).done();
  const TF_Output ours = with_axis(g, flat, 1);
  const TF_Output theirs = with_axis(g, flat, 0);
  const TF_Output equal = g.cast(g.binary("Equal", theirs, ours), DataType::kInt32);
  const TF_Output same_so_far =
      g.op("Cumprod").in(equal).in(g.ints({2}, DataType::kInt32, true)).flag("exclusive", true).done();
  const TF_Output less = g.cast(g.binary("Less", theirs, ours), DataType::kInt32);
  const TF_Output before = g.reduce("Max", g.binary("Mul", less, same_so_far), {2}, false);
  return g.reduce("Sum", g.cast(before, DataType::kInt64), {1}, false);
}

/// An attribute that a tensor of one element holds, as a scalar.
TF_Output scalar_attribute(Operator& op, const char* name) {
  const auto* value = op.node.attribute<onnx_graph::Tensor>(name);
  if (value == nullptr) return op.g.scalar(DataType::kFloat, 0);
  const std::optional<DataType> type = data_type(value->type);
  if (!type || value->elements != 1) op.fail(std::string(name) + " is not one number");
  const onnx_graph::Bytes bytes = value->bytes();
  return op.g.constant(*type, {}, bytes.span());
}

}  // namespace

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
    op.fail("its value is a string or a sparse tensor, and TensorFlow is passed numbers");
  }
}

void translate_constant_of_shape(Operator& op) {
  op.out(0, op.g.binary("Fill", as_vector(op.g, op.in(0)), scalar_attribute(op, "value")));
}

void translate_range(Operator& op) {
  GraphBuilder& g = op.g;
  const DataType type = op.type(0);
  const auto number = [&](std::size_t i) { return g.reshape(g.cast(op.in(i), counted_in(type)), {}); };
  const TF_Output start = number(0);
  const TF_Output limit = number(1);
  const TF_Output step = number(2);
  // A limit on the wrong side means nothing at all; TensorFlow refuses it.
  const TF_Output up = g.binary("Greater", step, g.scalar(g.type_of(step), 0));
  const TF_Output end = choose(g, up, g.binary("Maximum", start, limit), g.binary("Minimum", start, limit));
  op.out(0, g.cast(g.op("Range").in(start).in(end).in(step).done(), type));
}

void translate_eye_like(Operator& op) {
  GraphBuilder& g = op.g;
  if (op.rank(0) != 2) op.fail("its input has " + std::to_string(op.rank(0)) + " axes instead of 2");
  const TF_Output x = op.in(0);
  const TF_Output row = counting_along(g, size_of_axis(g, x, 0), 0, 2);
  const TF_Output column = counting_along(g, size_of_axis(g, x, 1), 1, 2);
  const TF_Output one = g.binary("Equal", column, g.binary("AddV2", row, scalar_int(g, op.integer("k", 0))));
  op.out(0, g.cast(one, op.out_type(0)));
}

void translate_one_hot(Operator& op) {
  GraphBuilder& g = op.g;
  const TF_Output depth = as_scalar(g, op.in(1));
  const TF_Output indices = from_begin(g, g.cast(op.in(0), DataType::kInt64), depth);
  const TF_Output values = op.in(2);
  const std::size_t rank = op.rank(0) + 1;
  op.out(0, g.op("OneHot")
                .in(indices)
                .in(g.cast(depth, DataType::kInt32))
                .in(gathered(g, values, scalar_int(g, 1)))
                .in(gathered(g, values, scalar_int(g, 0)))
                .integer("axis", op.axis(op.integer("axis", -1), rank))
                .done());
}

void translate_non_zero(Operator& op) {
  GraphBuilder& g = op.g;
  const TF_Output x = op.in(0);
  const bool counted = g.type_of(x) != DataType::kHalf;  // TensorFlow finds no halves that are not zero
  const TF_Output found = g.unary("Where", counted ? x : g.cast(x, DataType::kBool));
  op.out(0, g.transpose(found, {1, 0}));
}

void translate_unique(Operator& op) {
  GraphBuilder& g = op.g;
  const auto* given = op.node.attribute<std::int64_t>("axis");
  const std::int64_t axis = given != nullptr ? op.axis(*given, op.rank(0)) : 0;
  const TF_Output x = given != nullptr ? op.in(0) : g.reshape(op.in(0), {-1});
  TF_Output y = g.op("UniqueWithCountsV2").in(x).in(one_int(g, axis)).type("out_idx", DataType::kInt64).done();
  TF_Output place_of = {y.operation, 1};
  TF_Output count = {y.operation, 2};
  const TF_Output number = size_of_axis(g, y, axis);
  const TF_Output all = counting(g, scalar_int(g, 0), size_of_axis(g, x, axis));
  TF_Output first = g.op("UnsortedSegmentMin").in(all).in(place_of).in(number).done();
  if (op.integer("sorted", 1) != 0) {  // TensorFlow's come in the order in which they are met
    const std::size_t rank = given != nullptr ? op.rank(0) : 1;
    Ints order(rank);
    for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::int64_t>(i);
    std::swap(order[0], order[static_cast<std::size_t>(axis)]);
    const TF_Output rank_of = ranks_of_rows(g, g.transpose(y, order));
    const TF_Output from = g.unary("InvertPermutation", rank_of);
    place_of = gathered(g, rank_of, place_of);
    y = gathered(g, y, from, axis);
    count = gathered(g, count, from);
    first = gathered(g, first, from);
  }
  op.out(0, y);
  op.out(1, first);
  op.out(2, place_of);
  op.out(3, count);
}

}  // namespace assay::tensorflow
