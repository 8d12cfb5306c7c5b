#include "onnx_graph/float16.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <deque>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "assay/error.hpp"
#include "base/half.hpp"
#include "onnx_graph/inference.hpp"
#include "onnx_graph/messages.hpp"
#include "onnx_graph/onnx.pb.h"
#include "onnx_graph/wire.hpp"
#include "onnx_graph/writer.hpp"

namespace assay::onnx_graph {
namespace {

/// All tensors that these take as float32 they take as float16, and their attributes are numbers that no type goes
/// with. Not in it: Resize (its scales are float32 always), RNNs, quantization, and what sums so much that float16 is
/// another result (LRN, LpPool).
constexpr auto kTakeFloat16 = std::to_array<std::string_view>({
    "Abs",
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "ConvTranspose",
    "Div",
    "Dropout",
    "Elu",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Gather",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mul",
    "Neg",
    "PRelu",
    "Pad",
    "Pow",
    "Reciprocal",
    "ReduceMax",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Shape",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
    "Transpose",
    "Unsqueeze",
    "Where",
});

/// Nodes in one message.
constexpr std::size_t kMostNamed = 10;

/// The first in which initializers need not be inputs.
constexpr std::int64_t kLeastIr = 4;

[[noreturn]] void refuse_float16(const std::string& what) {
  throw Error(ErrorCode::kUnsupported, fmt::format("the model is not converted to float16: {}", what));
}

bool is_float32(ElementType type) { return type == ElementType::kFloat32; }

void check_floating(ElementType type, const std::string& name) {
  if (is_floating(type) && !is_float32(type)) {
    refuse_float16(fmt::format("{} is {}, and only float32 is converted", quote(name), to_string(type)));
  }
}

/// One conversion: its names, and the contents that what is written refers to.
class Conversion {
 public:
  explicit Conversion(const Model& model) : model_(model), types_(infer(model)) {}

  std::string bytes() {
    check();
    name_ends();
    write_graph();
    return whole();
  }

 private:
  using NodeProto = onnx::NodeProto;

  void check() const {
    if (!model_.functions.empty()) refuse_float16("it has functions of its own");
    if (model_.has_sparse_initializers) refuse_float16("it has sparse initializers");
    std::vector<std::string> unknown;
    for (const Node& node : model_.graph.nodes) {
      if (!node.domain.empty()) refuse_float16(fmt::format("{} is of the domain {}", label(node), quote(node.domain)));
      if (!takes_float16(node.op_type)) unknown.push_back(label(node));
    }
    if (!unknown.empty()) {
      const std::size_t more = unknown.size() - std::min(unknown.size(), kMostNamed);
      unknown.resize(unknown.size() - more);
      refuse_float16(fmt::format("of these nodes it is not known whether they mean the same in float16: {}{}",
                                 fmt::join(unknown, ", "), more > 0 ? fmt::format(" and {} more", more) : ""));
    }
    for (const Tensor& t : model_.graph.initializers) check_floating(t.type, t.name);
    for (const ValueInfo& v : model_.graph.inputs) check_floating(v.type.element, v.name);
  }

  /// Inputs and outputs keep their names and types; within the graph they have others.
  void name_ends() {
    std::unordered_set<std::string> taken;
    for (const Tensor& t : model_.graph.initializers) initializers_.insert(t.name);
    for (const Node& node : model_.graph.nodes) {
      taken.insert(node.outputs.begin(), node.outputs.end());
      used_.insert(node.inputs.begin(), node.inputs.end());
    }
    for (const ValueInfo& v : model_.graph.inputs) taken.insert(v.name);
    taken.insert(initializers_.begin(), initializers_.end());
    const auto new_name = [&](std::string name) {
      while (!taken.insert(name).second) name += "#";
      return name;
    };
    const auto rename = [&](const std::string& name) { inside_.emplace(name, new_name(name + "/float16")); };
    for (const ValueInfo& v : model_.graph.inputs) {
      if (is_input(v) && is_float32(v.type.element)) rename(v.name);
    }
    for (const ValueInfo& v : model_.graph.outputs) {
      if (!inside_.contains(v.name) && is_float32(type_of(v))) rename(v.name);
    }
    for (const Node& node : model_.graph.nodes) {
      const bool of_probabilities = node.op_type == "Softmax" || node.op_type == "LogSoftmax";
      if (!of_probabilities || node.inputs.size() != 1 || node.outputs.size() != 1) continue;
      const std::string& output = node.outputs[0];
      if (inside_.contains(output)) wide_.emplace(output, new_name(output + "/float32"));
    }
  }

