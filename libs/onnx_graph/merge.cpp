#include "onnx_graph/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <climits>

#include "assay/error.hpp"
#include "base/sha256.hpp"
#include "onnx_graph/messages.hpp"
#include "onnx_graph/onnx.pb.h"
#include "onnx_graph/wire.hpp"
#include "onnx_graph/writer.hpp"

namespace assay::onnx_graph {
namespace {

/// The first in which initializers need not be inputs.
constexpr std::int64_t kLeastIrVersion = 4;
/// From here on Dropout is an inference's unless its third input says otherwise.
constexpr std::int64_t kDropoutByInput = 7;

std::string_view text_of_bytes(ByteSpan bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

[[noreturn]] void refuse_part(const Part& part, const std::string& what) {
  throw Error(ErrorCode::kUnsupported,
              fmt::format("'{}' {}: it cannot be made a part of one graph with others", part.name, what));
}

bool holds_graph(const Attribute& a) {
  return std::holds_alternative<std::shared_ptr<const Graph>>(a.value) ||
         std::holds_alternative<std::vector<std::shared_ptr<const Graph>>>(a.value);
}

/// Draws other numbers each time: two of them are never one.
bool is_random(const Node& node, std::int64_t opset) {
  constexpr std::array kRandom = {"RandomNormal",      "RandomNormalLike", "RandomUniform",
                                  "RandomUniformLike", "Bernoulli",        "Multinomial"};
  constexpr std::size_t kTraining = 2;
  if (node.op_type == "Dropout") return opset < kDropoutByInput || node.has_input(kTraining);
  return std::find(kRandom.begin(), kRandom.end(), node.op_type) != kRandom.end();
}

/// The attribute as it is; where its tensor lies in a file of its own, with that in it.
std::string attribute_message(const Part& part, const Node& node, const Attribute& a) {
  const auto* many = std::get_if<std::vector<Tensor>>(&a.value);
  if (many != nullptr && std::any_of(many->begin(), many->end(), [](const Tensor& t) { return t.external; })) {
    refuse_part(part, label(node) + " has a list of tensors in files of their own");
  }
  const auto* tensor = std::get_if<Tensor>(&a.value);
  if (tensor == nullptr || !tensor->external) return std::string(text_of_bytes(a.bytes));
  using Proto = onnx::AttributeProto;
  MessageWriter m;
  m.text(Proto::kNameFieldNumber, a.name).integer(Proto::kTypeFieldNumber, Proto::TENSOR);
  m.message(Proto::kTFieldNumber, tensor_message("", *tensor));
  return m.bytes();
}

/// Sizes first, so that no two lists give the same.
std::string digest_of(const std::vector<const std::vector<std::string>*>& lists) {
  Sha256 all;
  for (const auto* list : lists) {
    all.update(fmt::format("{}:", list->size()));
    for (const std::string& s : *list) {
      all.update(fmt::format("{}:", s.size()));
      all.update(s);
    }
  }
  return all.finish();
}

/// Which of the outputs there are.
std::vector<std::string> pattern_of(const std::vector<std::string>& outputs) {
  std::vector<std::string> pattern;
  for (const std::string& o : outputs) pattern.emplace_back(o.empty() ? "" : "+");
  return pattern;
}

std::size_t hash_of_contents(const Tensor& t) {
  std::size_t hash = static_cast<std::size_t>(t.elements);
  constexpr std::size_t kFactor = 31;
  for (const ByteSpan chunk : t.chunks) hash = hash * kFactor + std::hash<std::string_view>()(text_of_bytes(chunk));
  return hash;
}

/// As stored: the same numbers in another encoding are others.
bool same_contents(const Tensor& a, const Tensor& b) {
  return a.type == b.type && a.dims == b.dims && a.encoding == b.encoding &&
         std::equal(a.chunks.begin(), a.chunks.end(), b.chunks.begin(), b.chunks.end(),
                    [](ByteSpan x, ByteSpan y) { return text_of_bytes(x) == text_of_bytes(y); });
}

/// The name, or with a number where there is one already.
std::string fresh(const std::string& wanted, std::unordered_set<std::string>& taken) {
  std::string name = wanted;
  for (int i = 2; !taken.insert(name).second; ++i) name = fmt::format("{}#{}", wanted, i);
  return name;
}

}  // namespace

Merge::Merge(std::vector<ValueInfo> inputs, std::vector<ValueInfo> outputs)
    : inputs_(std::move(inputs)), outputs_(std::move(outputs)), ir_version_(kLeastIrVersion) {
  for (const std::vector<ValueInfo>* all : {&inputs_, &outputs_}) {
    for (const ValueInfo& value : *all) {
      if (taken_.insert(value.name).second) continue;
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("two inputs or outputs of one graph would be called {}: rename one", quote(value.name)));
    }
  }
}

std::vector<std::string> Merge::add(const Part& part) {
  const Graph& graph = part.model->graph;
  if (!part.model->functions.empty()) refuse_part(part, "has functions of its own");
  if (part.model->has_sparse_initializers) refuse_part(part, "has sparse initializers");
  take_versions(part);
  std::unordered_map<std::string, std::string> names = {{"", ""}};
  for (const Tensor& t : graph.initializers) {
    if (t.encoding == Tensor::Encoding::kStrings) refuse_part(part, fmt::format("has strings in {}", quote(t.name)));
    names[t.name] = store(part.name + "/" + t.name, t);
  }
  for (const auto& [own, merged] : part.inputs) names[own] = merged;
  for (const Node& node : graph.nodes) {
    Written w{node.name.empty() ? "" : part.name + "/" + node.name, node.op_type, node.domain, {}, {}, {}};
    for (const Attribute& a : node.attributes) {
      if (holds_graph(a)) refuse_part(part, fmt::format("has a subgraph in {}", label(node)));
      w.attributes.push_back(attribute_message(part, node, a));
    }
    for (const std::string& input : node.inputs) w.inputs.push_back(names.at(input));
    for (const std::string& output : node.outputs) w.outputs.push_back(output.empty() ? "" : part.name + "/" + output);
    const std::vector<std::string> outputs = write(std::move(w), !is_random(node, opset()));
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (!node.outputs[o].empty()) names[node.outputs[o]] = outputs[o];
    }
  }
  std::vector<std::string> results;
  for (const ValueInfo& output : graph.outputs) results.push_back(names.at(output.name));
  return results;
}

