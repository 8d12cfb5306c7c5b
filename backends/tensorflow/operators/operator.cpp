#include "operators/operator.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <numeric>
#include <utility>

namespace assay::tensorflow {

using onnx_graph::ElementType;

std::optional<DataType> data_type(ElementType type) {
  static constexpr std::array<std::pair<ElementType, DataType>, 13> kTypes = {
      {{ElementType::kFloat32, DataType::kFloat},
       {ElementType::kFloat64, DataType::kDouble},
       {ElementType::kFloat16, DataType::kHalf},
       {ElementType::kBFloat16, DataType::kBfloat16},
       {ElementType::kInt8, DataType::kInt8},
       {ElementType::kInt16, DataType::kInt16},
       {ElementType::kInt32, DataType::kInt32},
       {ElementType::kInt64, DataType::kInt64},
       {ElementType::kUint8, DataType::kUint8},
       {ElementType::kUint16, DataType::kUint16},
       {ElementType::kUint32, DataType::kUint32},
       {ElementType::kUint64, DataType::kUint64},
       {ElementType::kBool, DataType::kBool}}};
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& t) { return t.first == type; });
  return found != kTypes.end() ? std::optional(found->second) : std::nullopt;
}

Ints to_last(std::size_t rank) {
  Ints order = {0};
  for (std::size_t i = 2; i < rank; ++i) order.push_back(static_cast<std::int64_t>(i));
  order.push_back(1);
  return order;
}

Ints from_last(std::size_t rank) {
  Ints order = {0, static_cast<std::int64_t>(rank) - 1};
  for (std::size_t i = 1; i + 1 < rank; ++i) order.push_back(static_cast<std::int64_t>(i));
  return order;
}

std::vector<std::byte> permuted(std::span<const std::byte> bytes, const Ints& dims, const Ints& order,
                                std::size_t element_bytes) {
  const std::size_t rank = dims.size();
  std::vector<std::size_t> stride(rank, element_bytes);  // of the source's axes, in bytes
  for (std::size_t i = rank; i-- > 1;) stride[i - 1] = stride[i] * static_cast<std::size_t>(dims[i]);
  std::vector<std::byte> result(bytes.size());
  if (bytes.empty()) return result;
  std::vector<std::int64_t> at(rank, 0);  // in the result's order
  const std::byte* from = bytes.data();
  for (std::size_t done = 0; done < result.size(); done += element_bytes) {
    std::memcpy(result.data() + done, from, element_bytes);
    for (std::size_t i = rank; i-- > 0;) {
      const auto axis = static_cast<std::size_t>(order[i]);
      from += stride[axis];
      if (++at[i] < dims[axis]) break;
      from -= stride[axis] * static_cast<std::size_t>(dims[axis]);
      at[i] = 0;
    }
  }
  return result;
}

Value& Operator::value(std::size_t i) {
  if (!has(i)) fail("input " + std::to_string(i) + " is missing");
  return translation_.values.at(node.inputs[i]);
}

const Value* Operator::known(std::size_t i) const {
  if (!has(i)) return nullptr;
  const auto found = translation_.values.find(node.inputs[i]);
  return found != translation_.values.end() ? &found->second : nullptr;
}

TF_Output Operator::in(std::size_t i) {
  Value& v = value(i);
  if (v.onnx.operation != nullptr) return v.onnx;
  if (v.last.operation != nullptr) {
    v.onnx = g.transpose(v.last, from_last(g.sizes_of(v.last).size()));
  } else if (v.integers) {
    const onnx_graph::TensorType* t = translation_.inference.type(node.inputs[i]);
    const std::optional<DataType> type = t != nullptr ? data_type(t->element) : std::nullopt;
    const bool scalar = t != nullptr && t->shape && t->shape->empty();
    v.onnx = g.cast(g.ints(*v.integers, type.value_or(DataType::kInt64), scalar), type.value_or(DataType::kInt64));
  } else if (v.constant != nullptr) {
    const std::optional<DataType> type = data_type(v.constant->type);
    if (!type) fail("a constant of type " + onnx_graph::to_string(v.constant->type));
    const onnx_graph::Bytes bytes = v.constant->bytes();
    v.onnx = g.constant(*type, v.constant->dims, bytes.span());
  }
  return v.onnx;
}