  /// Before IR version 4 weights are declared as inputs, too.
  [[nodiscard]] bool is_input(const ValueInfo& v) const { return !initializers_.contains(v.name); }

  [[nodiscard]] ElementType type_of(const ValueInfo& output) const {
    const TensorType* inferred = types_.type(output.name);
    const ElementType type =
        inferred != nullptr && inferred->element != ElementType::kUndefined ? inferred->element : output.type.element;
    if (type == ElementType::kUndefined) refuse_float16(fmt::format("the type of {} is not known", quote(output.name)));
    return type;
  }

  [[nodiscard]] std::string inside(const std::string& name) const {
    const auto it = inside_.find(name);
    return it == inside_.end() ? name : it->second;
  }

  void write_graph() {
    const Graph& graph = model_.graph;
    for (const ValueInfo& v : graph.inputs) {
      if (!is_input(v)) continue;
      graph_.message(onnx::GraphProto::kInputFieldNumber, value_message(v));
      if (inside_.contains(v.name)) cast(v.name, inside(v.name), ElementType::kFloat16);
    }
    for (const Tensor& t : graph.initializers) {
      graph_.message(onnx::GraphProto::kInitializerFieldNumber, tensor_message(inside(t.name), narrowed(t)));
    }
    for (const Node& node : graph.nodes) write(node);
    for (ValueInfo v : graph.outputs) {
      v.type.element = type_of(v);
      graph_.message(onnx::GraphProto::kOutputFieldNumber, value_message(v));
      const bool is_also_input = std::any_of(graph.inputs.begin(), graph.inputs.end(),
                                             [&](const ValueInfo& i) { return i.name == v.name && is_input(i); });
      if (inside_.contains(v.name) && !is_also_input && !wide_.contains(v.name))
        cast(inside(v.name), v.name, ElementType::kFloat32);
    }
    graph_.text(onnx::GraphProto::kNameFieldNumber, graph.name.empty() ? "float16" : graph.name);
  }

  void cast(const std::string& from, const std::string& to, ElementType type) {
    MessageWriter node;
    node.text(NodeProto::kInputFieldNumber, from).text(NodeProto::kOutputFieldNumber, to);
    node.text(NodeProto::kNameFieldNumber, "cast " + from).text(NodeProto::kOpTypeFieldNumber, "Cast");
    node.message(NodeProto::kAttributeFieldNumber, type_attribute("to", type));
    graph_.message(onnx::GraphProto::kNodeFieldNumber, node);
  }

  static MessageWriter type_attribute(const std::string& name, ElementType type) {
    using Proto = onnx::AttributeProto;
    MessageWriter m;
    m.text(Proto::kNameFieldNumber, name).integer(Proto::kIFieldNumber, static_cast<std::int64_t>(type));
    m.integer(Proto::kTypeFieldNumber, Proto::INT);
    return m;
  }

  void write(const Node& node) {
    const auto wide = node.outputs.empty() ? wide_.end() : wide_.find(node.outputs[0]);
    if (wide == wide_.end()) {
      std::vector<std::string> inputs, outputs;
      for (const std::string& input : node.inputs) inputs.push_back(inside(input));
      for (const std::string& output : node.outputs) outputs.push_back(inside(output));
      write(node, inputs, outputs);
      return;
    }
    const std::string& output = node.outputs[0];
    cast(inside(node.inputs[0]), wide->second, ElementType::kFloat32);
    write(node, {wide->second}, {output});
    if (used_.contains(output)) cast(output, inside(output), ElementType::kFloat16);
  }

  void write(const Node& node, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
    MessageWriter m;
    for (const std::string& input : inputs) m.text(NodeProto::kInputFieldNumber, input);
    for (const std::string& output : outputs) m.text(NodeProto::kOutputFieldNumber, output);
    if (!node.name.empty()) m.text(NodeProto::kNameFieldNumber, node.name);
    m.text(NodeProto::kOpTypeFieldNumber, node.op_type);
    for (const Attribute& a : node.attributes) write(node, a, m);
    graph_.message(onnx::GraphProto::kNodeFieldNumber, m);
  }

