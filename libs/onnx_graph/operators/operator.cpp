#include "onnx_graph/operators/operator.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay::onnx_graph {

ElementType Operator::element(std::size_t i) const {
  const TensorType* type = has(i) ? known_.type(node.inputs[i]) : nullptr;
  return type != nullptr ? type->element : ElementType::kUndefined;
}

const Dimensions* Operator::shape(std::size_t i) const { return has(i) ? known_.shape(node.inputs[i]) : nullptr; }

const Integers* Operator::integers(std::size_t i) const {
  if (!has(i)) return nullptr;
  const auto found = known_.integers.find(node.inputs[i]);
  return found != known_.integers.end() ? &found->second : nullptr;
}

std::optional<std::vector<std::int64_t>> Operator::known_integers(std::size_t i) const {
  return has(i) ? known_.known_integers(node.inputs[i]) : std::nullopt;
}

const Tensor* Operator::constant(std::size_t i) const {
  if (!has(i)) return nullptr;
  const auto found = constants_.find(node.inputs[i]);
  return found != constants_.end() ? found->second : nullptr;
}

std::optional<std::vector<float>> Operator::known_floats(std::size_t i) const {
  const Tensor* t = constant(i);
  if (t == nullptr || t->elements > static_cast<std::int64_t>(kMostIntegers)) return std::nullopt;
  if (!is_floating(t->type) || bits_of(t->type) < 16) return std::nullopt;
  return t->floats();
}

bool Operator::has_attribute(std::string_view name) const {
  return std::any_of(node.attributes.begin(), node.attributes.end(),
                     [&](const Attribute& a) { return a.name == name; });
}

std::optional<std::vector<std::int64_t>> Operator::list_or_input(std::string_view name, std::size_t input) const {
  if (has(input)) return known_integers(input);
  return list(name);
}

void Operator::output(std::size_t i, ElementType element, std::optional<Dimensions> shape) {
  if (i >= node.outputs.size() || node.outputs[i].empty()) return;
  if (shape) {
    if (shape->size() > static_cast<std::size_t>(kMostAxes)) throw Mismatch("the result has more than 64 axes");
    for (const Dimension& d : *shape) {
      if (d.size < -1) throw Mismatch("the result has a negative size");
    }
    product(*shape);  // throws where it is larger than any memory
    if (shape->size() > room_) throw Mismatch("the graph's shapes take too much memory");
    room_ -= shape->size();
  }
  known_.types[node.outputs[i]] = {element, std::move(shape)};
}

void Operator::output_integers(std::size_t i, Integers integers) {
  if (integers.size() > std::min(kMostIntegers, room_)) return;
  if (i < node.outputs.size() && !node.outputs[i].empty()) {
    room_ -= integers.size();
    known_.integers[node.outputs[i]] = std::move(integers);
  }
}

std::size_t axis_index(std::int64_t axis, std::size_t rank) {
  const auto n = static_cast<std::int64_t>(rank);
  if (axis < -n || axis >= n) throw Mismatch(fmt::format("axis {} is outside of {} axes", axis, rank));
  return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

std::vector<std::size_t> axis_indices(const std::vector<std::int64_t>& axes, std::size_t rank) {
  std::vector<std::size_t> result;
  for (const std::int64_t axis : axes) {
    const std::size_t i = axis_index(axis, rank);
    if (std::find(result.begin(), result.end(), i) == result.end()) result.push_back(i);
  }
  return result;
}

std::int64_t multiply(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result) || result > (INT64_MAX >> 8))
    throw Mismatch("the result is larger than any memory");
  return result;
}

std::int64_t product(std::span<const Dimension> dimensions) {
  std::int64_t result = 1;
  bool known = true, zero = false;
  for (const Dimension& d : dimensions) {
    known = known && d.known();
    zero = zero || d.size == 0;
    if (d.size > 0) result = multiply(result, d.size);
  }
  return !known ? -1 : zero ? 0 : result;
}

Dimension same(const Dimension& a, const Dimension& b, std::string_view what) {
  if (a.known() && b.known() && a.size != b.size)
    throw Mismatch(fmt::format("{} differ: {} and {}", what, a.size, b.size));
  if (a.known()) return a;
  return b.known() || a.name.empty() ? b : a;
}

Dimensions broadcast(const Dimensions& a, const Dimensions& b) {
  const Dimensions &longer = a.size() >= b.size() ? a : b, &shorter = a.size() >= b.size() ? b : a;
  Dimensions result = longer;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    const Dimension &x = longer[i + offset], &y = shorter[i];
    Dimension& out = result[i + offset];
    if (x.size == 1) {
      out = y;
    } else if (y.size == 1 || x == y) {
      out = x;
    } else if (x.known() && y.known()) {
      throw Mismatch(fmt::format("sizes {} and {} do not broadcast", x.size, y.size));
    } else {
      // A free axis beside a known size above 1 must be that size (or 1); two free ones stay free.
      out = x.known() ? x : y.known() ? y : Dimension{};
    }
  }
  return result;
}

}  // namespace assay::onnx_graph
