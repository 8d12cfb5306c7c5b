#include "onnx_graph/operators/operator.hpp"

namespace assay::onnx_graph {
namespace {

std::optional<Dimensions> copy(const Dimensions* shape) {
  return shape != nullptr ? std::optional(*shape) : std::nullopt;
}

/// All inputs' shapes broadcast; nothing where one is not known.
std::optional<Dimensions> broadcast_all(const Operator& op) {
  std::optional<Dimensions> result;
  for (std::size_t i = 0; i < op.node.inputs.size(); ++i) {
    const Dimensions* shape = op.shape(i);
    if (shape == nullptr) return std::nullopt;
    result = result ? broadcast(*result, *shape) : *shape;
  }
  return result;
}

/// x op y, where both are integers that are known; a name survives what does not change it.
Integer compute(std::string_view operation, const Integer& x, const Integer& y) {
  if (x.value && y.value) {
    const std::int64_t a = *x.value, b = *y.value;
    std::int64_t result = 0;
    bool overflow = false;
    if (operation == "Add") overflow = __builtin_add_overflow(a, b, &result);
    if (operation == "Sub") overflow = __builtin_sub_overflow(a, b, &result);
    if (operation == "Mul") overflow = __builtin_mul_overflow(a, b, &result);
    if (operation == "Min") result = std::min(a, b);
    if (operation == "Max") result = std::max(a, b);
    if (operation == "Div" || operation == "Mod") {
      if (b == 0 || (a == INT64_MIN && b == -1)) return {};
      const std::int64_t rest = a % b;
      const bool other_sign = rest != 0 && (rest < 0) != (b < 0);  // Mod takes the divisor's sign
      result = operation == "Div" ? a / b : rest + (other_sign ? b : 0);
    }
    return overflow ? Integer{} : Integer{result, ""};
  }
  const bool by_one = y.value == 1 && (operation == "Mul" || operation == "Div");
  const bool by_zero = y.value == 0 && (operation == "Add" || operation == "Sub");
  if (by_one || by_zero) return x;
  if ((x.value == 1 && operation == "Mul") || (x.value == 0 && operation == "Add")) return y;
  return {};
}

/// Elementwise over two integer vectors, one of which may have a single element.
template <class Each>
std::optional<Integers> combine(const Integers* a, const Integers* b, Each each) {
  if (a == nullptr || b == nullptr || a->empty() || b->empty()) return std::nullopt;
  if (a->size() != b->size() && a->size() != 1 && b->size() != 1) return std::nullopt;
  Integers result;
  for (std::size_t i = 0; i < std::max(a->size(), b->size()); ++i) {
    result.push_back(each((*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]));
  }
  return result;
}

}  // namespace

void infer_same(Operator& op) { op.output(0, op.element(0), copy(op.shape(0))); }

void infer_identity(Operator& op) {
  infer_same(op);
  if (const Integers* values = op.integers(0)) op.output_integers(0, *values);
}

void infer_boolean(Operator& op) { op.output(0, ElementType::kBool, copy(op.shape(0))); }

void infer_broadcast(Operator& op) { op.output(0, op.element(0), broadcast_all(op)); }

void infer_comparison(Operator& op) { op.output(0, ElementType::kBool, broadcast_all(op)); }

void infer_arithmetic(Operator& op) {
  infer_broadcast(op);
  if (op.node.inputs.size() != 2 || !is_integer(op.element(0)) || op.integer("fmod", 0) != 0) return;
  const auto each = [&](const Integer& x, const Integer& y) { return compute(op.node.op_type, x, y); };
  if (auto result = combine(op.integers(0), op.integers(1), each)) op.output_integers(0, std::move(*result));
}

void infer_equal(Operator& op) {
  infer_comparison(op);
  const auto each = [](const Integer& x, const Integer& y) {
    return x.value && y.value ? Integer{*x.value == *y.value ? 1 : 0, ""} : Integer{};
  };
  if (auto result = combine(op.integers(0), op.integers(1), each)) op.output_integers(0, std::move(*result));
}

void infer_where(Operator& op) {
  op.output(0, op.element(1), broadcast_all(op));
  const Integers* condition = op.integers(0);
  const Integers *x = op.integers(1), *y = op.integers(2);
  if (condition == nullptr || x == nullptr || y == nullptr) return;
  const std::size_t n = std::max({condition->size(), x->size(), y->size()});
  Integers result;
  for (std::size_t i = 0; i < n; ++i) {
    const auto at = [&](const Integers& v) { return v.size() == 1 ? v[0] : i < v.size() ? v[i] : Integer{}; };
    const Integer chosen = at(*condition);
    result.push_back(chosen.value ? at(*chosen.value != 0 ? *x : *y) : Integer{});
  }
  op.output_integers(0, std::move(result));
}

void infer_cast(Operator& op) {
  const auto to = static_cast<ElementType>(static_cast<std::int32_t>(op.integer("to", 0)));
  op.output(0, to, copy(op.shape(0)));
  const Integers* values = op.integers(0);
  if (values != nullptr && is_integer(op.element(0)) && (to == ElementType::kInt64 || to == ElementType::kInt32)) {
    op.output_integers(0, *values);
  }
}

void infer_cast_like(Operator& op) { op.output(0, op.element(1), copy(op.shape(0))); }

void infer_dropout(Operator& op) {
  infer_same(op);
  // Before opset 10 the mask had the data's type.
  op.output(1, op.opset() < 10 ? op.element(0) : ElementType::kBool, copy(op.shape(0)));
}

void infer_quantize(Operator& op) {
  ElementType to = op.has(2) ? op.element(2) : ElementType::kUint8;
  if (!op.has(2) && op.integer("output_dtype", 0) != 0) {
    to = static_cast<ElementType>(static_cast<std::int32_t>(op.integer("output_dtype", 0)));
  }
  op.output(0, to, copy(op.shape(0)));
}

void infer_dequantize(Operator& op) { op.output(0, op.element(1), copy(op.shape(0))); }

void infer_dynamic_quantize(Operator& op) {
  op.output(0, ElementType::kUint8, copy(op.shape(0)));
  op.output(1, ElementType::kFloat32, Dimensions{});
  op.output(2, ElementType::kUint8, Dimensions{});
}

}  // namespace assay::onnx_graph
