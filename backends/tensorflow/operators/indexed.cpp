// Operators that read or write elements at indices.
#include <algorithm>

#include "operators/sizes.hpp"

namespace assay::tensorflow {
namespace {

/// Indices along an axis of input 0 that may count from the end, as numbers that do not.
TF_Output indices_of(Operator& op, std::size_t input, std::int64_t axis) {
  GraphBuilder& g = op.g;
  if (const onnx_graph::Tensor* constant = op.constant(input)) {
    const Ints values = constant->integers();
    if (std::none_of(values.begin(), values.end(), [](std::int64_t v) { return v < 0; })) return op.in(input);
  }
  const TF_Output size = g.reshape(part(g, sizes_of_input(op, 0), axis, 1), {});
  return from_begin(g, op.in(input), g.cast(size, op.type(input)));
}

/// How far apart neighbours along each axis are in memory.
TF_Output strides_of(GraphBuilder& g, TF_Output sizes) {
  return g.op("Cumprod")
      .in(sizes)
      .in(g.ints({0}, DataType::kInt32, true))
      .flag("exclusive", true)
      .flag("reverse", true)
      .done();
}

/// Where in memory the elements of x are that indices along `axis` name: of the shape of the indices.
TF_Output offsets(Operator& op, TF_Output x, std::size_t input, std::int64_t axis) {
  GraphBuilder& g = op.g;
  const std::size_t rank = op.rank(0);
  const TF_Output indices = g.cast(indices_of(op, input, axis), DataType::kInt64);
  const TF_Output strides = strides_of(g, sizes_of(g, x));
  const auto stride = [&](std::int64_t at) { return g.reshape(part(g, strides, at, 1), {}); };
  TF_Output sum = g.binary("Mul", indices, stride(axis));
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(rank); ++i) {
    if (i == axis) continue;
    const TF_Output along = counting_along(g, size_of_axis(g, indices, i), i, rank);
    sum = g.binary("AddV2", sum, g.binary("Mul", along, stride(i)));
  }
  return sum;
}

/// Number of axes of x that the last axis of the indices names: a vector of one.
TF_Output depth_of(GraphBuilder& g, TF_Output indices, std::size_t rank) {
  return part(g, sizes_of(g, indices), static_cast<std::int64_t>(rank) - 1, 1);
}

/// Tuples of indices into axes from `first` on, none of which counts from the end.
TF_Output tuples(Operator& op, TF_Output x, std::int64_t first) {
  GraphBuilder& g = op.g;
  const std::size_t rank = op.rank(1);
  if (rank == 0) op.fail("its indices have no axis");
  const TF_Output indices = g.cast(op.in(1), DataType::kInt64);
  const TF_Output depth = depth_of(g, indices, rank);
  const TF_Output sizes = g.op("Slice").in(sizes_of(g, x)).in(one_int(g, first)).in(depth).done();
  return from_begin(g, indices, sizes);
}

const char* scatter_type(Operator& op, const std::string& reduction) {
  if (reduction == "none") return "TensorScatterUpdate";
  if (reduction == "add") return "TensorScatterAdd";
  if (reduction == "max") return "TensorScatterMax";
  if (reduction == "min") return "TensorScatterMin";
  op.fail("reduction '" + reduction + "': it must be none, add, mul, max or min");
}

/// x multiplied by the products of all updates of each element: TensorFlow has no such scattering. `at`: a vector of
/// indices into the first axis of x, seen as of `rows` of them.
TF_Output multiplied(GraphBuilder& g, TF_Output x, TF_Output rows, TF_Output at, TF_Output updates) {
  const TF_Output factors = g.op("UnsortedSegmentProd").in(updates).in(at).in(rows).done();
  return g.binary("Mul", x, g.binary("Reshape", factors, sizes_of(g, x)));
}

TF_Output product(GraphBuilder& g, TF_Output sizes) { return g.reduce("Prod", sizes, {0}, false); }

TF_Output multiplied_at_tuples(GraphBuilder& g, TF_Output x, TF_Output indices, std::size_t rank, TF_Output updates) {
  const TF_Output sizes = sizes_of(g, x);
  const TF_Output depth = depth_of(g, indices, rank);
  const TF_Output front = g.op("Slice").in(sizes).in(one_int(g, 0)).in(depth).done();
  const TF_Output rest = g.op("Slice").in(sizes).in(depth).in(one_int(g, -1)).done();
  const TF_Output at = g.reduce("Sum", g.binary("Mul", indices, strides_of(g, front)), {-1}, false);
  const TF_Output flat = g.binary("Reshape", updates, concatenated(g, {one_int(g, -1), rest}));
  return multiplied(g, x, product(g, front), g.reshape(at, {-1}), flat);
}

}  // namespace