  void write(const Node& node, const Attribute& a, MessageWriter& to) {
    using Proto = onnx::AttributeProto;
    if (node.op_type == "Cast" && a.name == "to") {
      const auto* type = std::get_if<std::int64_t>(&a.value);
      const auto wanted = type != nullptr ? static_cast<ElementType>(*type) : ElementType::kUndefined;
      check_floating(wanted, label(node));
      if (is_float32(wanted)) {
        to.message(NodeProto::kAttributeFieldNumber, type_attribute("to", ElementType::kFloat16));
        return;
      }
    }
    const auto* tensor = std::get_if<Tensor>(&a.value);
    if (tensor != nullptr) {
      check_floating(tensor->type, label(node));
      MessageWriter m;
      m.text(Proto::kNameFieldNumber, a.name).integer(Proto::kTypeFieldNumber, Proto::TENSOR);
      m.message(Proto::kTFieldNumber, tensor_message("", narrowed(*tensor)));
      to.message(NodeProto::kAttributeFieldNumber, m);
      return;
    }
    const bool as_number = node.op_type == "Constant" && a.name != "value_int" && a.name != "value_ints";
    if (as_number || std::holds_alternative<std::shared_ptr<const Graph>>(a.value)) {
      refuse_float16(fmt::format("{} has {}, which is not converted", label(node), quote(a.name)));
    }
    to.view(NodeProto::kAttributeFieldNumber, a.bytes);
  }

  Tensor narrowed(const Tensor& t) {
    if (!is_float32(t.type)) return t;
    const std::vector<float> wide = t.floats();
    std::vector<std::byte>& contents = contents_.emplace_back(wide.size() * sizeof(std::uint16_t));
    for (std::size_t i = 0; i < wide.size(); ++i) {
      const std::uint16_t half = float_to_half(wide[i]);
      if (std::isfinite(wide[i]) && !std::isfinite(half_to_float(half))) {
        refuse_float16(fmt::format("{} holds {}, and float16 ends at 65504", quote(t.name), wide[i]));
      }
      std::copy_n(std::as_bytes(std::span(&half, 1)).data(), sizeof half, &contents[i * sizeof half]);
    }
    Tensor narrow = t;
    narrow.type = ElementType::kFloat16;
    narrow.encoding = Tensor::Encoding::kRaw;
    narrow.external = false;
    narrow.chunks.clear();
    if (!contents.empty()) narrow.chunks.emplace_back(contents);
    return narrow;
  }

  std::string whole() const {
    MessageWriter model;
    model.integer(onnx::ModelProto::kIrVersionFieldNumber, std::max(model_.ir_version, kLeastIr));
    model.text(onnx::ModelProto::kProducerNameFieldNumber, "assay");
    for (const auto& [domain, version] : model_.opsets) {
      MessageWriter m;
      m.text(onnx::OperatorSetIdProto::kDomainFieldNumber, domain);
      m.integer(onnx::OperatorSetIdProto::kVersionFieldNumber, version);
      model.message(onnx::ModelProto::kOpsetImportFieldNumber, m);
    }
    model.message(onnx::ModelProto::kGraphFieldNumber, graph_);
    if (model.size() > INT_MAX) {
      refuse_float16(fmt::format("it would have {} bytes, and an ONNX file has at most {}", model.size(), INT_MAX));
    }
    return model.bytes();
  }

  const Model& model_;
  const Inference types_;
  std::unordered_set<std::string> initializers_, used_;
  std::unordered_map<std::string, std::string> inside_;  // of an input or output in float32: its name in the graph
  std::unordered_map<std::string, std::string> wide_;    // of an output that is probabilities: what these are made of
  std::deque<std::vector<std::byte>> contents_;
  MessageWriter graph_;
};

}  // namespace

bool takes_float16(const std::string& op_type) {
  return std::find(kTakeFloat16.begin(), kTakeFloat16.end(), op_type) != kTakeFloat16.end();
}

std::string in_float16(const Model& model) { return Conversion(model).bytes(); }

}  // namespace assay::onnx_graph
