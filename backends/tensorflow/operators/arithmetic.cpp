// Arithmetic on elements, and their types.
#include <cmath>
#include <limits>

#include "operators/formula.hpp"

namespace assay::tensorflow {
namespace {

bool is_unsigned(DataType type) {
  return type == DataType::kUint8 || type == DataType::kUint16 || type == DataType::kUint32 ||
         type == DataType::kUint64;
}

/// For a kernel that has only the wider types: of them the one in which every value of `type` is exact.
DataType widened(DataType type) {
  switch (type) {
    case DataType::kInt8:
    case DataType::kInt16:
      return DataType::kInt32;
    case DataType::kHalf:
    case DataType::kBfloat16:
      return DataType::kFloat;
    default:
      return type;
  }
}

Term remainder_of(Term a, Term b, bool of_c) {
  const DataType type = a.type();
  if (!of_c || is_unsigned(type)) return a.call("FloorMod", b);  // the sign of the divisor, as Python has it
  const DataType wide = widened(type);
  return a.as(wide).call("TruncateMod", b.as(wide)).as(type);
}

/// Integers to the power of fractions are truncated.
Term power_of(Term base, Term exponent) {
  const DataType type = base.type();
  if (is_float(type) || !is_float(exponent.type())) return base.call("Pow", exponent.as(type));
  return base.as(DataType::kDouble).call("Pow", exponent.as(DataType::kDouble)).as(type);
}

/// The inputs, combined two by two.
Term combined(Operator& op, const Operator::Operands& inputs, const char* operation) {
  if (inputs.values.empty()) op.fail("it has no input");
  Term result{&op.g, inputs.values[0]};
  for (std::size_t i = 1; i < inputs.values.size(); ++i) result = result.call(operation, {&op.g, inputs.values[i]});
  return result;
}

void cast_to(Operator& op, DataType type) {
  const Operator::Operands x = op.operand();
  op.out(0, op.g.cast(x.values[0], type), x.last);
}

}  // namespace

void translate_cast(Operator& op) {
  const auto wanted = static_cast<onnx_graph::ElementType>(op.integer("to", 0));
  const std::optional<DataType> type = data_type(wanted);
  if (!type) op.fail("a cast to " + onnx_graph::to_string(wanted) + ", which this backend does not pass to TensorFlow");
  cast_to(op, *type);
}

void translate_cast_like(Operator& op) { cast_to(op, op.type(1)); }

void translate_div(Operator& op) {
  const Operator::Operands both = op.all_operands();
  const DataType type = op.g.type_of(both.values.at(0));
  const char* whole = is_unsigned(type) ? "FloorDiv" : "TruncateDiv";
  op.out(0, combined(op, both, is_float(type) ? "RealDiv" : whole).x, both.last);
}

void translate_is_inf(Operator& op) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool negative = op.integer("detect_negative", 1) != 0;
  const bool positive = op.integer("detect_positive", 1) != 0;
  each_element(op, [&](Term x) {
    if (negative && positive) return x.call("IsInf");
    if (negative) return x.call("Equal", -kInfinity);
    return positive ? x.call("Equal", kInfinity) : x.call("NotEqual", x).call("LogicalAnd", x.call("Equal", x));
  });
}

void translate_max(Operator& op) {
  const Operator::Operands all = op.all_operands();
  op.out(0, combined(op, all, "Maximum").x, all.last);
}

void translate_mean(Operator& op) {
  const Operator::Operands all = op.all_operands();
  op.out(0, (combined(op, all, "AddV2") / static_cast<double>(all.values.size())).x, all.last);
}

void translate_min(Operator& op) {
  const Operator::Operands all = op.all_operands();
  op.out(0, combined(op, all, "Minimum").x, all.last);
}

void translate_mod(Operator& op) {
  const Operator::Operands both = op.all_operands();
  const bool of_c = op.integer("fmod", 0) != 0;
  op.out(0, remainder_of({&op.g, both.values.at(0)}, {&op.g, both.values.at(1)}, of_c).x, both.last);
}

void translate_pow(Operator& op) {
  const Operator::Operands both = op.all_operands();
  op.out(0, power_of({&op.g, both.values.at(0)}, {&op.g, both.values.at(1)}).x, both.last);
}

void translate_sign(Operator& op) {
  each_element(op, [](Term x) {
    const DataType type = x.type();
    return is_unsigned(type) ? at_most(x, 1) : x.as(widened(type)).call("Sign").as(type);
  });
}

void translate_sum(Operator& op) {
  const Operator::Operands all = op.all_operands();
  op.out(0, combined(op, all, "AddV2").x, all.last);
}

void translate_where(Operator& op) {
  const Operator::Operands all = op.all_operands();
  const auto term = [&](std::size_t i) { return Term{&op.g, all.values.at(i)}; };
  op.out(0, choose(term(0), term(1), term(2)).x, all.last);
}

void translate_dropout(Operator& op) {
  const std::optional<Ints> training = op.has(2) ? op.integers(2) : Ints{0};
  const std::optional<std::vector<float>> ratio = op.has(1) ? op.floats(1) : std::vector<float>{0.5F};
  const bool keeps_all = ratio && !ratio->empty() && ratio->at(0) == 0;
  if (!keeps_all) {
    if (!training) op.fail("whether it is training is known only when the graph runs");
    if (!training->empty() && training->at(0) != 0) op.fail("it drops at random, for training: export for inference");
  }
  op.alias(0, 0);
  if (!op.wants(1)) return;
  const Operator::Operands x = op.operand();
  op.out(1, op.g.cast(op.g.unary("OnesLike", x.values[0]), op.out_type(1)), x.last);
}

}  // namespace assay::tensorflow
