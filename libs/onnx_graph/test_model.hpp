#pragma once
// Small models written in a line or two, for tests.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "onnx_graph/graph.hpp"
#include "onnx_graph/onnx.pb.h"
#include "onnx_graph/reader.hpp"

namespace assay::onnx_graph {

using TestValue = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>>;
using TestAttributes = std::vector<std::pair<std::string, TestValue>>;

class TestModel {
 public:
  explicit TestModel(std::int64_t opset = 17) {
    proto.set_ir_version(8);
    proto.set_producer_name("test");
    auto* import = proto.add_opset_import();
    import->set_domain("");
    import->set_version(opset);
    proto.mutable_graph()->set_name("test");
  }
  /// -1: an axis that is free, called "N".
  TestModel& input(const std::string& name, const std::vector<std::int64_t>& shape,
                   std::int32_t type = onnx::TensorProto::FLOAT) {
    declare(proto.mutable_graph()->add_input(), name, shape, type);
    return *this;
  }
  TestModel& output(const std::string& name, const std::vector<std::int64_t>& shape,
                    std::int32_t type = onnx::TensorProto::FLOAT) {
    declare(proto.mutable_graph()->add_output(), name, shape, type);
    return *this;
  }
  /// An output of which nothing is declared but the name.
  TestModel& output(const std::string& name) {
    auto* value = proto.mutable_graph()->add_output();
    value->set_name(name);
    value->mutable_type()->mutable_tensor_type();
    return *this;
  }
  /// Zeros.
  TestModel& weights(const std::string& name, const std::vector<std::int64_t>& dims) {
    std::int64_t count = 1;
    for (const std::int64_t d : dims) count *= d;
    return floats(name, dims, std::vector<float>(static_cast<std::size_t>(count)));
  }
  TestModel& floats(const std::string& name, const std::vector<std::int64_t>& dims, const std::vector<float>& values) {
    auto* t = tensor(name, dims, onnx::TensorProto::FLOAT);
    t->set_raw_data(values.data(), values.size() * sizeof(float));
    return *this;
  }
  TestModel& integers(const std::string& name, const std::vector<std::int64_t>& values) {
    auto* t = tensor(name, {static_cast<std::int64_t>(values.size())}, onnx::TensorProto::INT64);
    for (const std::int64_t v : values) t->add_int64_data(v);
    return *this;
  }
  TestModel& integer(const std::string& name, std::int64_t value) {
    tensor(name, {}, onnx::TensorProto::INT64)->add_int64_data(value);
    return *this;
  }
  onnx::TensorProto* tensor(const std::string& name, const std::vector<std::int64_t>& dims, std::int32_t type) {
    auto* t = proto.mutable_graph()->add_initializer();
    t->set_name(name);
    t->set_data_type(type);
    for (const std::int64_t d : dims) t->add_dims(d);
    return t;
  }
  TestModel& node(const std::string& op, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs, const TestAttributes& attributes = {}) {
    auto* n = proto.mutable_graph()->add_node();
    n->set_op_type(op);
    for (const std::string& i : inputs) n->add_input(i);
    for (const std::string& o : outputs) n->add_output(o);
    for (const auto& [name, value] : attributes) set(*n->add_attribute(), name, value);
    return *this;
  }
  [[nodiscard]] std::string bytes() const { return proto.SerializeAsString(); }

  onnx::ModelProto proto;

 private:
  static void declare(onnx::ValueInfoProto* value, const std::string& name, const std::vector<std::int64_t>& shape,
                      std::int32_t type) {
    value->set_name(name);
    auto* t = value->mutable_type()->mutable_tensor_type();
    t->set_elem_type(type);
    t->mutable_shape();
    for (const std::int64_t d : shape) {
      auto* dim = t->mutable_shape()->add_dim();
      d < 0 ? dim->set_dim_param("N") : dim->set_dim_value(d);
    }
  }
  static void set(onnx::AttributeProto& a, const std::string& name, const TestValue& value) {
    a.set_name(name);
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
      a.set_type(onnx::AttributeProto::INT);
      a.set_i(*i);
    } else if (const auto* f = std::get_if<float>(&value)) {
      a.set_type(onnx::AttributeProto::FLOAT);
      a.set_f(*f);
    } else if (const auto* s = std::get_if<std::string>(&value)) {
      a.set_type(onnx::AttributeProto::STRING);
      a.set_s(*s);
    } else if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&value)) {
      a.set_type(onnx::AttributeProto::INTS);
      for (const std::int64_t v : *ints) a.add_ints(v);
    } else {
      a.set_type(onnx::AttributeProto::FLOATS);
      for (const float v : std::get<std::vector<float>>(value)) a.add_floats(v);
    }
  }
};

/// The smallest whole model: y = relu(x).
inline TestModel relu() {
  TestModel m;
  m.input("x", {-1, 4}).node("Relu", {"x"}, {"y"}).output("y", {-1, 4});
  return m;
}

/// The same beside a tensor "w" of 2 x 2 floats, without data, that `change` completes or spoils.
inline TestModel with_tensor(const std::function<void(onnx::TensorProto&)>& change) {
  TestModel m = relu();
  change(*m.tensor("w", {2, 2}, onnx::TensorProto::FLOAT));
  return m;
}

inline std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

/// The model, read; what is read refers to `bytes`.
inline Model parse_kept(const TestModel& m, std::string& bytes) {
  bytes = m.bytes();
  return parse(as_bytes(bytes));
}

}  // namespace assay::onnx_graph
