#include <algorithm>

#include "onnx_graph/operators/operator.hpp"

namespace assay::onnx_graph {
namespace {

Dimensions reduced(const Dimensions& x, const std::vector<std::size_t>& axes, bool keep) {
  Dimensions result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool gone = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!gone) result.push_back(x[i]);
    if (gone && keep) result.push_back({1, ""});
  }
  return result;
}

}  // namespace

void infer_reduce(Operator& op) {
  const Dimensions* x = op.shape(0);
  const bool keep = op.integer("keepdims", 1) != 0;
  const auto axes = op.list_or_input("axes", 1);
  if (x == nullptr || !axes) {
    op.output(0, op.element(0), x != nullptr && keep ? std::optional(unknown(x->size())) : std::nullopt);
    return;
  }
  std::vector<std::size_t> which = axis_indices(*axes, x->size());
  if (axes->empty() && op.integer("noop_with_empty_axes", 0) == 0) {
    for (std::size_t i = 0; i < x->size(); ++i) which.push_back(i);
  }
  op.output(0, op.element(0), reduced(*x, which, keep));
  // Sizes multiplied together: how Keras flattens.
  const Integers* values = op.integers(0);
  if (op.node.op_type != "ReduceProd" || values == nullptr || which.empty()) return;
  Integer result{1, ""};
  for (const Integer& v : *values) {
    std::int64_t next = 0;
    const bool ok = result.value && v.value && !__builtin_mul_overflow(*result.value, *v.value, &next);
    result.value = ok ? std::optional(next) : std::nullopt;
  }
  op.output_integers(0, {result});
}

void infer_arg_reduce(Operator& op) {
  const Dimensions* x = op.shape(0);
  std::optional<Dimensions> shape;
  if (x != nullptr) shape = reduced(*x, {axis_index(op.integer("axis", 0), x->size())}, op.integer("keepdims", 1) != 0);
  op.output(0, ElementType::kInt64, std::move(shape));
}

void infer_top_k(Operator& op) {
  std::optional<Dimensions> shape;
  if (const Dimensions* x = op.shape(0)) {
    shape = *x;
    Dimension& axis = shape->at(axis_index(op.integer("axis", -1), x->size()));
    const auto k = op.known_integers(1);  // an attribute before opset 10
    axis = {k && k->size() == 1 ? k->at(0) : op.integer("k", -1), ""};
  }
  op.output(0, op.element(0), shape);
  op.output(1, ElementType::kInt64, std::move(shape));
}

}  // namespace assay::onnx_graph
