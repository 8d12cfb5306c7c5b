#include "compiler/operators/operator.hpp"
#include "onnx_graph/storage.hpp"

#include <algorithm>
#include <numeric>

namespace assay::compiler {

std::optional<Element> element_of(onnx_graph::ElementType type) {
  switch (type) {
    case onnx_graph::ElementType::kFloat32:
      return Element::kF32;
    case onnx_graph::ElementType::kInt64:
      return Element::kI64;
    case onnx_graph::ElementType::kInt32:
      return Element::kI32;
    case onnx_graph::ElementType::kInt8:
      return Element::kI8;
    case onnx_graph::ElementType::kUint8:
      return Element::kU8;
    case onnx_graph::ElementType::kBool:
      return Element::kBool;
    default:
      return std::nullopt;
  }
}

namespace {

/// A tensor of the file: a view where the file has it as it is.
Value value_of(const onnx_graph::Tensor& tensor, const std::shared_ptr<const onnx_graph::Storage>& storage) {
  const auto element = element_of(tensor.type);
  if (!element)
    throw Unsupported("'" + tensor.name + "' is " + to_string(tensor.type) + ", which is not computed with");
  struct Kept {
    onnx_graph::Bytes bytes;
    std::shared_ptr<const onnx_graph::Storage> storage;
  };
  auto kept = std::make_shared<const Kept>(Kept{tensor.bytes(), storage});
  const auto bytes = kept->bytes.span();
  const auto let_go = [storage](std::span<const std::byte> unwanted) {
    if (storage != nullptr) storage->let_go(unwanted);
  };
  return {tensor.name, *element, tensor.dims, std::make_shared<const Constant>(kept, bytes, let_go)};
}

}  // namespace

Shape broadcast(const std::vector<Shape>& shapes) {
  std::size_t rank = 0;
  for (const Shape& s : shapes) rank = std::max(rank, s.size());
  Shape result(rank, 1);
  for (const Shape& s : shapes) {
    for (std::size_t k = 0; k < s.size(); ++k) {
      std::int64_t& to = result[rank - s.size() + k];
      if (to == s[k] || s[k] == 1) continue;
      if (to != 1) throw Unsupported(to_text(s) + " and " + to_text(result) + " do not broadcast");
      to = s[k];
    }
  }
  return result;
}

ValueId Operator::in(std::size_t i) {
  if (!has(i)) fail("its input " + std::to_string(i) + " is missing");
  const std::string& name = node.inputs[i];
  if (const auto made = import_.values.find(name); made != import_.values.end()) return made->second;
  const auto tensor = import_.tensors.find(name);
  if (tensor == import_.tensors.end()) fail("its input '" + name + "' could not be imported");
  const ValueId id = import_.graph.add(value_of(*tensor->second, import_.model.storage));
  import_.values.emplace(name, id);
  return id;
}

std::optional<Shape> Operator::integers(std::size_t i) const {
  if (!has(i)) return std::nullopt;
  if (const auto known = import_.inference.known_integers(node.inputs[i])) return known;
  const auto tensor = import_.tensors.find(node.inputs[i]);
  if (tensor == import_.tensors.end() || !onnx_graph::is_integer(tensor->second->type)) return std::nullopt;
  return tensor->second->integers();
}

Shape Operator::require_integers(std::size_t i, const char* what) const {
  if (auto known = integers(i)) return *known;
  fail(std::string(what) + " is known only when it runs");
}

std::optional<std::vector<float>> Operator::floats(std::size_t i) {
  const Value& x = import_.graph.value(in(i));
  if (x.constant == nullptr || x.element != Element::kF32) return std::nullopt;
  std::vector<float> values(static_cast<std::size_t>(compiler::count(x.shape)));
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = x.constant->at<float>(k);
  return values;
}

std::optional<Shape> Operator::list(std::string_view name) const {
  const auto* found = node.attribute<Shape>(name);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::optional<Shape> Operator::list_or_input(std::string_view name, std::size_t input) const {
  if (auto attribute = list(name)) return attribute;
  if (!has(input)) return std::nullopt;
  return require_integers(input, std::string(name).c_str());
}

ValueId Operator::node_of(Operation operation, std::vector<ValueId> inputs, Element element, Shape shape) {
  compiler::count(shape);  // throws where it is too large
  const std::string name = node.outputs.empty() ? node.op_type : node.outputs[0];
  const ValueId output = import_.graph.add({name, element, std::move(shape), nullptr});
  import_.graph.nodes.push_back({std::move(operation), std::move(inputs), output, label(node)});
  return output;
}

ValueId Operator::map(Expression expression, std::vector<ValueId> inputs) {
  std::vector<Shape> shapes;
  for (const ValueId x : inputs) shapes.push_back(shape_of(x));
  const Element element = expression.result().element;
  return node_of(Map{std::move(expression)}, std::move(inputs), element, broadcast(shapes));
}

ValueId Operator::reduce(Reduce::Combine combine, ValueId x, std::vector<std::size_t> axes) {
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  Shape shape = shape_of(x);
  for (const std::size_t a : axes) shape[a] = 1;
  return node_of(Reduce{combine, std::move(axes)}, {x}, element_of(x), std::move(shape));
}

ValueId Operator::mean(ValueId x, const std::vector<std::size_t>& axes) {
  std::int64_t n = 1;
  for (const std::size_t a : axes) n *= shape_of(x)[a];
  Formula f;
  const X sum = f.input(0, element_of(x));
  return map(f.done(sum / f.number(static_cast<double>(n), element_of(x))), {reduce(Reduce::Combine::kSum, x, axes)});
}

ValueId Operator::reshape(ValueId x, Shape shape) {
  if (shape == shape_of(x)) return x;
  if (compiler::count(shape) != compiler::count(shape_of(x))) {
    fail(to_text(shape_of(x)) + " cannot be reshaped to " + to_text(shape));
  }
  return node_of(Reshape{}, {x}, element_of(x), std::move(shape));
}

ValueId Operator::strided(ValueId x, std::int64_t offset, Shape strides, Shape shape) {
  if (strides.size() != shape.size()) fail(to_text(shape) + " has other axes than " + to_text(shape_of(x)));
  if (compiler::count(shape) > 0) {
    std::int64_t least = offset, most = offset;
    for (std::size_t k = 0; k < shape.size(); ++k) {
      (strides[k] < 0 ? least : most) += strides[k] * (shape[k] - 1);
    }
    if (least < 0 || most >= compiler::count(shape_of(x))) fail("it reaches beyond " + to_text(shape_of(x)));
  }
  return node_of(Strided{offset, std::move(strides)}, {x}, element_of(x), std::move(shape));
}

ValueId Operator::transpose(ValueId x, const std::vector<std::size_t>& order) {
  const Shape from = contiguous_strides(shape_of(x));
  Shape strides, shape;
  for (const std::size_t k : order) {
    strides.push_back(from.at(k));
    shape.push_back(shape_of(x).at(k));
  }
  return strided(x, 0, std::move(strides), std::move(shape));
}

ValueId Operator::slice(ValueId x, const Shape& begin, const Shape& step, Shape size) {
  Shape strides = contiguous_strides(shape_of(x));
  std::int64_t offset = 0;
  for (std::size_t k = 0; k < strides.size(); ++k) {
    offset += begin[k] * strides[k];
    strides[k] *= step[k];
  }
  return strided(x, offset, std::move(strides), std::move(size));
}

ValueId Operator::concat(std::vector<ValueId> parts, std::size_t axis) {
  if (parts.size() == 1) return parts[0];
  Shape shape = shape_of(parts[0]);
  const Element element = element_of(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    Shape other = shape_of(parts[i]);
    const std::int64_t more = other.at(axis);
    other[axis] = shape[axis];
    if (other != shape || element_of(parts[i]) != element) {
      fail(to_text(shape_of(parts[i])) + " does not go beside " + to_text(shape));
    }
    shape[axis] += more;
  }
  return node_of(Concat{axis}, std::move(parts), element, std::move(shape));
}

ValueId Operator::pad(ValueId x, const Shape& begin, const Shape& end, double value) {
  Shape shape = shape_of(x);
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (begin[k] < 0 || end[k] < 0) fail("a padding of less than nothing is not computed");
    shape[k] += begin[k] + end[k];
  }
  if (shape == shape_of(x)) return x;
  return node_of(Pad{begin, value}, {x}, element_of(x), std::move(shape));
}

ValueId Operator::gather(ValueId x, ValueId indices, std::size_t axis) {
  const Shape &from = shape_of(x), &picked = shape_of(indices);
  Shape shape(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), picked.begin(), picked.end());
  shape.insert(shape.end(), from.begin() + static_cast<std::ptrdiff_t>(axis) + 1, from.end());
  return node_of(Gather{axis}, {x, indices}, element_of(x), std::move(shape));
}

