#include "graph_builder.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstring>

namespace assay::tensorflow {
namespace {

template <class T>
std::vector<std::byte> bytes_of_one(double value) {
  const T converted = static_cast<T>(value);
  std::vector<std::byte> bytes(sizeof converted);
  std::memcpy(bytes.data(), &converted, sizeof converted);
  return bytes;
}

/// To the nearest, of two equally near ones the even.
std::uint16_t bfloat16_bits(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16U) | 1U);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}

constexpr std::size_t kLongestScope = 100;

}  // namespace

std::size_t element_bytes(DataType type) {
  switch (type) {
    case DataType::kUint8:
    case DataType::kInt8:
    case DataType::kBool:
      return 1;
    case DataType::kInt16:
    case DataType::kUint16:
    case DataType::kHalf:
    case DataType::kBfloat16:
      return 2;
    case DataType::kFloat:
    case DataType::kInt32:
    case DataType::kUint32:
      return 4;
    case DataType::kDouble:
    case DataType::kInt64:
    case DataType::kUint64:
      return 8;
    default:
      return 0;
  }
}

bool is_float(DataType type) {
  return type == DataType::kFloat || type == DataType::kDouble || type == DataType::kHalf ||
         type == DataType::kBfloat16;
}

OperationBuilder::OperationBuilder(const GraphBuilder& graph, const char* type, std::string name)
    : graph_(graph),
      name_(std::move(name)),
      description_(graph.runtime().api.new_operation(graph.graph(), type, name_.c_str())) {}

OperationBuilder& OperationBuilder::in(TF_Output input) {
  graph_.runtime().api.add_input(description_, input);
  return *this;
}

OperationBuilder& OperationBuilder::in_list(std::span<const TF_Output> inputs) {
  graph_.runtime().api.add_input_list(description_, inputs.data(), static_cast<int>(inputs.size()));
  return *this;
}

OperationBuilder& OperationBuilder::type(const char* attribute, DataType value) {
  graph_.runtime().api.set_attr_type(description_, attribute, value);
  return *this;
}

OperationBuilder& OperationBuilder::integer(const char* attribute, std::int64_t value) {
  graph_.runtime().api.set_attr_int(description_, attribute, value);
  return *this;
}

OperationBuilder& OperationBuilder::integers(const char* attribute, const Ints& values) {
  graph_.runtime().api.set_attr_int_list(description_, attribute, values.data(), static_cast<int>(values.size()));
  return *this;
}

OperationBuilder& OperationBuilder::real(const char* attribute, float value) {
  graph_.runtime().api.set_attr_float(description_, attribute, value);
  return *this;
}

OperationBuilder& OperationBuilder::flag(const char* attribute, bool value) {
  graph_.runtime().api.set_attr_bool(description_, attribute, value ? 1 : 0);
  return *this;
}

OperationBuilder& OperationBuilder::text(const char* attribute, std::string_view value) {
  graph_.runtime().api.set_attr_string(description_, attribute, value.data(), value.size());
  return *this;
}

OperationBuilder& OperationBuilder::shape(const char* attribute, const Ints& dims) {
  graph_.runtime().api.set_attr_shape(description_, attribute, dims.data(), static_cast<int>(dims.size()));
  return *this;
}

OperationBuilder& OperationBuilder::tensor(const char* attribute, TF_Tensor* value) {
  const Status status(graph_.runtime());
  graph_.runtime().api.set_attr_tensor(description_, attribute, value, status.get());
  status.check("setting " + std::string(attribute) + " of " + name_);
  return *this;
}

TF_Output OperationBuilder::done(int output) {
  const Status status(graph_.runtime());
  TF_Operation* made = graph_.runtime().api.finish_operation(description_, status.get());
  status.check("adding the operation " + name_, true);
  return {made, output};
}

void GraphBuilder::set_scope(const std::string& scope) {
  scope_.clear();
  for (const char c : scope.substr(0, kLongestScope)) {
    const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' || c == '/';
    scope_ += fits ? c : '_';
  }
  if (scope_.empty() || std::isalnum(static_cast<unsigned char>(scope_[0])) == 0) scope_ = "node" + scope_;
}

OperationBuilder GraphBuilder::op(const char* type) {
  return {*this, type, scope_ + "/" + type + "_" + std::to_string(next_++)};
}

TF_Output GraphBuilder::placeholder(const std::string& name, DataType type, const std::optional<Ints>& shape) {
  OperationBuilder builder = named("Placeholder", name);
  builder.type("dtype", type);
  if (shape) builder.shape("shape", *shape);
  return builder.done();
}

