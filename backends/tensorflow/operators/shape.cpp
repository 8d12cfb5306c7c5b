// Operators that move elements without changing them.
#include <algorithm>
#include <numeric>

#include "operators/sizes.hpp"

namespace assay::tensorflow {
namespace {

/// The wanted shape with sizes of x where it is 0.
TF_Output zeros_copied(GraphBuilder& g, TF_Output x, TF_Output wanted) {
  const TF_Output count = g.op("Size").in(wanted).type("out_type", DataType::kInt64).done();
  const TF_Output none = g.unary("ZerosLike", wanted);  // it may have more axes than x
  const TF_Output sizes = concatenated(g, {sizes_of(g, x), none});
  const TF_Output same = g.op("Slice").in(sizes).in(one_int(g, 0)).in(g.reshape(count, {1})).done();
  return choose(g, g.binary("Equal", wanted, scalar_int(g, 0)), same, wanted);
}

/// Product of known sizes; -1 where one is not.
std::int64_t known_product(std::span<const std::int64_t> sizes) {
  std::int64_t n = 1;
  for (const std::int64_t size : sizes) n = size < 0 || n < 0 ? -1 : n * size;
  return n;
}

/// Numbers 0 … rank-1 that are not among `axes`, which may count from the end.
TF_Output other_axes(GraphBuilder& g, TF_Output axes, std::size_t rank) {
  const TF_Output n = scalar_int(g, static_cast<std::int64_t>(rank));
  const TF_Output all = counting(g, scalar_int(g, 0), n);
  return g.op("ListDiff").in(all).in(from_begin(g, axes, n)).type("out_idx", DataType::kInt32).done();
}

/// True where nothing but batch and channels is left of an image.
bool only_space(const Ints& axes, std::size_t rank) {
  return axes.size() + 2 == rank && std::all_of(axes.begin(), axes.end(), [](std::int64_t a) { return a >= 2; });
}

}  // namespace

void translate_reshape(Operator& op) {
  GraphBuilder& g = op.g;
  const TF_Output x = op.in(0);
  const bool copies = op.integer("allowzero", 0) == 0;
  std::optional<Ints> wanted = op.integers(1);
  if (!wanted) {
    const TF_Output shape = g.cast(op.in(1), DataType::kInt64);
    return op.out(0, g.binary("Reshape", x, copies ? zeros_copied(g, x, shape) : shape));
  }
  const std::optional<Ints> given = op.shape(0);
  bool known = true;
  for (std::size_t i = 0; i < wanted->size() && copies; ++i) {
    if (wanted->at(i) != 0) continue;
    if (given && i >= given->size()) op.fail("it copies axis " + std::to_string(i) + ", which its input has not");
    if (given && given->at(i) >= 0) {
      wanted->at(i) = given->at(i);
    } else {
      known = false;
    }
  }
  if (known) return op.out(0, g.reshape(x, *wanted));
  op.out(0, g.binary("Reshape", x, zeros_copied(g, x, g.ints(*wanted, DataType::kInt64))));
}

void translate_flatten(Operator& op) {
  GraphBuilder& g = op.g;
  const TF_Output x = op.in(0);
  const auto rank = static_cast<std::int64_t>(op.rank(0));
  const std::int64_t given = op.integer("axis", 1);
  const std::int64_t axis = given == rank ? rank : op.axis(given, op.rank(0));
  const Ints shape = op.sizes(0);
  const std::int64_t rows = known_product(std::span(shape).first(static_cast<std::size_t>(axis)));
  const std::int64_t columns = known_product(std::span(shape).subspan(static_cast<std::size_t>(axis)));
  const bool both = rows >= 0 && columns >= 0;
  if (both || rows > 0 || columns > 0) return op.out(0, g.reshape(x, {rows, columns}));
  const TF_Output sizes = sizes_of(g, x);
  const TF_Output front = g.reduce("Prod", part(g, sizes, 0, axis), {0}, true);
  const TF_Output back = g.reduce("Prod", part(g, sizes, axis, rank - axis), {0}, true);
  op.out(0, g.binary("Reshape", x, concatenated(g, {front, back})));
}

void translate_transpose(Operator& op) {
  const std::size_t rank = op.rank(0);
  Ints order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  order = op.list("perm").value_or(order);
  Ints sorted = order;
  for (std::int64_t& axis : sorted) axis = op.axis(axis, rank);
  std::sort(sorted.begin(), sorted.end());
  if (sorted.size() != rank || std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    op.fail("perm names an axis twice, or not all of its " + std::to_string(rank));
  }
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

void translate_squeeze(Operator& op) {
  GraphBuilder& g = op.g;
  if (op.has(1) && !op.integers(1)) {
    const TF_Output x = op.in(0);
    const TF_Output left = other_axes(g, as_vector(g, op.in(1)), op.rank(0));
    return op.out(0, g.binary("Reshape", x, gathered(g, sizes_of(g, x), left)));
  }
  std::optional<Ints> axes = op.list_or_input("axes", 1);
  if (!axes) return op.out(0, g.unary("Squeeze", op.in(0)));
  if (axes->empty()) return op.alias(0, 0);  // TensorFlow would take them all
  const std::size_t rank = op.rank(0);
  for (std::int64_t& a : *axes) a = op.axis(a, rank);
  const bool last = op.is_last(0) && only_space(*axes, rank);
  for (std::int64_t& a : *axes) a = Operator::place(a, rank, last);
  const TF_Output x = last ? op.in_last(0) : op.in(0);
  op.out(0, g.op("Squeeze").in(x).integers("squeeze_dims", *axes).done());
}

void translate_unsqueeze(Operator& op) {
  GraphBuilder& g = op.g;
  TF_Output x = op.in(0);
  if (op.has(1) && !op.integers(1)) {
    const std::optional<Ints> count = op.shape(1);
    if (!count || count->size() != 1 || count->at(0) < 0) op.fail("how many axes it adds is not known");
    const std::size_t rank = op.rank(0) + static_cast<std::size_t>(count->at(0));
    const TF_Output kept = other_axes(g, as_vector(g, op.in(1)), rank);
    const TF_Output sizes = placed(g, Ints(rank, 1), g.cast(kept, DataType::kInt64), sizes_of(g, x));
    return op.out(0, g.binary("Reshape", x, sizes));
  }
  Ints axes = op.list_or_input("axes", 1).value_or(Ints{});
  const std::size_t rank = op.rank(0) + axes.size();
  for (std::int64_t& a : axes) a = op.axis(a, rank);
  std::sort(axes.begin(), axes.end());
  for (const std::int64_t a : axes) x = with_axis(g, x, a);
  op.out(0, x);
}

void translate_expand(Operator& op) {
  GraphBuilder& g = op.g;
  const TF_Output x = op.in(0);
  const TF_Output wanted = as_vector(g, op.in(1));
  op.out(0, g.binary("BroadcastTo", x, g.binary("BroadcastArgs", sizes_of(g, x), wanted)));
}

void translate_shape(Operator& op) {
  const auto rank = static_cast<std::int64_t>(op.rank(0));
  const auto bound = [&](const char* name, std::int64_t fallback) {
    const std::int64_t given = op.integer(name, fallback);
    return std::clamp<std::int64_t>(given < 0 ? given + rank : given, 0, rank);
  };
  const std::int64_t begin = bound("start", 0);
  const std::int64_t count = std::max<std::int64_t>(bound("end", rank) - begin, 0);
  const TF_Output sizes = sizes_of_input(op, 0);
  op.out(0, count == rank ? sizes : part(op.g, sizes, begin, count));
}

void translate_size(Operator& op) {
  const auto [values, last] = op.operand();
  op.out(0, op.g.op("Size").in(values[0]).type("out_type", DataType::kInt64).done());
}

}  // namespace assay::tensorflow