ValueId Operator::conv(Conv its, std::vector<ValueId> inputs, Shape shape) {
  return node_of(std::move(its), std::move(inputs), Element::kF32, std::move(shape));
}

ValueId Operator::pool(Pool its, ValueId x, Shape shape) {
  return node_of(std::move(its), {x}, element_of(x), std::move(shape));
}

ValueId Operator::matmul(ValueId a, ValueId b) {
  const Shape left = shape_of(a), right = shape_of(b);
  if (element_of(a) != element_of(b)) fail("its factors are of different types");
  if (left.size() < 2 || right.size() < 2 || left.back() != right[right.size() - 2]) {
    fail(to_text(left) + " and " + to_text(right) + " cannot be multiplied");
  }
  Shape shape = broadcast({Shape(left.begin(), left.end() - 2), Shape(right.begin(), right.end() - 2)});
  shape.push_back(left[left.size() - 2]);
  shape.push_back(right.back());
  return node_of(MatMul{}, {a, b}, element_of(a), std::move(shape));
}

ValueId Operator::constant(const onnx_graph::Tensor& tensor) {
  return import_.graph.add(value_of(tensor, import_.model.storage));
}

ValueId Operator::constant(const std::string& name, std::vector<float> values, Shape shape) {
  return import_.graph.add({name, Element::kF32, std::move(shape), Constant::of(std::move(values))});
}

