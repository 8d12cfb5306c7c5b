#include "expression.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace assay::compiler {
namespace {

struct OpRow {
  const char* name;
  int arity;
};
constexpr std::array<OpRow, 38> kOps = {{
    {"input", 0}, {"number", 0}, {"add", 2},           {"sub", 2},   {"mul", 2},     {"div", 2},   {"rem", 2},
    {"min", 2},   {"max", 2},    {"pow", 2},           {"neg", 1},   {"abs", 1},     {"sqrt", 1},  {"exp", 1},
    {"log", 1},   {"log1p", 1},  {"expm1", 1},         {"tanh", 1},  {"sigmoid", 1}, {"erf", 1},   {"sin", 1},
    {"cos", 1},   {"tan", 1},    {"asin", 1},          {"acos", 1},  {"atan", 1},    {"floor", 1}, {"ceil", 1},
    {"round", 1}, {"less", 2},   {"less_or_equal", 2}, {"equal", 2}, {"and", 2},     {"or", 2},    {"xor", 2},
    {"not", 1},   {"select", 3}, {"cast", 1},
}};
static_assert(kOps.size() == static_cast<std::size_t>(Op::kCast) + 1);

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string term_text(const Expression& e, int index) {
  const Term& t = e.terms[static_cast<std::size_t>(index)];
  if (t.op == Op::kInput) return "%" + std::to_string(static_cast<int>(t.number));
  if (t.op == Op::kNumber) return number_text(t.number);
  std::string text = t.op == Op::kCast ? std::string("to_") + name_of(t.element) : name_of(t.op);
  for (int i = 0; i < arity(t.op); ++i)
    text += (i == 0 ? "(" : ", ") + term_text(e, t.arguments[static_cast<std::size_t>(i)]);
  return text + ")";
}

X both(Op op, X a, X b) { return a.formula->apply(op, a.formula->element(a), a, b); }
X compare(Op op, X a, X b) { return a.formula->apply(op, Element::kBool, a, b); }

}  // namespace

std::size_t bytes_of(Element element) {
  switch (element) {
    case Element::kF32:
    case Element::kI32:
      return 4;
    case Element::kI64:
      return 8;
    default:
      return 1;
  }
}

const char* name_of(Element element) {
  constexpr std::array<const char*, 6> kNames = {"f32", "i64", "i32", "i8", "u8", "bool"};
  return kNames[static_cast<std::size_t>(element)];
}

int arity(Op op) { return kOps[static_cast<std::size_t>(op)].arity; }
const char* name_of(Op op) { return kOps[static_cast<std::size_t>(op)].name; }

std::string to_text(const Expression& expression) {
  return term_text(expression, static_cast<int>(expression.terms.size()) - 1);
}

Expression composed(const Expression& outer, int place, const Expression& inner, const std::vector<int>& outer_inputs,
                    const std::vector<int>& inner_inputs) {
  Expression result;
  std::vector<int> at;  // of the outer's terms, in the result
  for (Term t : inner.terms) {
    if (t.op == Op::kInput) t.number = inner_inputs[static_cast<std::size_t>(t.number)];
    result.terms.push_back(t);
  }
  const int answer = static_cast<int>(result.terms.size()) - 1;
  for (Term t : outer.terms) {
    if (t.op == Op::kInput && static_cast<int>(t.number) == place) {
      at.push_back(answer);
      continue;
    }
    if (t.op == Op::kInput) t.number = outer_inputs[static_cast<std::size_t>(t.number)];
    for (int& a : t.arguments) a = a < 0 ? a : at[static_cast<std::size_t>(a)];
    at.push_back(static_cast<int>(result.terms.size()));
    result.terms.push_back(t);
  }
  // The result is the last term: so it is where the outer expression is more than its input.
  if (at.back() != static_cast<int>(result.terms.size()) - 1)
    result.terms.resize(static_cast<std::size_t>(at.back()) + 1);
  return result;
}

X Formula::input(int which, Element element) {
  expression_.terms.push_back({Op::kInput, element, {-1, -1, -1}, static_cast<double>(which)});
  return {this, static_cast<int>(expression_.terms.size()) - 1};
}

X Formula::number(double value, Element element) {
  expression_.terms.push_back({Op::kNumber, element, {-1, -1, -1}, value});
  return {this, static_cast<int>(expression_.terms.size()) - 1};
}

X Formula::apply(Op op, Element element, X a, X b, X c) {
  if (arity(op) == 2 && this->element(a) != this->element(b)) {
    throw std::logic_error(std::string(name_of(op)) + " of " + name_of(this->element(a)) + " and " +
                           name_of(this->element(b)));
  }
  expression_.terms.push_back({op, element, {a.term, b.term, c.term}, 0});
  return {this, static_cast<int>(expression_.terms.size()) - 1};
}

X Formula::cast(X x, Element to) { return element(x) == to ? x : apply(Op::kCast, to, x); }

Expression Formula::done(X result) {
  if (result.term != static_cast<int>(expression_.terms.size()) - 1) {
    throw std::logic_error("a formula's result must be its last term");
  }
  return std::move(expression_);
}

X operator+(X a, X b) { return both(Op::kAdd, a, b); }
X operator-(X a, X b) { return both(Op::kSubtract, a, b); }
X operator*(X a, X b) { return both(Op::kMultiply, a, b); }
X operator/(X a, X b) { return both(Op::kDivide, a, b); }
X operator-(X a) { return apply(Op::kNegate, a); }
X operator<(X a, X b) { return compare(Op::kLess, a, b); }
X operator<=(X a, X b) { return compare(Op::kLessOrEqual, a, b); }
X operator==(X a, X b) { return compare(Op::kEqual, a, b); }
X minimum(X a, X b) { return both(Op::kMinimum, a, b); }
X maximum(X a, X b) { return both(Op::kMaximum, a, b); }
X select(X condition, X if_true, X if_false) {
  return condition.formula->apply(Op::kSelect, condition.formula->element(if_true), condition, if_true, if_false);
}
X apply(Op op, X a) { return a.formula->apply(op, a.formula->element(a), a); }

}  // namespace assay::compiler
