#include "loaded_graph.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "graph_file.hpp"
#include "model_kind.hpp"
#include "onnx_file.hpp"
#include "saved_model.hpp"

namespace assay::tensorflow {
namespace {

/// As the boundary numbers it.
std::optional<assay_dtype> boundary_type(DataType type) {
  switch (type) {
    case DataType::kFloat:
      return ASSAY_FLOAT32;
    case DataType::kDouble:
      return ASSAY_FLOAT64;
    case DataType::kHalf:
      return ASSAY_FLOAT16;
    case DataType::kBfloat16:
      return ASSAY_BFLOAT16;
    case DataType::kInt8:
      return ASSAY_INT8;
    case DataType::kInt16:
      return ASSAY_INT16;
    case DataType::kInt32:
      return ASSAY_INT32;
    case DataType::kInt64:
      return ASSAY_INT64;
    case DataType::kUint8:
      return ASSAY_UINT8;
    case DataType::kUint16:
      return ASSAY_UINT16;
    case DataType::kUint32:
      return ASSAY_UINT32;
    case DataType::kUint64:
      return ASSAY_UINT64;
    case DataType::kBool:
      return ASSAY_BOOL;
    default:
      return std::nullopt;
  }
}

/// An option that means nothing for this kind of model was set for another.
void check_options_fit(const kit::OpenRequest& request, ModelKind kind) {
  const auto refuse = [&](const char* option, const char* automatic, const char* whose) {
    if (request.option(option, automatic) == automatic) return;
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, std::string("the option ") + option + " is for " + whose +
                                                   ", which this model is not: leave it out");
  };
  if (kind != ModelKind::kSavedModel) refuse("signature", "serving_default", "a SavedModel");
  if (kind != ModelKind::kGraphDef) {
    refuse("inputs", "auto", "a frozen graph (*.pb)");
    refuse("outputs", "auto", "a frozen graph (*.pb)");
  }
}

}  // namespace

SessionHandle::~SessionHandle() {
  if (session_ == nullptr) return;
  const Status status(*runtime_);
  runtime_->api.close_session(session_, status.get());
  runtime_->api.delete_session(session_, status.get());
}

LoadedGraph load_graph(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings) {
  const ModelKind kind = kind_of(request.model_path);
  check_options_fit(request, kind);
  switch (kind) {
    case ModelKind::kSavedModel:
      return load_saved_model(runtime, request, settings);
    case ModelKind::kGraphDef:
      return load_graph_file(runtime, request, settings);
    default:
      return load_onnx(runtime, request, settings);
  }
}

Handle<TF_SessionOptions> session_options(const Runtime& runtime, const Settings& settings) {
  Handle<TF_SessionOptions> options(runtime.api.new_session_options(), runtime.api.delete_session_options);
  const std::string config = config_proto(settings);
  const Status status(runtime);
  runtime.api.set_config(options.get(), config.data(), config.size(), status.get());
  status.check("setting TensorFlow's configuration");
  return options;
}

SessionHandle start_session(const Runtime& runtime, TF_Graph* graph, const Settings& settings) {
  const Handle<TF_SessionOptions> options = session_options(runtime, settings);
  const Status status(runtime);
  SessionHandle session(runtime, runtime.api.new_session(graph, options.get(), status.get()));
  status.check("making a TensorFlow session");
  return session;
}

void import_graph_def(const Runtime& runtime, TF_Graph* graph, std::string_view bytes, const std::string& what) {
  const TF_Buffer buffer{bytes.data(), bytes.size(), nullptr};
  const Handle<TF_ImportGraphDefOptions> options(runtime.api.new_import_graph_def_options(),
                                                 runtime.api.delete_import_graph_def_options);
  const Status status(runtime);
  runtime.api.graph_import_graph_def(graph, &buffer, options.get(), status.get());
  status.check("importing " + what, true);
}

Port port_at(const Runtime& runtime, TF_Graph* graph, const std::string& name, TF_Output place,
             std::optional<std::optional<Ints>> shape) {
  const DataType type = runtime.api.operation_output_type(place);
  const std::optional<assay_dtype> dtype = boundary_type(type);
  if (!dtype) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "'" + name + "' is of TensorFlow's type " +
                                              std::to_string(static_cast<int>(type)) +
                                              (type == DataType::kString ? " (strings)" : "") +
                                              ", which cannot be fed or read here: choose other inputs and outputs, or "
                                              "another signature");
  }
  if (!shape) shape = GraphBuilder(runtime, graph).shape_of(place);
  Port port;
  port.info.name = name;
  port.info.dtype = *dtype;
  port.info.rank_known = shape->has_value();
  port.info.shape = shape->value_or(Ints{});
  port.info.axes.assign(port.info.shape.size(), "");
  port.place = place;
  return port;
}

std::optional<TF_Output> find_output(const Runtime& runtime, TF_Graph* graph, std::string_view name) {
  const std::size_t colon = name.rfind(':');
  int index = 0;
  if (colon != std::string_view::npos) {
    const std::string_view number = name.substr(colon + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
    if (error != std::errc() || end != number.data() + number.size() || index < 0) return std::nullopt;
  }
  TF_Operation* operation = runtime.api.graph_operation_by_name(graph, std::string(name.substr(0, colon)).c_str());
  if (operation == nullptr || index >= runtime.api.operation_num_outputs(operation)) return std::nullopt;
  return TF_Output{operation, index};
}

void check_places(const Signature& signature) {
  const auto refuse = [](const std::string& what) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       what +
                           ": choose others (of a frozen graph by the options inputs and outputs, of a SavedModel "
                           "by another signature)");
  };
  const auto same = [](const TF_Output& a, const TF_Output& b) {
    return a.operation == b.operation && a.index == b.index;
  };
  for (auto input = signature.inputs.begin(); input != signature.inputs.end(); ++input) {
    for (auto other = signature.inputs.begin(); other != input; ++other) {
      if (!same(input->place, other->place)) continue;
      refuse("the inputs '" + other->info.name + "' and '" + input->info.name + "' are one tensor, which is fed once");
    }
    for (const Port& output : signature.outputs) {
      if (same(input->place, output.place)) refuse("'" + output.info.name + "' is an input and an output at once");
    }
  }
  std::set<std::string> names;
  for (const Port& output : signature.outputs) {
    if (!names.insert(output.info.name).second) refuse("two outputs are called '" + output.info.name + "'");
  }
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMost) text += ", … (" + std::to_string(names.size()) + " in all)";
  return names.empty() ? "none" : text;
}

}  // namespace assay::tensorflow