void Merge::take_versions(const Part& part) {
  ir_version_ = std::max(ir_version_, part.model->ir_version);
  for (const auto& [domain, version] : part.model->opsets) {
    const auto [known, first] = opsets_.try_emplace(domain, version, part.name);
    if (first || known->second.first == version) continue;
    throw Error(ErrorCode::kUnsupported,
                fmt::format("'{}' uses version {} of the operators {}, '{}' version {}: one graph has one version; "
                            "convert one of the models (onnx.version_converter)",
                            known->second.second, known->second.first, quote(domain.empty() ? "ai.onnx" : domain),
                            part.name, version));
  }
}

std::string Merge::store(const std::string& wanted, const Tensor& tensor) {
  const std::size_t hash = hash_of_contents(tensor);
  const auto [begin, end] = stored_by_content_.equal_range(hash);
  const auto same =
      std::find_if(begin, end, [&](const auto& entry) { return same_contents(stored_[entry.second].tensor, tensor); });
  if (same != end) {
    ++counts_.shared_initializers;
    return stored_[same->second].name;
  }
  stored_by_content_.emplace(hash, stored_.size());
  stored_.push_back({fresh(wanted, taken_), tensor});
  ++counts_.initializers;
  return stored_.back().name;
}

std::vector<std::string> Merge::write(Written node, bool may_share) {
  if (may_share) {
    std::vector<std::string> attributes = node.attributes;
    std::sort(attributes.begin(), attributes.end());  // their order means nothing
    const std::vector<std::string> kind = {node.op_type, node.domain};
    const std::vector<std::string> pattern = pattern_of(node.outputs);
    const auto [known, first] =
        written_by_meaning_.try_emplace(digest_of({&kind, &attributes, &node.inputs, &pattern}), written_.size());
    if (!first) {
      ++counts_.shared_nodes;
      return written_[known->second].outputs;
    }
  }
  for (std::string& output : node.outputs) {
    if (!output.empty()) output = fresh(output, taken_);
  }
  if (!node.name.empty()) node.name = fresh(node.name, taken_by_nodes_);
  ++counts_.nodes;
  return written_.emplace_back(std::move(node)).outputs;
}

