// Activations that TensorFlow has no operation for, or none with ONNX's attributes.
#include <cmath>
#include <numbers>

#include "operators/formula.hpp"

namespace assay::tensorflow {
namespace {

/// x where it is positive, alpha (exp(x) - 1) elsewhere.
Term elu(Term x, double alpha) {
  if (alpha == 1) return x.call("Elu");
  return x.call("Relu") + at_most(x.call("Elu"), 0) * alpha;
}

}  // namespace

void translate_celu(Operator& op) {
  const double alpha = op.real("alpha", 1);
  each_element(op, [&](Term x) { return x.call("Relu") + at_most((x / alpha).call("Expm1") * alpha, 0); });
}

void translate_elu(Operator& op) {
  const double alpha = op.real("alpha", 1);
  each_element(op, [&](Term x) { return elu(x, alpha); });
}

void translate_gelu(Operator& op) {
  const std::string approximate = op.text("approximate", "none");
  if (approximate == "none") {
    return each_element(op, [](Term x) { return x * 0.5 * ((x * (1 / std::numbers::sqrt2)).call("Erf") + 1); });
  }
  if (approximate != "tanh") op.fail("approximate is '" + approximate + "', not none or tanh");
  const double scale = std::sqrt(2 / std::numbers::pi);
  each_element(op, [&](Term x) {
    const Term inner = (x + x * x * x * 0.044715) * scale;
    return x * 0.5 * (inner.call("Tanh") + 1);
  });
}

void translate_hard_sigmoid(Operator& op) {
  const double alpha = op.real("alpha", 0.2F);
  const double beta = op.real("beta", 0.5F);
  each_element(op, [&](Term x) { return at_most(at_least(x * alpha + beta, 0), 1); });
}

void translate_hard_swish(Operator& op) {
  each_element(op, [](Term x) { return x * (x + 3).call("Relu6") * (1.0 / 6); });
}

void translate_leaky_relu(Operator& op) {
  const Operator::Operands x = op.operand();
  op.out(0, op.g.op("LeakyRelu").in(x.values[0]).real("alpha", op.real("alpha", 0.01F)).done(), x.last);
}

void translate_mish(Operator& op) {
  each_element(op, [](Term x) { return x * x.call("Softplus").call("Tanh"); });
}

void translate_prelu(Operator& op) {
  const Operator::Operands both = op.all_operands();
  const Term x{&op.g, both.values.at(0)};
  const Term slope{&op.g, both.values.at(1)};
  op.out(0, (at_least(x, 0) + slope * at_most(x, 0)).x, both.last);
}

void translate_selu(Operator& op) {
  constexpr float kAlpha = 1.67326319217681884765625F;
  constexpr float kGamma = 1.05070102214813232421875F;
  const float alpha = op.real("alpha", kAlpha);
  const float gamma = op.real("gamma", kGamma);
  each_element(op, [&](Term x) {
    return alpha == kAlpha && gamma == kGamma ? x.call("Selu") : elu(x, alpha) * static_cast<double>(gamma);
  });
}

void translate_shrink(Operator& op) {
  const double bias = op.real("bias", 0);
  const double lambda = op.real("lambd", 0.5F);
  each_element(op, [&](Term given) {
    const DataType type = given.type();
    const Term x = is_float(type) ? given : given.as(DataType::kDouble);  // the attributes are fractions
    const Term inside = choose(x.call("Greater", lambda), x - bias, x.number(0));
    return choose(x.call("Less", -lambda), x + bias, inside).as(type);
  });
}

void translate_thresholded_relu(Operator& op) {
  const double alpha = op.real("alpha", 1);
  each_element(op, [&](Term x) { return choose(x.call("Greater", alpha), x, x.number(0)); });
}

}  // namespace assay::tensorflow