TF_Output Operator::in_last(std::size_t i) {
  Value& v = value(i);
  if (v.last.operation != nullptr) return v.last;
  v.last = v.constant != nullptr ? constant_last(i, v.constant->dims.size())
                                 : g.transpose(in(i), to_last(g.sizes_of(in(i)).size()));
  return v.last;
}

/// A constant, its shape extended by ones in front to `rank` axes, with channels last.
TF_Output Operator::constant_last(std::size_t i, std::size_t rank) {
  const onnx_graph::Tensor& t = *value(i).constant;
  const std::optional<DataType> type = data_type(t.type);
  if (!type) fail("a constant of type " + onnx_graph::to_string(t.type));
  Ints dims(rank - t.dims.size(), 1);
  dims.insert(dims.end(), t.dims.begin(), t.dims.end());
  const Ints order = to_last(rank);
  Ints moved;
  for (const std::int64_t axis : order) moved.push_back(dims[static_cast<std::size_t>(axis)]);
  const onnx_graph::Bytes bytes = t.bytes();
  return g.constant(*type, moved, permuted(bytes.span(), dims, order, element_bytes(*type)));
}

bool Operator::is_last(std::size_t i) const {
  const Value* v = known(i);
  return v != nullptr && v->last.operation != nullptr && v->onnx.operation == nullptr && v->constant == nullptr;
}

DataType Operator::type(std::size_t i) {
  const Value& v = value(i);
  return g.type_of(v.last.operation != nullptr && v.onnx.operation == nullptr ? v.last : in(i));
}

std::optional<Ints> Operator::shape(std::size_t i) {
  const Value& v = value(i);
  if (v.constant != nullptr) return v.constant->dims;
  if (v.onnx.operation == nullptr && v.last.operation != nullptr) {
    const Ints there = g.sizes_of(v.last);
    Ints result;
    for (const std::int64_t axis : from_last(there.size())) result.push_back(there[static_cast<std::size_t>(axis)]);
    return result;
  }
  std::optional<Ints> found = g.shape_of(in(i));
  if (!found) {  // ONNX's shape inference, or the file, may know more
    if (const onnx_graph::Dimensions* dims = translation_.inference.shape(node.inputs[i])) {
      found.emplace();
      for (const onnx_graph::Dimension& d : *dims) found->push_back(d.size);
    }
  }
  return found;
}

Ints Operator::sizes(std::size_t i) {
  std::optional<Ints> found = shape(i);
  if (!found) fail("the number of axes of '" + node.inputs[i] + "' is not known");
  return *std::move(found);
}

const onnx_graph::Tensor* Operator::constant(std::size_t i) const {
  const Value* v = known(i);
  return v != nullptr ? v->constant : nullptr;
}

std::optional<Ints> Operator::integers(std::size_t i) const {
  const Value* v = known(i);
  if (v == nullptr) return std::nullopt;
  if (v->integers) return v->integers;
  if (v->constant == nullptr || v->constant->dims.size() > 1) return std::nullopt;
  if (!onnx_graph::is_integer(v->constant->type) && v->constant->type != ElementType::kBool) return std::nullopt;
  return v->constant->integers();
}

Ints Operator::require_integers(std::size_t i, const char* what) const {
  std::optional<Ints> found = integers(i);
  if (!found) fail(std::string(what) + " are known only when the graph runs");
  return *found;
}

