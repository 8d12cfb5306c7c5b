#pragma once
// Arithmetic of a graph written as it is read: x * (erf(x) + 1). Numbers take the type of what they meet.

#include "operators/operator.hpp"

namespace assay::tensorflow {

struct Term {
  GraphBuilder* g = nullptr;
  TF_Output x;

  [[nodiscard]] DataType type() const { return g->type_of(x); }
  [[nodiscard]] Term number(double value) const { return {g, g->scalar(type(), value)}; }
  [[nodiscard]] Term call(const char* operation) const { return {g, g->unary(operation, x)}; }
  [[nodiscard]] Term call(const char* operation, Term other) const { return {g, g->binary(operation, x, other.x)}; }
  [[nodiscard]] Term call(const char* operation, double other) const { return call(operation, number(other)); }
  [[nodiscard]] Term as(DataType to) const { return {g, g->cast(x, to)}; }
};

inline Term operator+(Term a, Term b) { return a.call("AddV2", b); }
inline Term operator-(Term a, Term b) { return a.call("Sub", b); }
inline Term operator*(Term a, Term b) { return a.call("Mul", b); }
inline Term operator/(Term a, Term b) { return a.call("RealDiv", b); }
inline Term operator+(Term a, double b) { return a + a.number(b); }
inline Term operator-(Term a, double b) { return a - a.number(b); }
inline Term operator*(Term a, double b) { return a * a.number(b); }
inline Term operator/(Term a, double b) { return a / a.number(b); }
inline Term at_least(Term a, double b) { return a.call("Maximum", b); }
inline Term at_most(Term a, double b) { return a.call("Minimum", b); }
inline Term choose(Term condition, Term yes, Term no) {
  return {condition.g, condition.g->op("SelectV2").in(condition.x).in(yes.x).in(no.x).done()};
}

/// Writes f(x) as the output of an operator with one input that computes each element by itself.
template <class Function>
void each_element(Operator& op, Function f) {
  const Operator::Operands x = op.operand();
  op.out(0, f(Term{&op.g, x.values[0]}).x, x.last);
}

}  // namespace assay::tensorflow