ValueId Operator::constant(const std::string& name, std::vector<std::int64_t> values, Shape shape) {
  return import_.graph.add({name, Element::kI64, std::move(shape), Constant::of(std::move(values))});
}

void Operator::out(std::size_t i, ValueId x) {
  if (const auto* type = import_.inference.type(node.outputs[i])) {
    if (const auto expected = compiler::element_of(type->element); expected && *expected != element_of(x)) {
      throw std::logic_error("output " + std::to_string(i) + " was imported as " + name_of(element_of(x)));
    }
  }
  if (const auto shape = import_.inference.known_shape(node.outputs[i]); shape && *shape != shape_of(x)) {
    throw std::logic_error("output " + std::to_string(i) + " was imported as " + to_text(shape_of(x)) + " and is " +
                           to_text(*shape));
  }
  import_.values[node.outputs[i]] = x;
}

Shape Operator::out_shape(std::size_t i) const {
  if (auto shape = import_.inference.known_shape(node.outputs[i])) return *shape;
  fail("the shape of its output is known only when it runs");
}

std::size_t Operator::axis(std::int64_t given, std::size_t rank) {
  const std::int64_t axis = given < 0 ? given + static_cast<std::int64_t>(rank) : given;
  if (axis < 0 || axis >= static_cast<std::int64_t>(rank)) fail("axis " + std::to_string(given) + " is not there");
  return static_cast<std::size_t>(axis);
}

}  // namespace assay::compiler