std::optional<std::vector<float>> Operator::floats(std::size_t i) const {
  const onnx_graph::Tensor* t = constant(i);
  if (t == nullptr) return std::nullopt;
  if (onnx_graph::is_floating(t->type)) return t->floats();
  std::vector<float> result;
  for (const std::int64_t v : t->integers()) result.push_back(static_cast<float>(v));
  return result;
}

std::optional<Ints> Operator::list(std::string_view name) const {
  const auto* found = node.attribute<Ints>(name);
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::optional<Ints> Operator::list_or_input(std::string_view name, std::size_t input) const {
  if (has(input)) return require_integers(input, std::string(name).c_str());
  return list(name);
}

void Operator::out(std::size_t i, TF_Output x) {
  if (wants(i)) translation_.values[node.outputs[i]].onnx = x;
}

void Operator::out_last(std::size_t i, TF_Output x) {
  if (wants(i)) translation_.values[node.outputs[i]].last = x;
}

void Operator::alias(std::size_t i, std::size_t input) {
  if (!wants(i)) return;
  const Value copy = value(input);
  translation_.values[node.outputs[i]] = copy;
}

DataType Operator::out_type(std::size_t i) const {
  const onnx_graph::TensorType* t = translation_.inference.type(node.outputs.at(i));
  const std::optional<DataType> found = t != nullptr ? data_type(t->element) : std::nullopt;
  if (!found) fail("the type of its output is not known");
  return *found;
}

const char* Operator::data_format(std::size_t spatial) const {
  if (spatial == 3) return channels_last() ? "NDHWC" : "NCDHW";
  return channels_last() ? "NHWC" : "NCHW";
}

Ints Operator::spread(const Ints& of_space, std::int64_t elsewhere) const {
  Ints result = {elsewhere};
  if (!channels_last()) result.push_back(elsewhere);
  result.insert(result.end(), of_space.begin(), of_space.end());
  if (channels_last()) result.push_back(elsewhere);
  return result;
}

std::int64_t Operator::place(std::int64_t axis, std::size_t rank, bool last) {
  if (!last || axis == 0) return axis;
  return axis == 1 ? static_cast<std::int64_t>(rank) - 1 : axis - 1;
}

Operator::Operands Operator::operands(std::span<const std::size_t> inputs) {
  std::size_t wanted = 0;  // axes
  for (const std::size_t i : inputs) {
    if (is_last(i)) wanted = std::max(wanted, rank(i));
  }
  bool last = wanted >= 3;
  for (const std::size_t i : inputs) {
    if (!last) break;
    const std::optional<Ints> dims = shape(i);
    const bool scalar = dims && dims->empty();
    const bool same = dims && dims->size() == wanted;
    const bool extended = dims && constant(i) != nullptr && dims->size() < wanted;
    last = scalar || same || extended;
  }
  Operands result{{}, last};
  for (const std::size_t i : inputs) {
    const bool lower = last && rank(i) < wanted;
    if (!last || (lower && rank(i) == 0)) {
      result.values.push_back(in(i));
    } else {
      result.values.push_back(lower ? constant_last(i, wanted) : in_last(i));
    }
  }
  return result;
}

Operator::Operands Operator::all_operands() {
  std::vector<std::size_t> inputs(count());
  std::iota(inputs.begin(), inputs.end(), std::size_t{0});
  return operands(inputs);
}

Operator::Operands Operator::operand(std::size_t i) { return {{is_last(i) ? in_last(i) : in(i)}, is_last(i)}; }

std::int64_t Operator::axis(std::int64_t given, std::size_t rank) const {
  const auto n = static_cast<std::int64_t>(rank);
  if (given < -n || given >= n) fail("axis " + std::to_string(given) + " of a value with " + std::to_string(n));
  return given < 0 ? given + n : given;
}

TranslateFunction find_operator(std::string_view domain, std::string_view name) {
  for (const OperatorRow& row : operator_table()) {
    if (row.domain == domain && row.name == name) return row.translate;
  }
  return nullptr;
}

}  // namespace assay::tensorflow