TF_Output GraphBuilder::constant(DataType type, const Ints& dims, std::span<const std::byte> bytes) {
  const Api& api = runtime_.api;
  const Handle<TF_Tensor> tensor(api.allocate_tensor(type, dims.data(), static_cast<int>(dims.size()), bytes.size()),
                                 api.delete_tensor);
  if (tensor == nullptr) throw std::bad_alloc();
  if (!bytes.empty()) std::memcpy(api.tensor_data(tensor.get()), bytes.data(), bytes.size());
  return op("Const").tensor("value", tensor.get()).type("dtype", type).done();
}

TF_Output GraphBuilder::ints(const Ints& values, DataType type, bool scalar) {
  const Ints dims = scalar ? Ints{} : Ints{static_cast<std::int64_t>(values.size())};
  if (type == DataType::kInt64) return constant(type, dims, std::as_bytes(std::span(values)));
  if (type == DataType::kBool) {
    std::vector<std::uint8_t> narrow;
    for (const std::int64_t v : values) narrow.push_back(v != 0 ? 1 : 0);
    return constant(type, dims, std::as_bytes(std::span(narrow)));
  }
  std::vector<std::int32_t> narrow;
  for (const std::int64_t v : values) {
    narrow.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(v, INT32_MIN, INT32_MAX)));
  }
  return constant(DataType::kInt32, dims, std::as_bytes(std::span(narrow)));
}

TF_Output GraphBuilder::paddings(const Ints& pairs) {
  return constant(DataType::kInt64, {static_cast<std::int64_t>(pairs.size()) / 2, 2}, std::as_bytes(std::span(pairs)));
}

TF_Output GraphBuilder::scalar(DataType type, double value) {
  std::vector<std::byte> bytes;
  switch (type) {
    case DataType::kFloat:
      bytes = bytes_of_one<float>(value);
      break;
    case DataType::kDouble:
      bytes = bytes_of_one<double>(value);
      break;
    case DataType::kInt32:
      bytes = bytes_of_one<std::int32_t>(value);
      break;
    case DataType::kInt64:
      bytes = bytes_of_one<std::int64_t>(value);
      break;
    case DataType::kUint8:
    case DataType::kBool:
      bytes = bytes_of_one<std::uint8_t>(value);
      break;
    case DataType::kInt8:
      bytes = bytes_of_one<std::int8_t>(value);
      break;
    case DataType::kInt16:
      bytes = bytes_of_one<std::int16_t>(value);
      break;
    case DataType::kUint16:
      bytes = bytes_of_one<std::uint16_t>(value);
      break;
    case DataType::kUint32:
      bytes = bytes_of_one<std::uint32_t>(value);
      break;
    case DataType::kUint64:
      bytes = bytes_of_one<std::uint64_t>(value);
      break;
    case DataType::kBfloat16: {
      const std::uint16_t bits = bfloat16_bits(static_cast<float>(value));
      bytes.resize(sizeof bits);
      std::memcpy(bytes.data(), &bits, sizeof bits);
      break;
    }
    default:  // no conversion of our own: TensorFlow's, folded when the graph is optimized
      return cast(scalar(DataType::kFloat, value), type);
  }
  return constant(type, {}, bytes);
}

TF_Output GraphBuilder::floats(const std::vector<float>& values, const Ints& dims) {
  return constant(DataType::kFloat, dims, std::as_bytes(std::span(values)));
}

TF_Output GraphBuilder::cast(TF_Output x, DataType to) {
  return type_of(x) == to ? x : op("Cast").in(x).type("DstT", to).done();
}

TF_Output GraphBuilder::transpose(TF_Output x, const Ints& order) {
  const bool moves = !std::is_sorted(order.begin(), order.end());
  return moves ? binary("Transpose", x, ints(order)) : x;
}

TF_Output GraphBuilder::reduce(const char* type, TF_Output x, const Ints& axes, bool keep_dims) {
  return op(type).in(x).in(ints(axes)).flag("keep_dims", keep_dims).done();
}

std::optional<Ints> GraphBuilder::shape_of(TF_Output x) const {
  const Status status(runtime_);
  const int rank = runtime_.api.graph_get_tensor_num_dims(graph_, x, status.get());
  if (!status.ok() || rank < 0) return std::nullopt;
  Ints dims(static_cast<std::size_t>(rank));
  runtime_.api.graph_get_tensor_shape(graph_, x, dims.data(), rank, status.get());
  if (!status.ok()) return std::nullopt;
  return dims;
}

Ints GraphBuilder::sizes_of(TF_Output x) const {
  std::optional<Ints> shape = shape_of(x);
  if (!shape) throw kit::Failure(ASSAY_UNSUPPORTED, "how many axes a value has is known only when the graph runs");
  return *std::move(shape);
}

}  // namespace assay::tensorflow