void translate_gather(Operator& op) {
  const std::size_t rank = op.rank(0);
  const std::int64_t axis = op.axis(op.integer("axis", 0), rank);
  const TF_Output indices = indices_of(op, 1, axis);
  const bool last = op.is_last(0) && op.rank(1) == 1;  // else there are other axes than before
  const TF_Output x = last ? op.in_last(0) : op.in(0);
  op.out(0, gathered(op.g, x, indices, Operator::place(axis, rank, last)), last);
}

void translate_gather_elements(Operator& op) {
  const std::int64_t axis = op.axis(op.integer("axis", 0), op.rank(0));
  const TF_Output x = op.in(0);
  op.out(0, gathered(op.g, op.g.reshape(x, {-1}), offsets(op, x, 1, axis)));
}

void translate_gather_nd(Operator& op) {
  GraphBuilder& g = op.g;
  const std::size_t rank = op.rank(1);
  const std::int64_t batch = op.integer("batch_dims", 0);
  if (batch < 0 || batch >= static_cast<std::int64_t>(rank)) op.fail("batch_dims is " + std::to_string(batch));
  const TF_Output x = op.in(0);
  TF_Output indices = tuples(op, x, batch);
  if (batch > 0) {  // TensorFlow's operation takes none: each tuple is led by where in the batch it stands
    const TF_Output sizes = sizes_of(g, indices);
    const TF_Output one = concatenated(g, {part(g, sizes, 0, static_cast<std::int64_t>(rank) - 1), one_int(g, 1)});
    std::vector<TF_Output> parts;
    for (std::int64_t i = 0; i < batch; ++i) {
      const TF_Output along = counting_along(g, size_of_axis(g, indices, i), i, rank);
      parts.push_back(g.binary("BroadcastTo", along, one));
    }
    parts.push_back(indices);
    indices = concatenated(g, parts, static_cast<std::int64_t>(rank) - 1);
  }
  op.out(0, g.binary("GatherNd", x, indices));
}

void translate_scatter_elements(Operator& op) {
  GraphBuilder& g = op.g;
  const std::int64_t axis = op.axis(op.integer("axis", 0), op.rank(0));
  const TF_Output x = op.in(0);
  const TF_Output at = g.reshape(offsets(op, x, 1, axis), {-1});
  const TF_Output updates = g.reshape(op.in(2), {-1});
  const std::string reduction = op.text("reduction", "none");
  if (reduction == "mul") return op.out(0, multiplied(g, x, product(g, sizes_of(g, x)), at, updates));
  const TF_Output flat = g.reshape(x, {-1});
  const TF_Output done = g.op(scatter_type(op, reduction)).in(flat).in(with_axis(g, at, 1)).in(updates).done();
  op.out(0, g.binary("Reshape", done, sizes_of(g, x)));
}

void translate_scatter_nd(Operator& op) {
  GraphBuilder& g = op.g;
  const TF_Output x = op.in(0);
  const TF_Output indices = tuples(op, x, 0);
  const std::string reduction = op.text("reduction", "none");
  if (reduction == "mul") return op.out(0, multiplied_at_tuples(g, x, indices, op.rank(1), op.in(2)));
  op.out(0, g.op(scatter_type(op, reduction)).in(x).in(indices).in(op.in(2)).done());
}

void translate_compress(Operator& op) {
  GraphBuilder& g = op.g;
  const TF_Output chosen = g.reshape(g.unary("Where", op.in(1)), {-1});
  const auto* given = op.node.attribute<std::int64_t>("axis");
  if (given == nullptr) return op.out(0, gathered(g, g.reshape(op.in(0), {-1}), chosen));
  const std::size_t rank = op.rank(0);
  const auto [values, last] = op.operand();
  op.out(0, gathered(g, values[0], chosen, Operator::place(op.axis(*given, rank), rank, last)), last);
}

}  // namespace assay::tensorflow
