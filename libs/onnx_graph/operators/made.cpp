// Operators that make a tensor of attributes or sizes.

#include <cmath>

#include "onnx_graph/operators/operator.hpp"

namespace assay::onnx_graph {
namespace {

/// A shape that is itself computed: known, partly known, or known in its rank.
std::optional<Dimensions> shape_from(const Operator& op, std::size_t input) {
  if (const Integers* values = op.integers(input)) {
    Dimensions result;
    for (const Integer& v : *values) result.push_back({v.value && *v.value >= 0 ? *v.value : -1, v.name});
    return result;
  }
  const Dimensions* of = op.shape(input);
  if (of != nullptr && of->size() == 1 && (*of)[0].known() && (*of)[0].size <= kMostAxes) {
    return unknown(static_cast<std::size_t>((*of)[0].size));
  }
  return std::nullopt;
}

}  // namespace

void infer_constant(Operator& op) {
  if (const auto* t = op.node.attribute<Tensor>("value")) return op.output(0, t->type, sizes(t->dims));
  if (op.has_attribute("value_float")) return op.output(0, ElementType::kFloat32, Dimensions{});
  if (op.has_attribute("value_string")) return op.output(0, ElementType::kString, Dimensions{});
  if (const auto* floats = op.node.attribute<std::vector<float>>("value_floats")) {
    return op.output(0, ElementType::kFloat32, sizes({static_cast<std::int64_t>(floats->size())}));
  }
  if (const auto* strings = op.node.attribute<std::vector<std::string>>("value_strings")) {
    return op.output(0, ElementType::kString, sizes({static_cast<std::int64_t>(strings->size())}));
  }
  if (const auto* one = op.node.attribute<std::int64_t>("value_int")) {
    op.output(0, ElementType::kInt64, Dimensions{});
    return op.output_integers(0, {Integer{*one, ""}});
  }
  if (const auto* ints = op.node.attribute<std::vector<std::int64_t>>("value_ints")) {
    op.output(0, ElementType::kInt64, sizes({static_cast<std::int64_t>(ints->size())}));
    Integers values;
    if (ints->size() <= kMostIntegers) {
      for (const std::int64_t v : *ints) values.push_back({v, ""});
      op.output_integers(0, std::move(values));
    }
  }
}

void infer_constant_of_shape(Operator& op) {
  const auto* value = op.node.attribute<Tensor>("value");
  std::optional<Dimensions> shape = shape_from(op, 0);
  const bool vector = shape && (shape->empty() || (shape->size() == 1 && (*shape)[0].known()));
  const std::int64_t count = vector ? product(*shape) : -1;
  op.output(0, value != nullptr ? value->type : ElementType::kFloat32, std::move(shape));
  if (value == nullptr || !is_integer(value->type) || value->elements != 1 || count < 0) return;
  if (bits_of(value->type) < 8 || count > static_cast<std::int64_t>(kMostIntegers)) return;
  op.output_integers(0, Integers(static_cast<std::size_t>(count), Integer{value->integers()[0], ""}));
}

namespace {

/// The only element, if it is that.
template <class T>
std::optional<T> single(const std::optional<std::vector<T>>& values) {
  return values && values->size() == 1 ? std::optional(values->front()) : std::nullopt;
}

/// Elements of a range; -1 where it is not known. Throws Mismatch where no memory would hold it.
std::int64_t range_length(double start, double limit, double delta) {
  if (delta == 0) return -1;
  const double count = std::ceil((limit - start) / delta);
  if (!(count < static_cast<double>(kLargestSize))) throw Mismatch("the range is longer than any memory");
  return static_cast<std::int64_t>(std::max(count, 0.0));
}

}  // namespace

void infer_range(Operator& op) {
  const auto start = single(op.known_integers(0)), limit = single(op.known_integers(1)),
             delta = single(op.known_integers(2));
  const auto first = single(op.known_floats(0)), last = single(op.known_floats(1)), step = single(op.known_floats(2));
  std::int64_t length = -1;
  Integers values;
  if (start && limit && delta) {
    length = range_length(static_cast<double>(*start), static_cast<double>(*limit), static_cast<double>(*delta));
    const auto small = [](std::int64_t v) { return v >= -kLargestSize && v <= kLargestSize; };
    const bool follow = small(*start) && small(*delta) && length <= static_cast<std::int64_t>(kMostIntegers);
    for (std::int64_t i = 0; follow && i < length; ++i) values.push_back({*start + i * *delta, ""});
  } else if (first && last && step) {
    length = range_length(static_cast<double>(*first), static_cast<double>(*last), static_cast<double>(*step));
  }
  op.output(0, op.element(0), Dimensions{{length, ""}});
  if (static_cast<std::int64_t>(values.size()) == length) op.output_integers(0, std::move(values));
}

void infer_eye_like(Operator& op) {
  const std::int64_t type = op.integer("dtype", 0);
  const Dimensions* x = op.shape(0);
  op.output(0, type != 0 ? static_cast<ElementType>(static_cast<std::int32_t>(type)) : op.element(0),
            x != nullptr ? std::optional(*x) : std::nullopt);
}

void infer_expand(Operator& op) {
  const Dimensions* x = op.shape(0);
  const std::optional<Dimensions> to = shape_from(op, 1);
  op.output(0, op.element(0), x != nullptr && to ? std::optional(broadcast(*x, *to)) : std::nullopt);
  // Copies of one integer.
  const Integers* values = op.integers(0);
  const auto count = op.known_integers(1);
  if (values == nullptr || values->size() != 1 || !count || count->size() != 1) return;
  if (count->at(0) < 1 || count->at(0) > static_cast<std::int64_t>(kMostIntegers)) return;
  op.output_integers(0, Integers(static_cast<std::size_t>(count->at(0)), values->at(0)));
}

}  // namespace assay::onnx_graph
