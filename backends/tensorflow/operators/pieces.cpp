// Operators that take tensors apart, extend them, and move their elements by a rule.
#include <algorithm>
#include <limits>
#include <numeric>

#include "operators/sizes.hpp"

namespace assay::tensorflow {
namespace {

constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();

struct Bounds {
  Ints begin, end, step;  // of each axis, as TensorFlow's StridedSlice takes them: as ONNX's Slice does
};

/// nullopt: something of it is known only when the graph runs.
std::optional<Bounds> known_bounds(Operator& op, std::size_t rank, bool last) {
  const bool attributes = op.opset() < 10;
  const std::optional<Ints> starts = attributes ? op.list("starts") : op.integers(1);
  const std::optional<Ints> ends = attributes ? op.list("ends") : op.integers(2);
  if (!starts || !ends) return std::nullopt;
  Ints axes(starts->size());
  std::iota(axes.begin(), axes.end(), 0);
  Ints steps(starts->size(), 1);
  if (attributes) {
    axes = op.list("axes").value_or(axes);
  } else {
    if ((op.has(3) && !op.integers(3)) || (op.has(4) && !op.integers(4))) return std::nullopt;
    axes = op.has(3) ? op.require_integers(3, "axes") : axes;
    steps = op.has(4) ? op.require_integers(4, "steps") : steps;
  }
  if (ends->size() != starts->size() || axes.size() != starts->size() || steps.size() != starts->size()) {
    op.fail("its starts, ends, axes and steps are not equally many");
  }
  Bounds bounds{Ints(rank, 0), Ints(rank, kToTheEnd), Ints(rank, 1)};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<std::size_t>(Operator::place(op.axis(axes[i], rank), rank, last));
    bounds.begin[at] = (*starts)[i];
    bounds.end[at] = (*ends)[i];
    bounds.step[at] = steps[i];
  }
  return bounds;
}

TF_Output strided_slice(GraphBuilder& g, TF_Output x, TF_Output begin, TF_Output end, TF_Output step) {
  return g.op("StridedSlice").in(x).in(begin).in(end).in(step).done();
}

void slice_at_run_time(Operator& op) {
  GraphBuilder& g = op.g;
  TF_Output begin = as_vector(g, op.in(1));
  TF_Output end = as_vector(g, op.in(2));
  TF_Output step = op.has(4) ? as_vector(g, op.in(4)) : g.unary("OnesLike", begin);
  if (op.has(3)) {
    const std::size_t rank = op.rank(0);
    const TF_Output axes = from_begin(g, as_vector(g, op.in(3)), scalar_int(g, static_cast<std::int64_t>(rank)));
    begin = placed(g, Ints(rank, 0), axes, begin);
    end = placed(g, Ints(rank, kToTheEnd), axes, end);
    step = placed(g, Ints(rank, 1), axes, step);
  }
  op.out(0, strided_slice(g, op.in(0), begin, end, step));
}

/// Sizes of the pieces where nothing tells them: equal, and of opset 18 the last one perhaps smaller.
TF_Output sizes_of_pieces(GraphBuilder& g, TF_Output whole, std::int64_t pieces) {
  const TF_Output n = scalar_int(g, pieces);
  const TF_Output rounded = g.binary("AddV2", whole, scalar_int(g, pieces - 1));
  const TF_Output each = g.binary("FloorDiv", rounded, n);
  const TF_Output front = g.binary("Fill", g.ints({pieces - 1}), each);
  const TF_Output rest = g.binary("Sub", whole, g.binary("Mul", each, scalar_int(g, pieces - 1)));
  return concatenated(g, {front, g.reshape(rest, {1})});
}

// Pads, before and after each axis as the input stands.
struct Pads {
  Ints before, after;
};

std::optional<Pads> known_pads(Operator& op, std::size_t rank, bool last) {
  const std::optional<Ints> given = op.opset() < 11 ? op.list("pads") : op.integers(1);
  if (!given || (op.has(3) && !op.integers(3))) return std::nullopt;
  Ints axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (op.has(3)) axes = op.require_integers(3, "axes");
  if (given->size() != 2 * axes.size()) {
    op.fail(std::to_string(given->size()) + " pads for " + std::to_string(axes.size()) + " axes: two each are needed");
  }
  Pads pads{Ints(rank, 0), Ints(rank, 0)};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<std::size_t>(Operator::place(op.axis(axes[i], rank), rank, last));
    pads.before[at] = (*given)[i];
    pads.after[at] = (*given)[axes.size() + i];
  }
  return pads;
}

/// Before all axes, and then after all, as a tensor of two rows.
TF_Output pads_at_run_time(Operator& op, std::size_t rank) {
  GraphBuilder& g = op.g;
  const auto axes_of_x = static_cast<std::int64_t>(rank);
  const TF_Output rows = g.reshape(as_vector(g, op.in(1)), {2, -1});
  if (!op.has(3)) return g.reshape(rows, {2, axes_of_x});
  const TF_Output axes = from_begin(g, as_vector(g, op.in(3)), scalar_int(g, axes_of_x));
  const auto row = [&](std::int64_t at) {
    const TF_Output values = gathered(g, rows, scalar_int(g, at));
    return with_axis(g, placed(g, Ints(rank, 0), axes, values), 0);
  };
  return concatenated(g, {row(0), row(1)});
}

