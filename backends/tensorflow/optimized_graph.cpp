#include "optimized_graph.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "loaded_graph.hpp"
#include "wire.hpp"

namespace assay::tensorflow {
namespace {

// Field numbers of config.proto and attr_value.proto.
constexpr int kOutputPartitionGraphs = 5;              // RunOptions
constexpr int kPartitionGraphs = 3;                    // RunMetadata
constexpr int kAttributeKey = 1, kAttributeValue = 2;  // NodeDef.attr
constexpr int kType = 6;                               // AttrValue

[[noreturn]] void not_given_out(const std::string& why) {
  throw kit::Failure(ASSAY_INVALID_MODEL, "TensorFlow gave no optimized graph that can be kept: " + why);
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// The first of a node's fields of that number; "" where it has none.
std::string_view field_of(std::string_view node, int number) {
  for (MessageReader fields(node); fields.next();) {
    if (fields.field() == number) return fields.bytes();
  }
  return {};
}

/// TensorFlow calls the argument that is fed to NAME:0 "_arg_NAME_0_RANK", the rank being among the names in their
/// alphabetical order.
std::string fed_by(const std::string& argument, const Signature& signature) {
  for (std::size_t i = 0; i < signature.inputs.size(); ++i) {
    if (argument.starts_with("_arg_" + input_name(i) + "_0_")) return input_name(i);
  }
  not_given_out("it has an argument '" + argument + "' that is no input of the model");
}

MessageWriter placeholder(const std::string& name, DataType type) {
  const MessageWriter value = MessageWriter().integer(kType, static_cast<int>(type));
  const MessageWriter attribute = MessageWriter().text(kAttributeKey, "dtype").message(kAttributeValue, value);
  return MessageWriter().text(kNodeName, name).text(kNodeType, "Placeholder").message(kNodeAttribute, attribute);
}

/// Names of arguments → names of placeholders.
using Renamed = std::map<std::string, std::string, std::less<>>;

MessageWriter with_inputs_renamed(std::string_view node, const Renamed& renamed) {
  MessageWriter written;
  for (MessageReader fields(node); fields.next();) {
    const std::string_view value = fields.bytes();
    const auto found = fields.field() == kNodeInput ? renamed.find(node_of_input(value)) : renamed.end();
    if (found == renamed.end()) {
      written.view(fields.field(), bytes_of(value));
    } else {
      written.text(kNodeInput, (value.starts_with("^") ? "^" : "") + found->second);  // a placeholder has one output
    }
  }
  return written;
}

using TensorHandle = Handle<TF_Tensor>;

/// Zeros of an input's shape, free axes being of one element.
TensorHandle zeros(const Runtime& runtime, const Port& port) {
  if (!port.info.rank_known) not_given_out("how many axes '" + port.info.name + "' has is not known");
  Ints shape = port.info.shape;
  std::replace(shape.begin(), shape.end(), std::int64_t{-1}, std::int64_t{1});
  const std::size_t bytes = static_cast<std::size_t>(kit::element_count(shape)) * kit::element_bytes(port.info.dtype);
  TensorHandle made(
      runtime.api.allocate_tensor(data_type_of(port.info.dtype), shape.data(), static_cast<int>(shape.size()), bytes),
      runtime.api.delete_tensor);
  if (made == nullptr) throw kit::Failure(ASSAY_OUT_OF_MEMORY, "TensorFlow has no memory for zeros to run a graph on");
  std::memset(runtime.api.tensor_data(made.get()), 0, bytes);
  return made;
}

/// The RunMetadata of a run on zeros.
Handle<TF_Buffer> run_on_zeros(const Runtime& runtime, TF_Session* session, const Signature& signature) {
  std::vector<TensorHandle> owned;
  std::vector<TF_Output> inputs, outputs;
  std::vector<TF_Tensor*> values, results(signature.outputs.size());
  for (const Port& input : signature.inputs) {
    owned.push_back(zeros(runtime, input));
    inputs.push_back(input.place);
    values.push_back(owned.back().get());
  }
  for (const Port& output : signature.outputs) outputs.push_back(output.place);
  const std::string options = MessageWriter().integer(kOutputPartitionGraphs, 1).bytes();
  const TF_Buffer run_options{options.data(), options.size(), nullptr};
  Handle<TF_Buffer> metadata(runtime.api.new_buffer(), runtime.api.delete_buffer);
  const Status status(runtime);
  runtime.api.session_run(session, &run_options, inputs.data(), values.data(), static_cast<int>(inputs.size()),
                          outputs.data(), results.data(), static_cast<int>(outputs.size()), nullptr, 0, metadata.get(),
                          status.get());
  for (TF_Tensor* result : results) owned.emplace_back(result, runtime.api.delete_tensor);
  status.check("running the graph on zeros");
  return metadata;
}

}  // namespace

std::string with_placeholders(std::string_view graph_def, const Signature& signature) {
  Renamed renamed;
  std::set<std::string> results;
  for (MessageReader graph(graph_def); graph.next();) {
    if (graph.field() != kGraphNode) continue;
    const std::string_view node = graph.bytes(), type = field_of(node, kNodeType);
    if (type == "_Arg") {
      const std::string name(field_of(node, kNodeName));
      renamed[name] = fed_by(name, signature);
    }
    if (type == "_Retval") results.emplace(field_of(node, kNodeInput));
  }
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    if (!results.contains(output_name(i))) not_given_out("'" + output_name(i) + "' is no result of it");
  }
  MessageWriter made;
  for (std::size_t i = 0; i < signature.inputs.size(); ++i) {
    made.message(kGraphNode, placeholder(input_name(i), data_type_of(signature.inputs[i].info.dtype)));
  }
  for (MessageReader graph(graph_def); graph.next();) {
    const std::string_view type = graph.field() == kGraphNode ? field_of(graph.bytes(), kNodeType) : "";
    if (type == "_Arg" || type == "_Retval") continue;
    if (graph.field() == kGraphNode) {
      made.message(kGraphNode, with_inputs_renamed(graph.bytes(), renamed));
    } else if (!graph.bytes().empty()) {
      made.view(graph.field(), bytes_of(graph.bytes()));
    }
  }
  return made.bytes();
}

std::string optimized_graph(const Runtime& runtime, TF_Graph* graph, const Signature& signature,
                            const Settings& settings) {
  const SessionHandle session = start_session(runtime, graph, settings);
  const Handle<TF_Buffer> metadata = run_on_zeros(runtime, session.get(), signature);
  std::vector<std::string_view> parts;
  for (MessageReader fields({static_cast<const char*>(metadata->data), metadata->length}); fields.next();) {
    if (fields.field() == kPartitionGraphs) parts.push_back(fields.bytes());
  }
  if (parts.size() != 1) not_given_out("it ran in " + std::to_string(parts.size()) + " parts");
  return with_placeholders(parts.front(), signature);
}

Settings settings_of_optimized(Settings settings) {
  settings.grappler = false;
  settings.graph_optimizer = false;
  return settings;
}

}  // namespace assay::tensorflow