std::string Merge::node(const std::string& op_type, const std::vector<std::string>& inputs,
                        const IntegerAttributes& attributes) {
  using Proto = onnx::AttributeProto;
  Written w{"merged/" + op_type, op_type, "", inputs, {"merged/" + op_type}, {}};
  for (const auto& [name, value] : attributes) {
    MessageWriter m;
    m.text(Proto::kNameFieldNumber, name);
    if (const auto* one = std::get_if<std::int64_t>(&value)) {
      m.integer(Proto::kIFieldNumber, *one).integer(Proto::kTypeFieldNumber, Proto::INT);
    } else {
      for (const std::int64_t each : std::get<1>(value)) m.integer(Proto::kIntsFieldNumber, each);
      m.integer(Proto::kTypeFieldNumber, Proto::INTS);
    }
    w.attributes.push_back(m.bytes());
  }
  return write(std::move(w), true).front();
}

std::string Merge::constant(ElementType type, const std::vector<std::int64_t>& dims, std::vector<std::byte> contents) {
  Tensor t;
  t.type = type;
  t.dims = dims;
  for (const std::int64_t d : dims) t.elements *= d;
  t.chunks = {own_contents_.emplace_back(std::move(contents))};
  return store("merged/constant", t);
}

void Merge::output(std::size_t number, const std::string& value) {
  Written w{fresh("merged/Identity", taken_by_nodes_), "Identity", "", {value}, {outputs_.at(number).name}, {}};
  written_.push_back(std::move(w));  // not by `write`: it would be another's
  ++counts_.nodes;
}

std::int64_t Merge::opset() const {
  const auto found = opsets_.find("");
  return found == opsets_.end() ? 0 : found->second.first;
}

std::string Merge::bytes() const {
  using Proto = onnx::NodeProto;
  MessageWriter graph;
  for (const Written& w : written_) {
    MessageWriter m;
    for (const std::string& input : w.inputs) m.text(Proto::kInputFieldNumber, input);
    for (const std::string& output : w.outputs) m.text(Proto::kOutputFieldNumber, output);
    if (!w.name.empty()) m.text(Proto::kNameFieldNumber, w.name);
    m.text(Proto::kOpTypeFieldNumber, w.op_type);
    for (const std::string& a : w.attributes) m.view(Proto::kAttributeFieldNumber, std::as_bytes(std::span(a)));
    if (!w.domain.empty()) m.text(Proto::kDomainFieldNumber, w.domain);
    graph.message(onnx::GraphProto::kNodeFieldNumber, m);
  }
  graph.text(onnx::GraphProto::kNameFieldNumber, "merged");
  for (const Stored& s : stored_) {
    graph.message(onnx::GraphProto::kInitializerFieldNumber, tensor_message(s.name, s.tensor));
  }
  for (const ValueInfo& v : inputs_) graph.message(onnx::GraphProto::kInputFieldNumber, value_message(v));
  for (const ValueInfo& v : outputs_) graph.message(onnx::GraphProto::kOutputFieldNumber, value_message(v));
  MessageWriter model;
  model.integer(onnx::ModelProto::kIrVersionFieldNumber, ir_version_);
  model.text(onnx::ModelProto::kProducerNameFieldNumber, "assay");
  for (const auto& [domain, version] : opsets_) {
    MessageWriter m;
    m.text(onnx::OperatorSetIdProto::kDomainFieldNumber, domain);
    m.integer(onnx::OperatorSetIdProto::kVersionFieldNumber, version.first);
    model.message(onnx::ModelProto::kOpsetImportFieldNumber, m);
  }
  model.message(onnx::ModelProto::kGraphFieldNumber, graph);
  if (model.size() > INT_MAX) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("one graph of all would have {} bytes; an ONNX file has at most {}", model.size(), INT_MAX));
  }
  return model.bytes();
}

}  // namespace assay::onnx_graph
