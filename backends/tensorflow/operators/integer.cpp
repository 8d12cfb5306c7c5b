// Products of matrices and convolutions of 8-bit integers: computed exactly, in a type that TensorFlow has kernels for.
#include <algorithm>
#include <limits>
#include <numeric>

#include "operators/matrix.hpp"
#include "operators/window.hpp"

namespace assay::tensorflow {
namespace {

/// A type in which the sum of so many products of 9-bit numbers is exact.
DataType exact_type(std::int64_t products) {
  constexpr std::int64_t kLargestProduct = std::int64_t{255} * 255;
  constexpr std::int64_t kExactInFloat = std::int64_t{1} << 24;
  return products >= 0 && products * kLargestProduct <= kExactInFloat ? DataType::kFloat : DataType::kDouble;
}

/// Input i less its zero point: a number, or with `shape` one for each place along an axis.
TF_Output without_zero_point(Operator& op, TF_Output x, std::size_t zero, DataType type, const Ints& shape) {
  x = op.g.cast(x, type);
  if (!op.has(zero)) return x;
  TF_Output z = op.g.cast(op.in(zero), type);
  const std::optional<Ints> dims = op.shape(zero);
  if (dims && dims->size() == 1) z = op.g.reshape(z, dims->at(0) == 1 ? Ints{} : shape);
  return op.g.binary("Sub", x, z);
}

/// An operand of a product of matrices: its zero point may be one a row of the left one, a column of the right one.
TF_Output integer_operand(Operator& op, std::size_t i, std::size_t zero) {
  const bool left = i == 0;
  return without_zero_point(op, op.in(i), zero, DataType::kInt32, left ? Ints{-1, 1} : Ints{1, -1});
}

/// A scale as it is broadcast over the result: `shape` where there are several.
TF_Output scale_of(Operator& op, std::size_t i, const Ints& shape) {
  const std::optional<Ints> dims = op.shape(i);
  if (!dims || dims->size() != 1) return op.in(i);
  return op.g.reshape(op.in(i), dims->at(0) == 1 ? Ints{} : shape);
}

struct Range {
  double low, high;
};

Range range_of(Operator& op, DataType type) {
  if (type == DataType::kUint8) return {0, 255};
  if (type == DataType::kInt8) return {-128, 127};
  if (type == DataType::kUint16) return {0, 65535};
  if (type == DataType::kInt16) return {-32768, 32767};
  op.fail("a result that is not of 8 or 16 bits");
}

/// sum, whole numbers, times its factor: rounded half to even, moved to the zero point, and kept within the type's
/// range.
TF_Output requantized(Operator& op, TF_Output sum, TF_Output factor, std::size_t zero, DataType type) {
  const TF_Output rounded = op.g.unary("Rint", op.g.binary("Mul", op.g.cast(sum, DataType::kFloat), factor));
  TF_Output y = rounded;
  if (op.has(zero)) {
    y = op.g.binary("AddV2", y, op.g.reshape(op.g.cast(op.in(zero), DataType::kFloat), {}));
  }
  const Range range = range_of(op, type);
  y = op.g.binary("Maximum", y, op.g.scalar(DataType::kFloat, range.low));
  y = op.g.binary("Minimum", y, op.g.scalar(DataType::kFloat, range.high));
  return op.g.cast(y, type);
}

/// The convolution of input x with input w, both less their zero points: whole numbers, in a floating-point type. `w`
/// is input 1 of ConvInteger, 3 of QLinearConv.
TF_Output convolve_integers(Operator& op, std::size_t w, std::size_t x_zero, std::size_t w_zero) {
  op.insist_on_channels_last();
  const Window window = convolution_window(op, w);
  const Ints dims = op.sizes(w);
  const DataType type = exact_type(std::accumulate(dims.begin() + 1, dims.end(), std::int64_t{1}, std::multiplies<>()));
  Ints by_output(dims.size(), 1);
  by_output[0] = -1;
  const TF_Output x = without_zero_point(op, op.image(0), x_zero, type, {});
  const TF_Output weights = without_zero_point(op, op.in(w), w_zero, type, by_output);
  return convolve(op, x, window, dims, weights);
}

}  // namespace

void translate_matmul_integer(Operator& op) {
  op.out(0, matrix_product(op, integer_operand(op, 0, 2), integer_operand(op, 1, 3)));
}

void translate_conv_integer(Operator& op) {
  op.out_image(0, op.g.cast(convolve_integers(op, 1, 2, 3), DataType::kInt32));
}

/// Inputs: a, its scale, its zero point, b, its two, the result's two.
void translate_qlinear_matmul(Operator& op) {
  const TF_Output a = without_zero_point(op, op.in(0), 2, DataType::kInt32, {-1, 1});
  const TF_Output b = without_zero_point(op, op.in(3), 5, DataType::kInt32, {1, -1});
  const TF_Output scales = op.g.binary("Mul", scale_of(op, 1, {-1, 1}), scale_of(op, 4, {1, -1}));
  const TF_Output factor = op.g.binary("RealDiv", scales, scale_of(op, 6, {-1, 1}));
  const TF_Output sum = matrix_product(op, a, b);
  op.out(0, requantized(op, sum, op.g.cast(factor, DataType::kFloat), 7, op.type(7)));
}

/// Inputs: x, its scale, its zero point, w, its two, the result's two, a bias.
void translate_qlinear_conv(Operator& op) {
  TF_Output sum = convolve_integers(op, 3, 2, 5);
  const std::size_t rank = op.rank(0);
  Ints by_channel(rank, 1);
  by_channel[static_cast<std::size_t>(Operator::place(1, rank, op.channels_last()))] = -1;
  if (op.has(8)) {
    const TF_Output bias = op.g.cast(op.in(8), DataType::kDouble);
    sum = op.g.binary("AddV2", op.g.cast(sum, DataType::kDouble), op.g.reshape(bias, by_channel));
  }
  const TF_Output scales = op.g.binary("Mul", scale_of(op, 1, {}), scale_of(op, 4, by_channel));
  const TF_Output factor = op.g.binary("RealDiv", scales, scale_of(op, 6, {}));
  op.out_image(0, requantized(op, sum, factor, 7, op.type(7)));
}

}  // namespace assay::tensorflow