TF_Output pad_rows(GraphBuilder& g, const Pads& pads) {
  Ints all = pads.before;
  all.insert(all.end(), pads.after.begin(), pads.after.end());
  return g.reshape(g.ints(all, DataType::kInt64), {2, -1});
}

/// Row 0 or 1 of the pads, a vector.
TF_Output pad_row(GraphBuilder& g, TF_Output rows, std::int64_t row) { return gathered(g, rows, scalar_int(g, row)); }

/// What negative pads take away.
TF_Output cropped(GraphBuilder& g, TF_Output x, TF_Output rows) {
  const TF_Output away = g.binary("Maximum", g.unary("Neg", rows), scalar_int(g, 0));
  const TF_Output begin = pad_row(g, away, 0);
  const TF_Output gone = g.binary("AddV2", begin, pad_row(g, away, 1));
  return g.op("Slice").in(x).in(begin).in(g.binary("Sub", sizes_of(g, x), gone)).done();
}

TF_Output pad_value(Operator& op, DataType type) {
  if (op.opset() < 11) return op.g.scalar(type, op.real("value", 0));
  return op.has(2) ? op.g.reshape(op.in(2), {}) : op.g.scalar(type, 0);
}

TF_Output padded(GraphBuilder& g, TF_Output x, TF_Output rows, TF_Output value) {
  return g.op("PadV2").in(x).in(g.transpose(rows, {1, 0})).in(value).done();
}

TF_Output padded_constant(Operator& op, TF_Output x, TF_Output rows, const std::optional<Pads>& known) {
  GraphBuilder& g = op.g;
  const TF_Output value = pad_value(op, g.type_of(x));
  const auto none_negative = [](const Ints& v) {
    return std::none_of(v.begin(), v.end(), [](auto p) { return p < 0; });
  };
  if (known && none_negative(known->before) && none_negative(known->after)) return padded(g, x, rows, value);
  return padded(g, cropped(g, x, rows), g.binary("Maximum", rows, scalar_int(g, 0)), value);
}

/// Which element of an axis of `size` is at place `at`, from below 0 to beyond the end.
TF_Output source(Operator& op, const std::string& mode, TF_Output at, TF_Output size) {
  GraphBuilder& g = op.g;
  const TF_Output final = g.binary("Sub", size, scalar_int(g, 1));
  if (mode == "edge") return g.binary("Minimum", g.binary("Maximum", at, scalar_int(g, 0)), final);
  if (mode == "wrap") return g.binary("FloorMod", at, size);
  if (mode != "reflect") op.fail("mode '" + mode + "': it must be constant, reflect, edge or wrap");
  const TF_Output period = g.binary("Maximum", g.binary("Mul", final, scalar_int(g, 2)), scalar_int(g, 1));
  const TF_Output within = g.binary("FloorMod", at, period);
  return g.binary("Minimum", within, g.binary("Minimum", g.binary("Sub", period, within), final));
}

/// Axis by axis: TensorFlow pads with nothing but constants and mirror images that are smaller than what they mirror.
TF_Output padded_from_itself(Operator& op, TF_Output x, TF_Output rows, const std::optional<Pads>& known,
                             std::size_t rank) {
  GraphBuilder& g = op.g;
  const std::string mode = op.text("mode", "constant");
  for (std::size_t i = 0; i < rank; ++i) {
    if (known && known->before[i] == 0 && known->after[i] == 0) continue;
    const auto axis = static_cast<std::int64_t>(i);
    const TF_Output size = size_of_axis(g, x, axis);
    const auto pad = [&](std::int64_t row) { return g.reshape(part(g, pad_row(g, rows, row), axis, 1), {}); };
    const TF_Output places = counting(g, g.unary("Neg", pad(0)), g.binary("AddV2", size, pad(1)));
    x = gathered(g, x, source(op, mode, places, size), axis);
  }
  return x;
}

}  // namespace

void translate_slice(Operator& op) {
  const auto [values, last] = op.operand();
  const std::optional<Bounds> known = known_bounds(op, op.rank(0), last);
  if (!known) return slice_at_run_time(op);
  const TF_Output begin = op.g.ints(known->begin);
  op.out(0, strided_slice(op.g, values[0], begin, op.g.ints(known->end), op.g.ints(known->step)), last);
}

