// Normalizations: by statistics of the data, or by given ones.
#include <algorithm>
#include <numeric>

#include "operators/window.hpp"

namespace assay::tensorflow {
namespace {

struct Moments {
  TF_Output mean;
  TF_Output centred;   ///< x less its mean
  TF_Output variance;  ///< of the population
};

/// Along axes that stay, of size 1.
Moments moments_of(Operator& op, TF_Output x, const Ints& axes) {
  Moments m;
  m.mean = op.g.reduce("Mean", x, axes, true);
  m.centred = op.g.binary("Sub", x, m.mean);
  m.variance = op.g.reduce("Mean", op.g.unary("Square", m.centred), axes, true);
  return m;
}

TF_Output inverse_deviation(Operator& op, TF_Output variance, float epsilon) {
  return op.g.unary("Rsqrt", op.g.binary("AddV2", variance, op.g.scalar(op.g.type_of(variance), epsilon)));
}

/// Types of 16 bits are computed in float.
TF_Output widened(Operator& op, TF_Output x) {
  return element_bytes(op.g.type_of(x)) < 4 ? op.g.cast(x, DataType::kFloat) : x;
}

/// Input i, a number for each channel, as it is broadcast along x.
TF_Output along_channels(Operator& op, std::size_t i, DataType type, std::size_t rank, bool last) {
  Ints shape(rank, 1);
  if (rank > 1) shape[static_cast<std::size_t>(Operator::place(1, rank, last))] = -1;
  return op.g.reshape(op.g.cast(op.in(i), type), shape);
}

Ints axes_of_space(std::size_t rank, bool last) {
  Ints axes;
  for (std::size_t i = 2; i < rank; ++i) axes.push_back(Operator::place(static_cast<std::int64_t>(i), rank, last));
  return axes;
}

/// The statistics of the batch, and those of the past moved towards them.
void normalize_by_batch(Operator& op) {
  const auto [values, last] = op.operand();
  const std::size_t rank = op.rank(0);
  const TF_Output x = widened(op, values[0]);
  const DataType type = op.g.type_of(x);
  Ints axes = axes_of_space(rank, last);
  axes.push_back(0);
  const Moments m = moments_of(op, x, axes);
  const TF_Output scale = op.g.binary("Mul", inverse_deviation(op, m.variance, op.real("epsilon", 1e-5F)),
                                      along_channels(op, 1, type, rank, last));
  const TF_Output y =
      op.g.binary("AddV2", op.g.binary("Mul", m.centred, scale), along_channels(op, 2, type, rank, last));
  op.out(0, op.g.cast(y, op.g.type_of(values[0])), last);
  const float momentum = op.real("momentum", 0.9F);
  for (const std::size_t i : {1U, 2U}) {
    if (!op.wants(i)) continue;
    const TF_Output past = op.in(i + 2);
    const DataType its = op.g.type_of(past);
    const TF_Output now = op.g.cast(op.g.reshape(i == 1 ? m.mean : m.variance, {-1}), its);
    const TF_Output kept = op.g.binary("Mul", past, op.g.scalar(its, momentum));
    op.out(i, op.g.binary("AddV2", kept, op.g.binary("Mul", now, op.g.scalar(its, 1.0 - momentum))));
  }
}

/// For each element, the sum of x over `size` neighbours along an axis, itself in the middle (before it the fewer).
TF_Output sum_of_neighbours(Operator& op, TF_Output x, std::int64_t axis, std::int64_t size) {
  constexpr std::int64_t kMost = 1024;  // one operation each
  if (size < 1 || size > kMost) op.fail("its size is " + std::to_string(size) + "; 1 to " + std::to_string(kMost));
  const std::size_t rank = op.g.sizes_of(x).size();
  Ints pairs(2 * rank, 0);
  pairs[2 * static_cast<std::size_t>(axis)] = (size - 1) / 2;
  pairs[2 * static_cast<std::size_t>(axis) + 1] = size / 2;
  const TF_Output padded = op.g.binary("Pad", x, op.g.paddings(pairs));
  const TF_Output shape = op.g.op("Shape").in(x).done();
  TF_Output sum;
  for (std::int64_t i = 0; i < size; ++i) {
    Ints begin(rank, 0);
    begin[static_cast<std::size_t>(axis)] = i;
    const TF_Output part = op.g.op("Slice").in(padded).in(op.g.ints(begin)).in(shape).done();
    sum = i == 0 ? part : op.g.binary("AddV2", sum, part);
  }
  return sum;
}

}  // namespace

void translate_batch_normalization(Operator& op) {
  if (op.opset() < 9 && op.integer("spatial", 1) == 0) op.fail("spatial is 0");
  if (op.integer("training_mode", 0) != 0) return normalize_by_batch(op);
  if (op.wants(1)) op.fail("statistics of the batch are asked for");
  const float epsilon = op.real("epsilon", 1e-5F);
  const std::size_t rank = op.rank(0);
  if (rank == 4 && op.type(0) == DataType::kFloat) {
    OperationBuilder builder = op.g.op("FusedBatchNormV3");
    builder.in(op.image(0));
    for (std::size_t i = 1; i < 5; ++i) builder.in(op.in(i));
    builder.real("epsilon", epsilon).flag("is_training", false).text("data_format", op.data_format(2));
    op.out_image(0, builder.done());
    return;
  }
  const auto [values, last] = op.operand();
  const TF_Output x = widened(op, values[0]);
  const auto along = [&, in_last = last](std::size_t i) {
    return along_channels(op, i, op.g.type_of(x), rank, in_last);
  };
  const TF_Output scale = op.g.binary("Mul", along(1), inverse_deviation(op, along(4), epsilon));
  const TF_Output centred = op.g.binary("Sub", x, along(3));
  const TF_Output y = op.g.binary("AddV2", op.g.binary("Mul", centred, scale), along(2));
  op.out(0, op.g.cast(y, op.g.type_of(values[0])), last);
}

void translate_instance_normalization(Operator& op) {
  const auto [values, last] = op.operand();
  const std::size_t rank = op.rank(0);
  if (rank < 3) op.fail("an input without axes of space");
  const TF_Output x = widened(op, values[0]);
  const DataType type = op.g.type_of(x);
  const Moments m = moments_of(op, x, axes_of_space(rank, last));
  const TF_Output scale = op.g.binary("Mul", inverse_deviation(op, m.variance, op.real("epsilon", 1e-5F)),
                                      along_channels(op, 1, type, rank, last));
  const TF_Output y =
      op.g.binary("AddV2", op.g.binary("Mul", m.centred, scale), along_channels(op, 2, type, rank, last));
  op.out(0, op.g.cast(y, op.g.type_of(values[0])), last);
}

void translate_group_normalization(Operator& op) {
  const auto [values, last] = op.operand();
  const std::optional<Ints> shape = op.shape(0);
  const std::int64_t groups = op.integer("num_groups", 1);
  if (!shape || shape->size() < 2) op.fail("the number of axes of its input is not known");
  const std::int64_t channels = shape->at(1);
  if (channels < 0 || groups < 1 || channels % groups != 0) {
    op.fail(std::to_string(groups) + " groups of " + (channels < 0 ? "a free number of" : std::to_string(channels)) +
            " channels");
  }
  std::int64_t space = 1;
  for (std::size_t i = 2; i < shape->size(); ++i) space = shape->at(i) < 0 || space < 0 ? -1 : space * shape->at(i);
  if (space < 0 && shape->at(0) < 0) op.fail("its batch and its space are free: give the input a shape");
  const TF_Output x = widened(op, values[0]);
  const DataType type = op.g.type_of(x);
  const std::int64_t each = channels / groups;
  const std::int64_t batch = space < 0 ? shape->at(0) : -1;
  const TF_Output grouped = op.g.reshape(x, last ? Ints{batch, space, groups, each} : Ints{batch, groups, each, space});
  const Moments m = moments_of(op, grouped, last ? Ints{1, 3} : Ints{2, 3});
  TF_Output y = op.g.binary("Mul", m.centred, inverse_deviation(op, m.variance, op.real("epsilon", 1e-5F)));
  const std::int64_t own = op.opset() < 21 ? 1 : each;  // before: a scale for each group
  const Ints affine = last ? Ints{1, 1, groups, own} : Ints{1, groups, own, 1};
  y = op.g.binary("Mul", y, op.g.reshape(op.g.cast(op.in(1), type), affine));
  y = op.g.binary("AddV2", y, op.g.reshape(op.g.cast(op.in(2), type), affine));
  y = op.g.binary("Reshape", y, op.g.op("Shape").in(values[0]).type("out_type", DataType::kInt64).done());
  op.out(0, op.g.cast(y, op.g.type_of(values[0])), last);
}

void translate_layer_normalization(Operator& op) {
  const std::size_t rank = op.rank(0);
  const std::int64_t first = op.axis(op.integer("axis", -1), rank);
  Ints axes(rank - static_cast<std::size_t>(first));
  std::iota(axes.begin(), axes.end(), first);
  const TF_Output given = op.in(0);
  const DataType type = op.g.type_of(given);
  const TF_Output x = widened(op, given);
  const Moments m = moments_of(op, x, axes);
  const TF_Output inverse = inverse_deviation(op, m.variance, op.real("epsilon", 1e-5F));
  TF_Output y = op.g.binary("Mul", m.centred, inverse);
  y = op.g.binary("Mul", y, op.g.cast(op.in(1), op.g.type_of(x)));
  if (op.has(2)) y = op.g.binary("AddV2", y, op.g.cast(op.in(2), op.g.type_of(x)));
  op.out(0, op.g.cast(y, type));
  if (op.wants(1)) op.out(1, op.g.cast(m.mean, op.out_type(1)));
  if (op.wants(2)) op.out(2, op.g.cast(inverse, op.out_type(2)));
}

void translate_lp_normalization(Operator& op) {
  const auto [values, last] = op.operand();
  const std::size_t rank = op.rank(0);
  const std::int64_t axis = Operator::place(op.axis(op.integer("axis", -1), rank), rank, last);
  const auto p = static_cast<double>(op.integer("p", 2));
  const TF_Output norm = root_of(op, op.g.reduce("Sum", powers_of(op, values[0], p), {axis}, true), p);
  op.out(0, op.g.binary("DivNoNan", values[0], norm), last);
}

void translate_mean_variance_normalization(Operator& op) {
  constexpr double kAddedToDeviation = 1e-9;  // as ONNX's function has it
  const auto [values, last] = op.operand();
  const std::size_t rank = op.rank(0);
  Ints axes = op.list("axes").value_or(Ints{0, 2, 3});
  for (std::int64_t& a : axes) a = Operator::place(op.axis(a, rank), rank, last);
  const TF_Output x = widened(op, values[0]);
  const Moments m = moments_of(op, x, axes);
  const TF_Output deviation =
      op.g.binary("AddV2", op.g.unary("Sqrt", m.variance), op.g.scalar(op.g.type_of(x), kAddedToDeviation));
  op.out(0, op.g.cast(op.g.binary("RealDiv", m.centred, deviation), op.g.type_of(values[0])), last);
}

void translate_lrn(Operator& op) {
  const std::int64_t size = op.integer("size", 1);
  const float alpha = op.real("alpha", 1e-4F), beta = op.real("beta", 0.75F), bias = op.real("bias", 1);
  const std::size_t rank = op.rank(0);
  if (size < 1 || rank < 2) op.fail("size " + std::to_string(size) + " over " + std::to_string(rank) + " axes");
  if (rank == 4 && size % 2 == 1 && op.type(0) == DataType::kFloat) {
    op.insist_on_channels_last();
    OperationBuilder builder = op.g.op("LRN");
    builder.in(op.image(0)).integer("depth_radius", size / 2).real("bias", bias).real("beta", beta);
    op.out_image(0, builder.real("alpha", alpha / static_cast<float>(size)).done());
    return;
  }
  const auto [values, last] = op.operand();
  const TF_Output x = widened(op, values[0]);
  const auto number = [&](double v) { return op.g.scalar(op.g.type_of(x), v); };
  const TF_Output squares = sum_of_neighbours(op, op.g.unary("Square", x), Operator::place(1, rank, last), size);
  const TF_Output scaled = op.g.binary("Mul", squares, number(static_cast<double>(alpha) / static_cast<double>(size)));
  const TF_Output divisor = op.g.binary("Pow", op.g.binary("AddV2", scaled, number(bias)), number(beta));
  op.out(0, op.g.cast(op.g.binary("RealDiv", x, divisor), op.g.type_of(values[0])), last);
}

}  // namespace assay::tensorflow
