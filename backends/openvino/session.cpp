#include "session.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "assay/backend_kit_json.hpp"
#include "properties.hpp"
#include "slot.hpp"

namespace assay::openvino {
namespace {

struct TypePair {
  ElementType theirs;
  assay_dtype ours;
};

constexpr std::array<TypePair, 13> kTypes = {{{ElementType::kF32, ASSAY_FLOAT32},
                                              {ElementType::kU8, ASSAY_UINT8},
                                              {ElementType::kI8, ASSAY_INT8},
                                              {ElementType::kU16, ASSAY_UINT16},
                                              {ElementType::kI16, ASSAY_INT16},
                                              {ElementType::kI32, ASSAY_INT32},
                                              {ElementType::kI64, ASSAY_INT64},
                                              {ElementType::kBoolean, ASSAY_BOOL},
                                              {ElementType::kF16, ASSAY_FLOAT16},
                                              {ElementType::kF64, ASSAY_FLOAT64},
                                              {ElementType::kU32, ASSAY_UINT32},
                                              {ElementType::kU64, ASSAY_UINT64},
                                              {ElementType::kBf16, ASSAY_BFLOAT16}}};

using ByName = Status (*)(const ov_compiled_model*, const char*, ov_output_const_port**);
using ByIndex = Status (*)(const ov_compiled_model*, std::size_t, ov_output_const_port**);

/// The port that the file calls `info.name`. A tensor may have several names for OpenVINO; a name that got lost on the
/// way is found by its place, which stays.
Handle<ov_output_const_port> find_port(const Runtime& runtime, const ov_compiled_model* model, ByName by_name,
                                       ByIndex by_index, const kit::TensorInfo& info, std::size_t index) {
  ov_output_const_port* port = nullptr;
  if (by_name(model, info.name.c_str(), &port) != kOk) {
    check(runtime, by_index(model, index, &port), Phase::kCompile, "looking for the tensor '" + info.name + "'");
  }
  return {port, runtime.api.output_const_port_free};
}

/// The shape that was compiled; the file's axis names where an axis is still free.
void read_shape(const Runtime& runtime, const ov_output_const_port* port, kit::TensorInfo& info) {
  ov_partial_shape shape{};
  check(runtime, runtime.api.port_get_partial_shape(port, &shape), Phase::kCompile,
        "asking for the shape of '" + info.name + "'");
  const std::vector<std::string> names = std::move(info.axes);
  info.rank_known = shape.rank.min == shape.rank.max && shape.rank.max >= 0;
  info.shape.clear();
  info.axes.clear();
  for (std::int64_t i = 0; info.rank_known && i < shape.rank.max; ++i) {
    const ov_dimension& d = shape.dims[i];
    const bool fixed = d.min == d.max && d.max >= 0;
    info.shape.push_back(fixed ? d.max : -1);
    const auto at = static_cast<std::size_t>(i);
    info.axes.push_back(!fixed && at < names.size() ? names[at] : "");
  }
  runtime.api.partial_shape_free(&shape);
}

std::vector<Port> read_ports(const Runtime& runtime, const ov_compiled_model* model, ByName by_name, ByIndex by_index,
                             const std::vector<kit::TensorInfo>& infos) {
  std::vector<Port> ports;
  for (const kit::TensorInfo& info : infos) {
    Port port{find_port(runtime, model, by_name, by_index, info, ports.size()), 0, info};
    check(runtime, runtime.api.port_get_element_type(port.handle.get(), &port.element_type), Phase::kCompile,
          "asking for the type of '" + info.name + "'");
    port.info.dtype = dtype_of(port.element_type, info.name);
    read_shape(runtime, port.handle.get(), port.info);
    ports.push_back(std::move(port));
  }
  return ports;
}

void check_count(const Runtime& runtime, Status (*size)(const ov_compiled_model*, std::size_t*),
                 const ov_compiled_model* model, std::size_t expected, const char* what) {
  std::size_t found = 0;
  check(runtime, size(model, &found), Phase::kCompile, std::string("counting the ") + what);
  if (found != expected) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "OpenVINO made " + std::to_string(found) + " " + what + " of the model's " +
                                              std::to_string(expected));
  }
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return text;
}

