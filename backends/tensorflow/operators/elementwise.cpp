// Operators that compute each element by itself: they take images in whichever layout they stand.
#include <array>
#include <string_view>
#include <utility>

#include "operators/operator.hpp"

namespace assay::tensorflow {
namespace {

using Names = std::pair<std::string_view, const char*>;

/// ONNX's name, TensorFlow's.
constexpr std::array<Names, 28> kUnary = {
    {{"Abs", "Abs"},           {"Acos", "Acos"},      {"Acosh", "Acosh"},
     {"Asin", "Asin"},         {"Asinh", "Asinh"},    {"Atan", "Atan"},
     {"Atanh", "Atanh"},       {"Ceil", "Ceil"},      {"Cos", "Cos"},
     {"Cosh", "Cosh"},         {"Erf", "Erf"},        {"Exp", "Exp"},
     {"Floor", "Floor"},       {"IsNaN", "IsNan"},    {"Log", "Log"},
     {"Neg", "Neg"},           {"Not", "LogicalNot"}, {"Reciprocal", "Reciprocal"},
     {"Relu", "Relu"},         {"Round", "Round"},    {"Sigmoid", "Sigmoid"},
     {"Sin", "Sin"},           {"Sinh", "Sinh"},      {"Softplus", "Softplus"},
     {"Softsign", "Softsign"}, {"Sqrt", "Sqrt"},      {"Tan", "Tan"},
     {"Tanh", "Tanh"}}};

constexpr std::array<Names, 11> kBinary = {{{"Add", "AddV2"},
                                            {"And", "LogicalAnd"},
                                            {"Equal", "Equal"},
                                            {"Greater", "Greater"},
                                            {"GreaterOrEqual", "GreaterEqual"},
                                            {"Less", "Less"},
                                            {"LessOrEqual", "LessEqual"},
                                            {"Mul", "Mul"},
                                            {"Or", "LogicalOr"},
                                            {"Sub", "Sub"},
                                            {"Xor", "NotEqual"}}};

template <std::size_t N>
const char* their_name(const std::array<Names, N>& names, Operator& op) {
  for (const auto& [onnx, tensorflow] : names) {
    if (onnx == op.node.op_type) return tensorflow;
  }
  op.fail("it has no counterpart in the table of names");
}

}  // namespace

void translate_unary(Operator& op) {
  const auto [values, last] = op.operand();
  op.out(0, op.g.unary(their_name(kUnary, op), values[0]), last);
}

void translate_binary(Operator& op) {
  if (op.count() != 2) op.fail("it has " + std::to_string(op.count()) + " inputs, not 2");
  const auto [values, last] = op.all_operands();
  op.out(0, op.g.binary(their_name(kBinary, op), values.at(0), values.at(1)), last);
}

void translate_identity(Operator& op) { op.alias(0, 0); }

void translate_clip(Operator& op) {
  const auto [values, last] = op.operand();
  TF_Output x = values[0];
  const DataType type = op.g.type_of(x);
  const bool attributes = op.opset() < 11;
  const auto low = attributes ? op.node.attribute<float>("min") : nullptr;
  const auto high = attributes ? op.node.attribute<float>("max") : nullptr;
  if (low != nullptr) x = op.g.binary("Maximum", x, op.g.scalar(type, *low));
  if (!attributes && op.has(1)) x = op.g.binary("Maximum", x, op.in(1));
  if (high != nullptr) x = op.g.binary("Minimum", x, op.g.scalar(type, *high));
  if (!attributes && op.has(2)) x = op.g.binary("Minimum", x, op.in(2));
  op.out(0, x, last);
}

}  // namespace assay::tensorflow
