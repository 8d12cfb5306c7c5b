#pragma once
// A scalar formula over inputs: what a Map computes for each element. The last term is the result.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace assay::compiler {

enum class Element : std::uint8_t { kF32, kI64, kI32, kI8, kU8, kBool };
std::size_t bytes_of(Element element);
/// "f32", "i64", … "bool".
const char* name_of(Element element);
inline bool is_float(Element element) { return element == Element::kF32; }

enum class Op : std::uint8_t {
  kInput,   // number: which
  kNumber,  // number: its value
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,     // of integers: towards zero
  kRemainder,  // the sign of the dividend, as C's
  kMinimum,    // of floats: NaN where one is
  kMaximum,
  kPower,
  kNegate,
  kAbsolute,
  kSquareRoot,
  kExponential,
  kLogarithm,
  kLogarithm1p,
  kExponentialM1,
  kTanh,
  kSigmoid,
  kErf,
  kSine,
  kCosine,
  kTangent,
  kArcSine,
  kArcCosine,
  kArcTangent,
  kFloor,
  kCeil,
  kRound,  // halves to even
  kLess,   // the result of this and the following is bool
  kLessOrEqual,
  kEqual,
  kAnd,
  kOr,
  kXor,
  kNot,
  kSelect,  // first ? second : third
  kCast,    // to the term's element, as ONNX: to bool: not 0
};

struct Term {
  Op op = Op::kNumber;
  Element element = Element::kF32;  ///< of the result
  std::array<int, 3> arguments = {-1, -1, -1};
  double number = 0;

  friend bool operator==(const Term&, const Term&) = default;
};

/// How many terms an operation takes.
int arity(Op op);
/// "add", "exp" …
const char* name_of(Op op);

struct Expression {
  std::vector<Term> terms;

  [[nodiscard]] const Term& result() const { return terms.back(); }
  friend bool operator==(const Expression&, const Expression&) = default;
};
/// "mul(%0, add(%1, 3))".
std::string to_text(const Expression& expression);

/// Puts `inner` in the place of input `place` of `outer`; the inputs of both are renumbered by the two tables.
Expression composed(const Expression& outer, int place, const Expression& inner, const std::vector<int>& outer_inputs,
                    const std::vector<int>& inner_inputs);

class Formula;

/// A term of a formula that is being written: arithmetic on it adds terms.
struct X {
  Formula* formula = nullptr;
  int term = -1;
};

/// Writes an expression: `Formula f; X x = f.input(0); return f.done(x * f.number(2));`
class Formula {
 public:
  X input(int which, Element element = Element::kF32);
  X number(double value, Element element = Element::kF32);
  X apply(Op op, Element element, X a, X b = {}, X c = {});
  X cast(X x, Element element);
  [[nodiscard]] Element element(X x) const { return expression_.terms[static_cast<std::size_t>(x.term)].element; }
  /// Must be the last call.
  Expression done(X result);

 private:
  Expression expression_;
};

X operator+(X a, X b);
X operator-(X a, X b);
X operator*(X a, X b);
X operator/(X a, X b);
X operator-(X a);
X operator<(X a, X b);
X operator<=(X a, X b);
X operator==(X a, X b);
X minimum(X a, X b);
X maximum(X a, X b);
X select(X condition, X if_true, X if_false);
/// Of one argument, with a result of the same type.
X apply(Op op, X a);

}  // namespace assay::compiler
