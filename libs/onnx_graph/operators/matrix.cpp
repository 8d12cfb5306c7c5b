#include <map>

#include "onnx_graph/operators/operator.hpp"

namespace assay::onnx_graph {
namespace {

/// NumPy's matmul: vectors get an axis that goes away again, leading axes broadcast.
std::optional<Dimensions> matrix_product(const Dimensions* left, const Dimensions* right) {
  if (left == nullptr || right == nullptr) return std::nullopt;
  if (left->empty() || right->empty()) throw Mismatch("a scalar is no matrix");
  Dimensions a = *left, b = *right;
  if (left->size() == 1) a.insert(a.begin(), {1, ""});
  if (right->size() == 1) b.push_back({1, ""});
  same(a.back(), b[b.size() - 2], "inner sizes");
  const Dimension rows = a[a.size() - 2], columns = b.back();
  Dimensions result = broadcast({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
  if (left->size() > 1) result.push_back(rows);
  if (right->size() > 1) result.push_back(columns);
  return result;
}

}  // namespace

void infer_matmul(Operator& op) { op.output(0, op.element(0), matrix_product(op.shape(0), op.shape(1))); }

void infer_matmul_integer(Operator& op) { op.output(0, ElementType::kInt32, matrix_product(op.shape(0), op.shape(1))); }

void infer_matmul_quantized(Operator& op) { op.output(0, op.element(7), matrix_product(op.shape(0), op.shape(3))); }

void infer_gemm(Operator& op) {
  const Dimensions *a = op.shape(0), *b = op.shape(1);
  if (a == nullptr || b == nullptr) return op.output(0, op.element(0), unknown(2));
  if (a->size() != 2 || b->size() != 2) throw Mismatch("an input is no matrix");
  const std::size_t inner_a = op.integer("transA", 0) != 0 ? 0 : 1;
  const std::size_t inner_b = op.integer("transB", 0) != 0 ? 1 : 0;
  same((*a)[inner_a], (*b)[inner_b], "inner sizes");
  op.output(0, op.element(0), Dimensions{(*a)[1 - inner_a], (*b)[1 - inner_b]});
}

namespace {

/// "ij,jk->ik" → terms before and after the arrow; nothing where there is an ellipsis or no arrow.
struct Equation {
  std::vector<std::string> inputs;
  std::optional<std::string> output;
};

Equation parse_equation(const std::string& text) {
  Equation e{{""}, std::nullopt};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text[i] == '-' && i + 1 < text.size() && text[i + 1] == '>') {
      e.output = "";
      ++i;
    } else if (text[i] == ',' && !e.output) {
      e.inputs.emplace_back();
    } else {
      (e.output ? *e.output : e.inputs.back()) += text[i];
    }
  }
  return e;
}

/// Letters that appear once, in alphabetic order: what the output is where the equation does not say.
std::string implied_output(const Equation& e) {
  std::map<char, int> count;
  for (const std::string& term : e.inputs) {
    for (const char c : term) ++count[c];
  }
  std::string result;
  for (const auto& [letter, n] : count) {
    if (n == 1) result += letter;
  }
  return result;
}

}  // namespace

void infer_einsum(Operator& op) {
  const std::string text = op.node.attribute_or<std::string>("equation", "");
  const Equation e = parse_equation(text);
  if (text.find('.') != std::string::npos || e.inputs.size() != op.node.inputs.size()) {
    return op.output(0, op.element(0), std::nullopt);
  }
  std::map<char, Dimension> size;
  for (std::size_t i = 0; i < e.inputs.size(); ++i) {
    const Dimensions* shape = op.shape(i);
    if (shape == nullptr) continue;
    if (shape->size() != e.inputs[i].size()) throw Mismatch("the equation does not fit an input's rank");
    for (std::size_t axis = 0; axis < shape->size(); ++axis) {
      Dimension& known = size[e.inputs[i][axis]];
      const Dimension& found = (*shape)[axis];
      if (known.size == 1 || !known.known()) known = found.known() || known.name.empty() ? found : known;
    }
  }
  Dimensions result;
  for (const char letter : e.output ? *e.output : implied_output(e)) result.push_back(size[letter]);
  op.output(0, op.element(0), std::move(result));
}

}  // namespace assay::onnx_graph