std::vector<std::pair<std::string, std::string>> read_back(const Model& model, assay_precision asked) {
  const auto property = [&](const char* key) { return model.compiled.property(model.runtime, key); };
  const std::string precision = property("INFERENCE_PRECISION_HINT");
  if (precision != precision_hint(asked)) {
    throw kit::Failure(ASSAY_UNSUPPORTED, std::string("asked for ") + precision_hint(asked) +
                                              ", but OpenVINO computes in " + precision + " on this machine");
  }
  std::vector<std::pair<std::string, std::string>> settings = {
      {"device", lower(property("EXECUTION_DEVICES"))},
      {"precision", asked == ASSAY_PRECISION_INT8 ? "int8" : precision},
      {"threads", property("INFERENCE_NUM_THREADS")},
      {"streams", property("NUM_STREAMS")},
      {"version", model.runtime.version},
      {"library", model.runtime.library},
      {"performance_hint", lower(property("PERFORMANCE_HINT"))},
      {"requests", property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")},
      {"pinning", property("ENABLE_CPU_PINNING") == "YES" ? "true" : "false"},
      {"hyper_threading", property("ENABLE_HYPER_THREADING") == "YES" ? "true" : "false"},
      {"cores", lower(property("SCHEDULING_CORE_TYPE"))},
      {"execution_mode", lower(property("EXECUTION_MODE_HINT"))},
      {"dynamic_quantization_group_size", property("DYNAMIC_QUANTIZATION_GROUP_SIZE")},
  };
  std::erase_if(settings, [](const auto& setting) { return setting.second.empty(); });
  return settings;
}

bool all_static(const std::vector<Port>& ports) {
  return std::all_of(ports.begin(), ports.end(), [](const Port& port) { return port.is_static(); });
}

}  // namespace

assay_dtype dtype_of(int element_type, const std::string& tensor) {
  for (const TypePair& type : kTypes) {
    if (static_cast<int>(type.theirs) == element_type) return type.ours;
  }
  throw kit::Failure(ASSAY_UNSUPPORTED, "tensor '" + tensor + "' has OpenVINO's element type " +
                                            std::to_string(element_type) + ", which has no counterpart here");
}

bool Port::is_static() const {
  return info.rank_known && std::all_of(info.shape.begin(), info.shape.end(), [](std::int64_t d) { return d >= 0; });
}

OvSession::OvSession(const Runtime& runtime, const kit::OpenRequest& request) {
  if (request.device != "cpu") {
    throw kit::Failure(ASSAY_UNSUPPORTED,
                       "device '" + request.device + "' was asked for, and this backend drives OpenVINO's cpu only");
  }
  const OnnxSignature signature = read_signature(request.model_path);
  check_precision(request.precision, cpu_features::of_this_machine(), signature.quantized);
  Model model{runtime, compile(runtime, request, signature), {}, {}, nullptr};
  const Api& api = runtime.api;
  const ov_compiled_model* compiled = model.compiled.model.get();
  check_count(runtime, api.compiled_model_inputs_size, compiled, signature.inputs.size(), "inputs");
  check_count(runtime, api.compiled_model_outputs_size, compiled, signature.outputs.size(), "outputs");
  model.inputs = read_ports(runtime, compiled, api.compiled_model_input_by_name, api.compiled_model_input_by_index,
                            signature.inputs);
  model.outputs = read_ports(runtime, compiled, api.compiled_model_output_by_name, api.compiled_model_output_by_index,
                             signature.outputs);
  if (request.profile) model.profile = std::make_unique<Profile>();

  description_.in_force = read_back(model, request.precision);
  if (signature.quantized) description_.in_force.emplace_back("quantized_graph", "true");
  description_.from_cache = model.compiled.from_cache;
  description_.useful_slots =
      std::max(1, std::atoi(model.compiled.property(runtime, "OPTIMAL_NUMBER_OF_INFER_REQUESTS").c_str()));
  description_.short_batch = all_static(model.inputs) ? ASSAY_SHORT_BATCH_PAD : ASSAY_SHORT_BATCH_RESHAPE;
  for (const Port& port : model.inputs) description_.inputs.push_back(port.info);
  for (const Port& port : model.outputs) description_.outputs.push_back(port.info);
  model_ = std::make_shared<Model>(std::move(model));
}

kit::Description OvSession::describe() { return description_; }

std::unique_ptr<kit::Slot> OvSession::open_slot(std::span<const kit::FixedShape> shapes) {
  return std::make_unique<OvSlot>(model_, shapes);
}

std::string OvSession::report(const std::string& kind) {
  if (kind == "profile") {
    if (model_->profile == nullptr) {
      throw kit::Failure(ASSAY_UNSUPPORTED, "no profile was collected: ask for it when the model is opened");
    }
    return model_->profile->json();
  }
  if (kind == "placement") {
    return "{\"devices\": [" + kit::json_string(model_->compiled.property(model_->runtime, "EXECUTION_DEVICES")) + "]}";
  }
  return Session::report(kind);
}

}  // namespace assay::openvino