void translate_split(Operator& op) {
  GraphBuilder& g = op.g;
  const auto [values, last] = op.operand();
  const std::size_t rank = op.rank(0);
  const std::int64_t axis = op.axis(op.integer("axis", 0), rank);
  const std::int64_t there = Operator::place(axis, rank, last);
  const auto pieces = static_cast<std::int64_t>(op.node.outputs.size());
  if (op.integer("num_outputs", pieces) != pieces) {
    op.fail("num_outputs is " + std::to_string(op.integer("num_outputs", 0)) + ", and it has " +
            std::to_string(pieces) + " outputs");
  }
  const TF_Output at = g.ints({there}, DataType::kInt32, true);
  const std::int64_t whole = op.sizes(0).at(static_cast<std::size_t>(axis));
  const std::optional<Ints> listed = op.opset() < 13 ? op.list("split") : std::nullopt;
  const bool given = listed || (op.opset() >= 13 && op.has(1));
  TF_Output first;
  if (!given && (op.opset() < 18 || (whole >= 0 && whole % pieces == 0))) {
    first = g.op("Split").in(at).in(values[0]).integer("num_split", pieces).done();
  } else {
    const TF_Output sizes = listed  ? g.ints(*listed, DataType::kInt64)
                            : given ? as_vector(g, op.in(1))
                                    : sizes_of_pieces(g, size_of_axis(g, values[0], there), pieces);
    first = g.op("SplitV").in(values[0]).in(sizes).in(at).integer("num_split", pieces).done();
  }
  for (int i = 0; i < static_cast<int>(pieces); ++i) {
    op.out(static_cast<std::size_t>(i), {first.operation, first.index + i}, last);
  }
}

void translate_pad(Operator& op) {
  const std::size_t rank = op.rank(0);
  const std::optional<Pads> known = known_pads(op, rank, op.is_last(0));
  const bool last = known && op.is_last(0);
  const TF_Output x = last ? op.in_last(0) : op.in(0);
  const TF_Output rows = known ? pad_rows(op.g, *known) : pads_at_run_time(op, rank);
  const bool constant = op.text("mode", "constant") == "constant";
  op.out(0, constant ? padded_constant(op, x, rows, known) : padded_from_itself(op, x, rows, known, rank), last);
}

void translate_tile(Operator& op) {
  GraphBuilder& g = op.g;
  const DataType type = op.type(0);
  const DataType tiled = type == DataType::kUint16 ? DataType::kInt32 : type;  // TensorFlow tiles all types but this
  op.out(0, g.cast(g.binary("Tile", g.cast(op.in(0), tiled), as_vector(g, op.in(1))), type));
}

void translate_depth_to_space(Operator& op) {
  GraphBuilder& g = op.g;
  if (op.rank(0) != 4) op.fail("its input has " + std::to_string(op.rank(0)) + " axes, and it takes images: 4");
  const std::int64_t block = op.integer("blocksize", 1);
  const std::int64_t channels = op.sizes(0).at(1);
  if (block < 1 || (channels >= 0 && channels % (block * block) != 0)) {
    op.fail("its " + std::to_string(channels) + " channels are no multiple of its blocksize, " + std::to_string(block) +
            ", squared");
  }
  TF_Output x = op.in_last(0);
  if (op.text("mode", "DCR") == "CRD") {  // TensorFlow's is DCR: channels of a block's elements together
    if (channels < 0) op.fail("its number of channels is known only when the graph runs");
    Ints order;
    const std::int64_t each = block * block;
    for (std::int64_t element = 0; element < each; ++element) {
      for (std::int64_t c = 0; c < channels / each; ++c) order.push_back(c * each + element);
    }
    x = gathered(g, x, g.ints(order), 3);
  }
  op.out_last(0, block == 1 ? x : g.op("DepthToSpace").in(x).integer("block_size", block).done());
}

void translate_space_to_depth(Operator& op) {
  if (op.rank(0) != 4) op.fail("its input has " + std::to_string(op.rank(0)) + " axes, and it takes images: 4");
  const std::int64_t block = op.integer("blocksize", 1);
  if (block == 1) return op.alias(0, 0);
  op.out_last(0, op.g.op("SpaceToDepth").in(op.in_last(0)).integer("block_size", block).done());
}

void translate_reverse_sequence(Operator& op) {
  op.out(0, op.g.op("ReverseSequence")
                .in(op.in(0))
                .in(op.in(1))
                .integer("seq_dim", op.integer("time_axis", 0))
                .integer("batch_dim", op.integer("batch_axis", 1))
                .done());
}

void translate_trilu(Operator& op) {
  GraphBuilder& g = op.g;
  const auto rank = static_cast<std::int64_t>(op.rank(0));
  if (rank < 2) op.fail("its input has less than two axes");
  const TF_Output x = op.in(0);
  const TF_Output row = counting_along(g, size_of_axis(g, x, rank - 2), 0, 2);
  const TF_Output column = counting_along(g, size_of_axis(g, x, rank - 1), 1, 2);
  const TF_Output k = op.has(1) ? as_scalar(g, op.in(1)) : scalar_int(g, 0);
  const char* kept = op.integer("upper", 1) != 0 ? "GreaterEqual" : "LessEqual";
  const TF_Output mask = g.binary(kept, g.binary("Sub", column, row), k);
  op.out(0, choose(g, mask, x, g.scalar(g.type_of(x), 0)));
}

}  // namespace assay::tensorflow
