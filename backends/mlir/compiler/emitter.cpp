#include "emitter.hpp"

#include <bit>
#include <cmath>
#include <cstdio>

namespace assay::compiler {
namespace {

std::string wide(const std::string& scalar, int width) {
  return width == 1 ? scalar : "vector<" + std::to_string(width) + "x" + scalar + ">";
}

const char* register_scalar(Element element) {
  constexpr const char* kNames[] = {"f32", "i64", "i32", "i8", "i8", "i1"};
  return kNames[static_cast<std::size_t>(element)];
}

/// Exact, infinities and NaN too.
std::string number_text(double value, Element element) {
  if (is_float(element)) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%08X", std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    return text;
  }
  if (element == Element::kBool) return value != 0 ? "true" : "false";
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  return std::to_string(value >= kBeyond ? INT64_MAX : static_cast<std::int64_t>(value));
}

}  // namespace

std::string register_type(Element element, int width) { return wide(register_scalar(element), width); }

std::string memory_type(Element element, int width) {
  return wide(element == Element::kBool ? "i8" : register_scalar(element), width);
}

std::string Emitter::let(const std::string& text) {
  const std::string name = fresh();
  line(name + " = " + text);
  return name;
}

std::string Emitter::constant(const std::string& text) {
  const auto found = constants_.find(text);
  if (found != constants_.end()) return found->second;
  const std::string name = "%c" + std::to_string(constants_.size());
  constants_.emplace(text, name);
  constant_lines_.push_back("  " + name + " = arith.constant " + text);
  return name;
}

std::string Emitter::index(std::int64_t value) { return constant(std::to_string(value) + " : index"); }

std::string Emitter::number(double value, Element element, int width) {
  const std::string text = number_text(value, element), type = register_type(element, width);
  if (width == 1 && element == Element::kBool) return constant(text);
  return constant((width == 1 ? text : "dense<" + text + ">") + " : " + type);
}

std::string Emitter::affine(const Affine& sum) {
  if (sum.terms.empty()) return index(sum.constant);
  if (sum.terms.size() == 1 && sum.terms[0].second == 1 && sum.constant == 0) return sum.terms[0].first;
  std::string dims, formula, arguments;
  for (std::size_t i = 0; i < sum.terms.size(); ++i) {
    const std::string d = "d" + std::to_string(i);
    dims += (i == 0 ? "" : ", ") + d;
    formula += (i == 0 ? "" : " + ") + d + " * " + std::to_string(sum.terms[i].second);
    arguments += (i == 0 ? "" : ", ") + sum.terms[i].first;
  }
  if (sum.constant != 0) formula += " + " + std::to_string(sum.constant);
  return let("affine.apply affine_map<(" + dims + ") -> (" + formula + ")>(" + arguments + ")");
}

Emitter::Values Emitter::loop(const std::string& from, const std::string& to, std::int64_t step, const Values& carried,
                              const std::vector<std::string>& types,
                              const std::function<Values(const std::string&, const Values&)>& body) {
  const std::string i = fresh(), result = fresh();
  std::string head = "scf.for " + i + " = " + from + " to " + to + " step " + index(step), yield_types;
  Values inner;
  for (std::size_t k = 0; k < carried.size(); ++k) {
    inner.push_back(fresh());
    head += (k == 0 ? " iter_args(" : ", ") + inner[k] + " = " + carried[k];
    yield_types += (k == 0 ? "" : ", ") + types[k];
  }
  if (!carried.empty()) {
    head = result + ":" + std::to_string(carried.size()) + " = " + head + ") -> (" + yield_types + ")";
  }
  line(head + " {");
  indent_ += 2;
  const Values next = body(i, inner);
  if (!next.empty()) {
    std::string yield = "scf.yield ";
    for (std::size_t k = 0; k < next.size(); ++k) yield += (k == 0 ? "" : ", ") + next[k];
    line(yield + " : " + yield_types);
  }
  indent_ -= 2;
  line("}");
  Values results;
  for (std::size_t k = 0; k < carried.size(); ++k) results.push_back(result + "#" + std::to_string(k));
  return results;
}

void Emitter::loop(const std::string& from, const std::string& to, std::int64_t step,
                   const std::function<void(const std::string&)>& body) {
  loop(from, to, step, {}, {}, [&](const std::string& i, const Values&) {
    body(i);
    return Values{};
  });
}

void Emitter::when(const std::string& condition, const std::function<void()>& body) {
  line("scf.if " + condition + " {");
  indent_ += 2;
  body();
  indent_ -= 2;
  line("}");
}

std::string Emitter::load(const std::string& buffer, const std::string& buffer_type, const std::string& at,
                          Element element, int width) {
  const std::string value =
      width == 1 ? let("memref.load " + buffer + "[" + at + "] : " + buffer_type)
                 : let("vector.load " + buffer + "[" + at + "] : " + buffer_type + ", " + memory_type(element, width));
  if (element != Element::kBool) return value;
  const std::string type = memory_type(element, width);
  const std::string zero = constant(width == 1 ? "0 : i8" : "dense<0> : " + type);
  return let("arith.cmpi ne, " + value + ", " + zero + " : " + type);
}

void Emitter::store(const std::string& value, const std::string& buffer, const std::string& buffer_type,
                    const std::string& at, Element element, int width) {
  const std::string type = memory_type(element, width);
  std::string kept = value;
  if (element == Element::kBool)
    kept = let("arith.extui " + value + " : " + register_type(element, width) + " to " + type);
  if (width == 1) {
    line("memref.store " + kept + ", " + buffer + "[" + at + "] : " + buffer_type);
  } else {
    line("vector.store " + kept + ", " + buffer + "[" + at + "] : " + buffer_type + ", " + type);
  }
}

std::string Emitter::broadcast(const std::string& value, Element element, int width) {
  if (width == 1) return value;
  return let("vector.broadcast " + value + " : " + register_type(element, 1) + " to " + register_type(element, width));
}

Emitter::Values Emitter::evaluate_terms(const Expression& expression, const Values& inputs, int width) {
  Values values;
  for (const Term& t : expression.terms) {
    if (t.op == Op::kInput) {
      values.push_back(inputs.at(static_cast<std::size_t>(t.number)));
    } else if (t.op == Op::kNumber) {
      values.push_back(number(t.number, t.element, width));
    } else {
      Values arguments;
      for (int i = 0; i < arity(t.op); ++i) {
        arguments.push_back(values[static_cast<std::size_t>(t.arguments[static_cast<std::size_t>(i)])]);
      }
      values.push_back(term(t, arguments, expression, width));
    }
  }
  return values;
}

std::string Emitter::function(const std::vector<std::pair<std::string, std::string>>& arguments) const {
  std::string text = "func.func @kernel(";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    text += (i == 0 ? "" : ", ") + arguments[i].first + ": " + arguments[i].second;
  }
  text += ", %begin: index, %end: index, %part: index) {\n";
  for (const std::string& c : constant_lines_) text += c + "\n";
  return text + body_ + "  return\n}\n";
}

}  // namespace assay::compiler
