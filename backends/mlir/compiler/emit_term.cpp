// Terms of expressions as operations of MLIR.

#include <array>
#include <stdexcept>

#include "emitter.hpp"

namespace assay::compiler {
namespace {

bool is_unsigned(Element element) { return element == Element::kU8 || element == Element::kBool; }

/// Operations of two arguments of the result's type: of floats, of signed and of unsigned integers.
struct Names {
  const char *of_floats, *of_signed, *of_unsigned;
};

Names binary_names(Op op) {
  switch (op) {
    case Op::kAdd:
      return {"arith.addf", "arith.addi", "arith.addi"};
    case Op::kSubtract:
      return {"arith.subf", "arith.subi", "arith.subi"};
    case Op::kMultiply:
      return {"arith.mulf", "arith.muli", "arith.muli"};
    case Op::kDivide:
      return {"arith.divf", "arith.divsi", "arith.divui"};
    case Op::kRemainder:
      return {"arith.remf", "arith.remsi", "arith.remui"};
    case Op::kMinimum:
      return {"arith.minimumf", "arith.minsi", "arith.minui"};
    case Op::kMaximum:
      return {"arith.maximumf", "arith.maxsi", "arith.maxui"};
    case Op::kPower:
      return {"math.powf", "math.ipowi", nullptr};
    case Op::kAnd:
      return {nullptr, nullptr, "arith.andi"};
    case Op::kOr:
      return {nullptr, nullptr, "arith.ori"};
    case Op::kXor:
      return {nullptr, nullptr, "arith.xori"};
    default:
      return {nullptr, nullptr, nullptr};
  }
}

/// Of one float.
const char* unary_name(Op op) {
  switch (op) {
    case Op::kNegate:
      return "arith.negf";
    case Op::kAbsolute:
      return "math.absf";
    case Op::kSquareRoot:
      return "math.sqrt";
    case Op::kExponential:
      return "math.exp";
    case Op::kLogarithm:
      return "math.log";
    case Op::kLogarithm1p:
      return "math.log1p";
    case Op::kExponentialM1:
      return "math.expm1";
    case Op::kTanh:
      return "math.tanh";
    case Op::kErf:
      return "math.erf";
    case Op::kSine:
      return "math.sin";
    case Op::kCosine:
      return "math.cos";
    case Op::kTangent:
      return "math.tan";
    case Op::kArcSine:
      return "math.asin";
    case Op::kArcCosine:
      return "math.acos";
    case Op::kArcTangent:
      return "math.atan";
    case Op::kFloor:
      return "math.floor";
    case Op::kCeil:
      return "math.ceil";
    case Op::kRound:
      return "math.roundeven";
    default:
      return nullptr;
  }
}

std::string comparison(Op op, Element element) {
  const std::string name = op == Op::kEqual ? "eq" : op == Op::kLess ? "lt" : "le";
  if (is_float(element)) return "arith.cmpf o" + name;
  if (op == Op::kEqual) return "arith.cmpi eq";
  return std::string("arith.cmpi ") + (is_unsigned(element) ? "u" : "s") + name;
}

/// To another type, neither of which is bool to be written to.
std::string cast_name(Element from, Element to) {
  if (is_float(to)) return is_unsigned(from) ? "arith.uitofp" : "arith.sitofp";
  if (is_float(from)) return is_unsigned(to) ? "arith.fptoui" : "arith.fptosi";
  if (from == Element::kBool || bytes_of(to) > bytes_of(from)) return is_unsigned(from) ? "arith.extui" : "arith.extsi";
  return "arith.trunci";
}

Element element_of_argument(const Expression& expression, const Term& t) {
  return expression.terms[static_cast<std::size_t>(t.arguments[0])].element;
}

/// max(x, number) and min: a comparison that lets NaN through and is one instruction.
bool against_number(const Expression& expression, const Term& t) {
  return (t.op == Op::kMaximum || t.op == Op::kMinimum) && is_float(t.element) &&
         expression.terms[static_cast<std::size_t>(t.arguments[1])].op == Op::kNumber;
}

}  // namespace

std::string Emitter::term(const Term& t, const Values& a, const Expression& expression, int width) {
  const std::string type = register_type(t.element, width);
  const Element from = element_of_argument(expression, t);
  const std::string from_type = register_type(from, width);
  switch (t.op) {
    case Op::kLess:
    case Op::kLessOrEqual:
    case Op::kEqual:
      return let(comparison(t.op, from) + ", " + a[0] + ", " + a[1] + " : " + from_type);
    case Op::kNot:
      return let("arith.xori " + a[0] + ", " + number(1, Element::kBool, width) + " : " + type);
    case Op::kSelect:
      return let("arith.select " + a[0] + ", " + a[1] + ", " + a[2] + " : " + from_type + ", " + type);
    case Op::kCast:
      if (t.element == Element::kBool) {
        return let((is_float(from) ? "arith.cmpf une, " : "arith.cmpi ne, ") + a[0] + ", " + number(0, from, width) +
                   " : " + from_type);
      }
      if (bytes_of(from) == bytes_of(t.element) && !is_float(from) && !is_float(t.element) && from != Element::kBool) {
        return a[0];  // i8 and u8 are the same bits
      }
      return let(cast_name(from, t.element) + " " + a[0] + " : " + from_type + " to " + type);
    default:
      break;
  }
  if (against_number(expression, t)) {
    const std::string chosen = let(std::string("arith.cmpf ") + (t.op == Op::kMaximum ? "ugt" : "ult") + ", " + a[0] +
                                   ", " + a[1] + " : " + type);
    return let("arith.select " + chosen + ", " + a[0] + ", " + a[1] + " : " + register_type(Element::kBool, width) +
               ", " + type);
  }
  if ((t.op == Op::kDivide || t.op == Op::kRemainder) && !is_float(t.element)) return divided(t, a, width);
  if (arity(t.op) == 2) {
    const Names names = binary_names(t.op);
    const char* name = is_float(t.element)      ? names.of_floats
                       : is_unsigned(t.element) ? names.of_unsigned
                                                : names.of_signed;
    if (name == nullptr) throw std::logic_error(std::string(name_of(t.op)) + " of " + name_of(t.element));
    return let(std::string(name) + " " + a[0] + ", " + a[1] + " : " + type);
  }
  if (t.op == Op::kSigmoid && is_float(t.element)) return sigmoid(a[0], width);
  if (!is_float(t.element)) {
    if (t.op == Op::kNegate) return let("arith.subi " + number(0, t.element, width) + ", " + a[0] + " : " + type);
    if (t.op == Op::kAbsolute) return is_unsigned(t.element) ? a[0] : let("math.absi " + a[0] + " : " + type);
    throw std::logic_error(std::string(name_of(t.op)) + " of " + name_of(t.element));
  }
  return let(std::string(unary_name(t.op)) + " " + a[0] + " : " + type);
}

/// 1 / (1 + exp(-x)), its relative error below 5e-7 where |x| < 87; beyond, 0 and 1. NaN stays NaN.
///
/// exp(-x) = 2^n exp(r), n the integer nearest to -x / ln 2: added to 1.5 * 2^23, it is the last bits of the sum, from
/// where it goes into the exponent. exp(r), |r| <= ln 2 / 2, is a polynomial of degree 5, its coefficients by Lawson's
/// method for the least largest relative error (9.2e-8).
std::string Emitter::sigmoid(const std::string& x, int width) {
  constexpr double kMost = 87, kLogOf2 = 0.69314718055994531, kRounder = 12582912;
  constexpr std::array<double, 6> kPolynomial = {8.290272179419743e-3, 4.18981601562902e-2, 0.16667638129800316,
                                                 0.4999914783714786,   0.9999997063117118,  1};
  constexpr std::int64_t kMantissaBits = 23;
  const std::string type = register_type(Element::kF32, width), bits = register_type(Element::kI32, width);
  const std::string condition = register_type(Element::kBool, width);
  const auto constant_of = [&](double value) { return number(value, Element::kF32, width); };
  const auto fma = [&](const std::string& a, const std::string& b, const std::string& c) {
    return let("math.fma " + a + ", " + b + ", " + c + " : " + type);
  };
  const auto choose = [&](const char* comparison, const std::string& a, const std::string& limit,
                          const std::string& yes, const std::string& no) {
    const std::string chosen = let(std::string("arith.cmpf ") + comparison + ", " + a + ", " + limit + " : " + type);
    return let("arith.select " + chosen + ", " + yes + ", " + no + " : " + condition + ", " + type);
  };
  const auto bound = [&](const char* comparison, const std::string& a, double limit) {
    return choose(comparison, a, constant_of(limit), a, constant_of(limit));
  };
  const auto bits_of = [&](const std::string& a) { return let("arith.bitcast " + a + " : " + type + " to " + bits); };
  const std::string bounded = bound("ult", bound("ugt", x, -kMost), kMost);
  const std::string shifted = fma(bounded, constant_of(-1 / kLogOf2), constant_of(kRounder));
  const std::string n = let("arith.subf " + shifted + ", " + constant_of(kRounder) + " : " + type);
  const std::string r = fma(n, constant_of(-kLogOf2), let("arith.negf " + bounded + " : " + type));
  std::string e = constant_of(kPolynomial[0]);
  for (std::size_t i = 1; i < kPolynomial.size(); ++i) e = fma(e, r, constant_of(kPolynomial[i]));
  const std::string exponent =
      let("arith.shli " + bits_of(shifted) + ", " + number(kMantissaBits, Element::kI32, width) + " : " + bits);
  const std::string scaled = let("arith.addi " + bits_of(e) + ", " + exponent + " : " + bits);
  const std::string power = let("arith.bitcast " + scaled + " : " + bits + " to " + type);
  const std::string one = constant_of(1);
  const std::string result =
      let("arith.divf " + one + ", " + let("arith.addf " + power + ", " + one + " : " + type) + " : " + type);
  // Far below, 0, so that x times it is none of note; and NaN, whose bits went into the exponent.
  return choose("uno", x, x, x, choose("olt", x, constant_of(-kMost), constant_of(0), result));
}

/// By 0 and, where the type has a sign, by -1 the processor does not divide: x / 0 is x here, x / -1 is -x.
std::string Emitter::divided(const Term& t, const Values& a, int width) {
  const std::string type = register_type(t.element, width), condition = register_type(Element::kBool, width);
  const std::string one = number(1, t.element, width), zero = number(0, t.element, width);
  const auto choose = [&](const std::string& when, const std::string& yes, const std::string& no) {
    return let("arith.select " + when + ", " + yes + ", " + no + " : " + condition + ", " + type);
  };
  std::string by = choose(let("arith.cmpi eq, " + a[1] + ", " + zero + " : " + type), one, a[1]);
  const bool remainder = t.op == Op::kRemainder;
  if (is_unsigned(t.element))
    return let((remainder ? "arith.remui " : "arith.divui ") + a[0] + ", " + by + " : " + type);
  const std::string minus = let("arith.cmpi eq, " + a[1] + ", " + number(-1, t.element, width) + " : " + type);
  by = choose(minus, one, by);
  const std::string result = let((remainder ? "arith.remsi " : "arith.divsi ") + a[0] + ", " + by + " : " + type);
  return choose(minus, remainder ? zero : let("arith.subi " + zero + ", " + a[0] + " : " + type), result);
}

}  // namespace assay::compiler
