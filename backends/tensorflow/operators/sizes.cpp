#include "operators/sizes.hpp"

namespace assay::tensorflow {

TF_Output one_int(GraphBuilder& g, std::int64_t value) { return g.ints({value}, DataType::kInt64); }
TF_Output scalar_int(GraphBuilder& g, std::int64_t value) { return g.ints({value}, DataType::kInt64, true); }

TF_Output as_vector(GraphBuilder& g, TF_Output x) { return g.reshape(g.cast(x, DataType::kInt64), {-1}); }
TF_Output as_scalar(GraphBuilder& g, TF_Output x) { return g.reshape(g.cast(x, DataType::kInt64), {}); }

TF_Output sizes_of(GraphBuilder& g, TF_Output x) {
  return g.op("Shape").in(x).type("out_type", DataType::kInt64).done();
}

TF_Output sizes_of_input(Operator& op, std::size_t i) {
  const auto [values, last] = op.operand(i);
  const TF_Output sizes = sizes_of(op.g, values[0]);
  return last ? gathered(op.g, sizes, op.g.ints(from_last(op.rank(i)))) : sizes;
}

TF_Output size_of_axis(GraphBuilder& g, TF_Output x, std::int64_t axis) {
  return g.reshape(part(g, sizes_of(g, x), axis, 1), {});
}

TF_Output part(GraphBuilder& g, TF_Output vector, std::int64_t begin, std::int64_t count) {
  return g.op("Slice").in(vector).in(g.ints({begin})).in(g.ints({count})).done();
}

TF_Output concatenated(GraphBuilder& g, const std::vector<TF_Output>& parts, std::int64_t axis) {
  if (parts.size() == 1) return parts[0];
  return g.op("ConcatV2").in_list(parts).in(g.ints({axis}, DataType::kInt32, true)).done();
}

TF_Output counting(GraphBuilder& g, TF_Output begin, TF_Output end) {
  return g.op("Range").in(begin).in(end).in(scalar_int(g, 1)).done();
}

TF_Output counting_along(GraphBuilder& g, TF_Output size, std::int64_t axis, std::size_t rank) {
  Ints shape(rank, 1);
  shape[static_cast<std::size_t>(axis)] = -1;
  return g.reshape(counting(g, scalar_int(g, 0), size), shape);
}

TF_Output choose(GraphBuilder& g, TF_Output condition, TF_Output if_true, TF_Output if_false) {
  return g.op("SelectV2").in(condition).in(if_true).in(if_false).done();
}

TF_Output from_begin(GraphBuilder& g, TF_Output x, TF_Output size) {
  const TF_Output negative = g.binary("Less", x, g.scalar(g.type_of(x), 0));
  return choose(g, negative, g.binary("AddV2", x, size), x);
}

TF_Output placed(GraphBuilder& g, const Ints& vector, TF_Output places, TF_Output values) {
  const auto n = static_cast<std::int64_t>(vector.size());
  const TF_Output here = g.binary("Equal", counting_along(g, scalar_int(g, n), 0, 2), with_axis(g, places, 0));
  const TF_Output value = g.reduce("Sum", choose(g, here, values, scalar_int(g, 0)), {1}, false);
  return choose(g, g.reduce("Any", here, {1}, false), value, g.ints(vector, DataType::kInt64));
}

TF_Output gathered(GraphBuilder& g, TF_Output x, TF_Output indices, std::int64_t axis) {
  return g.op("GatherV2").in(x).in(indices).in(g.ints({axis}, DataType::kInt32, true)).done();
}

TF_Output with_axis(GraphBuilder& g, TF_Output x, std::int64_t axis) {
  return g.binary("ExpandDims", x, g.ints({axis}, DataType::kInt32, true));
}

}  // namespace assay::tensorflow
