#include "model/zoo/graph.hpp"

#include "onnx_graph/onnx.pb.h"

namespace assay::model {
namespace {

void set_type(onnx::ValueInfoProto& value, const std::string& name, DType dtype, const Axes& axes) {
  value.set_name(name);
  auto* tensor = value.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(static_cast<std::int32_t>(dtype));
  auto* shape = tensor->mutable_shape();
  for (const Axis& axis : axes) {
    auto* dim = shape->add_dim();
    if (const auto* length = std::get_if<std::int64_t>(&axis)) {
      dim->set_dim_value(*length);
    } else {
      dim->set_dim_param(std::get<std::string>(axis));
    }
  }
}

void set_attribute(onnx::AttributeProto& attribute, const Attribute& from) {
  attribute.set_name(from.first);
  if (const auto* integer = std::get_if<std::int64_t>(&from.second)) {
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(*integer);
  } else if (const auto* real = std::get_if<float>(&from.second)) {
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(*real);
  } else {
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t i : std::get<std::vector<std::int64_t>>(from.second)) attribute.add_ints(i);
  }
}

}  // namespace

Graph::Graph(const std::string& name) : proto_(std::make_unique<onnx::GraphProto>()) { proto_->set_name(name); }
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

std::string Graph::input(const std::string& name, DType dtype, const Axes& axes) {
  set_type(*proto_->add_input(), name, dtype, axes);
  return name;
}

void Graph::output(const std::string& name, DType dtype, const Axes& axes) {
  set_type(*proto_->add_output(), name, dtype, axes);
}

std::string Graph::node(const std::string& op_type, const std::string& name, const std::vector<std::string>& inputs,
                        const std::vector<Attribute>& attributes) {
  auto* node = proto_->add_node();
  node->set_op_type(op_type);
  node->set_name(name);
  for (const std::string& i : inputs) node->add_input(i);
  node->add_output(name);
  for (const Attribute& a : attributes) set_attribute(*node->add_attribute(), a);
  return name;
}

std::string Graph::initializer(Initializer tensor) {
  initializers_.push_back(std::move(tensor));
  return initializers_.back().name;
}

std::int64_t Graph::parameters() const {
  std::int64_t count = 0;
  for (const Initializer& tensor : initializers_) {
    if (tensor.learned) count += element_count(tensor.dims);
  }
  return count;
}

}  // namespace assay::model
