// Real numbers as integers with a scale, and back. Computed in float: TensorFlow's own quantized kernels have other
// semantics and XLA has none of them. All of 8 and 16 bits is exact there.
#include <cstdint>
#include <limits>
#include <utility>

#include "operators/formula.hpp"

namespace assay::tensorflow {
namespace {

template <class T>
std::pair<double, double> range_of_type() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

std::pair<double, double> quantized_range(Operator& op, DataType type) {
  switch (type) {
    case DataType::kUint8:
      return range_of_type<std::uint8_t>();
    case DataType::kInt8:
      return range_of_type<std::int8_t>();
    case DataType::kUint16:
      return range_of_type<std::uint16_t>();
    case DataType::kInt16:
      return range_of_type<std::int16_t>();
    default:
      op.fail("its output is of a type that is not an integer of 8 or 16 bits");
  }
}

Term saturated(Term x, std::pair<double, double> range) { return at_most(at_least(x, range.first), range.second); }

/// Input 1 or 2, one for all or one for each position along the axis, so that it broadcasts with input 0.
TF_Output along_axis(Operator& op, std::size_t input, bool last) {
  const std::optional<Ints> shape = op.shape(input);
  if (!shape) op.fail("the number of axes of '" + op.node.inputs[input] + "' is not known");
  if (shape->size() > 1) op.fail("a scale for each block of elements");
  if (shape->empty()) return op.in(input);
  if (shape->at(0) == 1) return op.g.reshape(op.in(input), {});
  const std::size_t rank = op.rank(0);
  Ints dims(rank, 1);
  const std::int64_t axis = op.axis(op.integer("axis", 1), rank);
  dims[static_cast<std::size_t>(Operator::place(axis, rank, last))] = -1;
  return op.g.reshape(op.in(input), dims);
}

DataType quantized_type(Operator& op) {
  if (op.has(2)) return op.type(2);
  const auto wanted = static_cast<onnx_graph::ElementType>(op.integer("output_dtype", 0));
  if (wanted == onnx_graph::ElementType::kUndefined) return DataType::kUint8;
  const std::optional<DataType> type = data_type(wanted);
  if (!type)
    op.fail("its output is " + onnx_graph::to_string(wanted) + ", which this backend does not pass to TensorFlow");
  return *type;
}

}  // namespace

void translate_quantize_linear(Operator& op) {
  const DataType type = quantized_type(op);
  const std::pair<double, double> range = quantized_range(op, type);
  const Operator::Operands operand = op.operand();
  const auto term = [&](TF_Output x) { return Term{&op.g, x}.as(DataType::kFloat); };
  Term y = (term(operand.values[0]) / term(along_axis(op, 1, operand.last))).call("Round");
  if (op.has(2)) y = y + term(along_axis(op, 2, operand.last));
  op.out(0, saturated(y, range).as(type).x, operand.last);
}

void translate_dequantize_linear(Operator& op) {
  const Operator::Operands operand = op.operand();
  Term x{&op.g, operand.values[0]};
  const DataType result = op.type(1);
  // 32 bits lose some in float: their zero point goes before.
  if (x.type() != DataType::kInt32) x = x.as(DataType::kFloat);
  if (op.has(2)) x = x - Term{&op.g, along_axis(op, 2, operand.last)}.as(x.type());
  const Term scale = Term{&op.g, along_axis(op, 1, operand.last)}.as(DataType::kFloat);
  op.out(0, (x.as(DataType::kFloat) * scale).as(result).x, operand.last);
}

void translate_dynamic_quantize_linear(Operator& op) {
  const std::pair<double, double> range = quantized_range(op, DataType::kUint8);
  const Operator::Operands operand = op.operand();
  const Term x{&op.g, operand.values[0]};
  Ints axes(op.rank(0));
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  const Term low = at_most({&op.g, op.g.reduce("Min", x.x, axes, false)}, 0);
  const Term high = at_least({&op.g, op.g.reduce("Max", x.x, axes, false)}, 0);
  const Term span = high - low;
  const Term scale = choose(span.call("Equal", 0), span.number(1), span / range.second);  // all zero: any scale will do
  const Term zero = saturated((scale.number(0) - low / scale).call("Round"), range);
  const Term y = saturated((x / scale).call("Round") + zero, range);
  op.out(0, y.as(DataType::kUint8).x, operand.last);
  op.out(1, scale.x);
  op.out(2, zero.as(DataType::kUint8).x);
}

}  // namespace assay::tensorflow
