// Einsum, whose equation ONNX writes more freely than TensorFlow's operation takes it.
#include <algorithm>
#include <cctype>
#include <map>

#include "operators/operator.hpp"

namespace assay::tensorflow {
namespace {

constexpr std::string_view kEllipsis = "...";

struct Equation {
  std::vector<std::string> terms;
  std::string result;
};

bool has_ellipsis(const std::string& term) { return term.find('.') != std::string::npos; }

/// What the result is where the equation has no "->": what occurs once, in alphabetical order.
std::string implied_result(const std::vector<std::string>& terms) {
  std::map<char, int> times;
  bool ellipsis = false;
  for (const std::string& term : terms) {
    ellipsis = ellipsis || has_ellipsis(term);
    for (const char c : term) times[c] += c == '.' ? 0 : 1;
  }
  std::string result(ellipsis ? kEllipsis : "");
  for (const auto& [label, n] : times) {
    if (n == 1) result += label;
  }
  return result;
}

Equation equation_of(Operator& op) {
  std::string text = op.text("equation", "");
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  Equation equation;
  const std::size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  for (std::size_t begin = 0; begin <= left.size();) {
    const std::size_t end = std::min(left.find(',', begin), left.size());
    equation.terms.push_back(left.substr(begin, end - begin));
    begin = end + 1;
  }
  equation.result = arrow == std::string::npos ? implied_result(equation.terms) : text.substr(arrow + 2);
  if (equation.terms.size() != op.count()) {
    op.fail("equation '" + text + "' for " + std::to_string(op.count()) + " inputs");
  }
  return equation;
}

/// Of the labels of two terms those that are needed after their product.
std::string product_of(const std::string& a, const std::string& b, const Equation& equation, std::size_t next) {
  std::string later = equation.result;
  for (std::size_t i = next; i < equation.terms.size(); ++i) later += equation.terms[i];
  std::string kept(has_ellipsis(a) || has_ellipsis(b) ? kEllipsis : "");
  for (const char c : a + b) {
    if (c != '.' && later.find(c) != std::string::npos && kept.find(c) == std::string::npos) kept += c;
  }
  return kept;
}

TF_Output contract(Operator& op, const std::vector<TF_Output>& factors, const std::string& equation) {
  return op.g.op("Einsum").in_list(factors).text("equation", equation).done();
}

}  // namespace

/// TensorFlow's takes two factors at most: of more, the first two become one until there are two.
void translate_einsum(Operator& op) {
  const Equation equation = equation_of(op);
  const DataType given = op.type(0);
  const bool narrow = !is_float(given) && element_bytes(given) < 4;
  std::vector<TF_Output> inputs;
  for (std::size_t i = 0; i < op.count(); ++i) {
    inputs.push_back(narrow ? op.g.cast(op.in(i), DataType::kInt32) : op.in(i));
  }
  std::string term = equation.terms[0];
  TF_Output x = inputs[0];
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const bool last = i + 1 == inputs.size();
    const std::string product = last ? equation.result : product_of(term, equation.terms[i], equation, i + 1);
    std::string step = term;
    step.append(",").append(equation.terms[i]).append("->").append(product);
    x = contract(op, {x, inputs[i]}, step);
    term = product;
  }
  if (inputs.size() == 1) x = contract(op, {x}, term + "->" + equation.result);
  op.out(0, op.g.cast(x, given));
}

}  // namespace assay::tensorflow
