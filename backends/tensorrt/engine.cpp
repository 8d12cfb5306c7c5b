#include "engine.hpp"

#include <algorithm>

#include "assay/backend_kit_json.hpp"
#include "network.hpp"

namespace assay::tensorrt {
namespace {

const char* verbosity_name(nvinfer1::ProfilingVerbosity verbosity) {
  switch (verbosity) {
    case nvinfer1::ProfilingVerbosity::kNONE:
      return "none";
    case nvinfer1::ProfilingVerbosity::kDETAILED:
      return "detailed";
    default:
      return "names";
  }
}

std::string device_name(int device) { return "gpu:" + std::to_string(device); }
std::string bool_text(bool value) { return value ? "true" : "false"; }

std::vector<kit::TensorInfo> infos_of(const std::vector<Port>& ports) {
  std::vector<kit::TensorInfo> infos;
  for (const Port& port : ports) infos.push_back(port.info);
  return infos;
}

}  // namespace

std::string model_name(const std::string& tensor, std::span<const kit::TensorInfo> inputs) {
  constexpr std::string_view kPrefix = "__";
  if (!tensor.starts_with(kPrefix)) return tensor;
  const std::string rest = tensor.substr(kPrefix.size());
  const bool is_input =
      std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) { return input.name == rest; });
  return is_input ? rest : tensor;
}

Engine::Engine(const Runtime& runtime, const Place& place, std::span<const std::byte> serialized, Facts facts)
    : runtime_(runtime), place_(place), facts_(std::move(facts)) {
  place_.cuda.set_device(place_.device);
  (void)errors_.take();
  trt_.reset(static_cast<nvinfer1::IRuntime*>(runtime_.create_runtime(&logger(), NV_TENSORRT_VERSION)));
  if (trt_ == nullptr) errors_.fail("making TensorRT's runtime");
  trt_->setErrorRecorder(&errors_);
  trt_->setMaxThreads(std::max(1, place_.threads));
  engine_.reset(trt_->deserializeCudaEngine(serialized.data(), serialized.size()));
  if (engine_ == nullptr) errors_.fail("reading the engine (" + std::to_string(serialized.size()) + " bytes)");
  // TensorRT reads an engine on the thread's GPU, whichever was asked for: CUDA says which that is.
  device_ = place_.cuda.current_device();
  read_ports();
}

void Engine::read_ports() {
  for (std::int32_t i = 0; i < engine_->getNbIOTensors(); ++i) {
    Port port;
    port.tensor = engine_->getIOTensorName(i);
    const char* name = port.tensor.c_str();
    const bool is_input = engine_->getTensorIOMode(name) == nvinfer1::TensorIOMode::kINPUT;
    const nvinfer1::Dims dims = engine_->getTensorShape(name);
    port.on_host = engine_->getTensorLocation(name) == nvinfer1::TensorLocation::kHOST;
    port.info.name = is_input ? port.tensor : model_name(port.tensor, infos_of(inputs_));
    port.info.dtype = dtype_of(engine_->getTensorDataType(name), port.info.name);
    port.info.rank_known = dims.nbDims >= 0;
    port.info.shape = shape_of(dims);
    if (is_input) ranges_.push_back(range_of(port));
    (is_input ? inputs_ : outputs_).push_back(std::move(port));
  }
}

/// TensorRT has ranges of axes that are free alone.
InputRange Engine::range_of(const Port& port) const {
  using nvinfer1::OptProfileSelector;
  InputRange range{port.info.name, {}};
  const bool any_free = std::any_of(port.info.shape.begin(), port.info.shape.end(), [](auto size) { return size < 0; });
  const auto sizes = [&](OptProfileSelector which) {
    return any_free ? shape_of(engine_->getProfileShape(port.tensor.c_str(), 0, which)) : port.info.shape;
  };
  const std::vector<std::int64_t> least = sizes(OptProfileSelector::kMIN), typical = sizes(OptProfileSelector::kOPT),
                                  most = sizes(OptProfileSelector::kMAX);
  if (least.size() != port.info.shape.size() || most.size() != least.size() || typical.size() != least.size()) {
    throw kit::Failure(ASSAY_FRAMEWORK, "the engine does not tell for which shapes of '" + port.info.name +
                                            "' it was built: build it anew (assay cache clear)");
  }
  for (std::size_t a = 0; a < least.size(); ++a) range.axes.push_back({least[a], typical[a], most[a]});
  return range;
}

bool Engine::fixed() const {
  return std::all_of(ranges_.begin(), ranges_.end(), [](const InputRange& range) { return range.fixed(); });
}

std::unique_ptr<nvinfer1::IExecutionContext> Engine::new_context(ErrorList& errors) {
  std::unique_ptr<nvinfer1::IExecutionContext> context(
      engine_->createExecutionContext(nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED));
  if (context == nullptr) errors_.fail("making a context of the engine");
  context->setErrorRecorder(&errors);
  return context;
}

std::uint64_t Engine::most_scratch() const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, engine_->getDeviceMemorySizeV2()));
}

std::shared_ptr<const nvidia::DeviceBuffer> Engine::scratch() {
  const std::lock_guard lock(scratch_mutex_);
  std::shared_ptr<const nvidia::DeviceBuffer> held = scratch_.lock();
  if (held == nullptr) {
    held = std::make_shared<const nvidia::DeviceBuffer>(place_.cuda, device_, most_scratch());
    scratch_ = held;
  }
  return held;
}

std::vector<std::pair<std::string, std::string>> Engine::in_force() const {
  std::vector<std::pair<std::string, std::string>> settings = {
      {"device", device_name(device_)},
      {"precision", facts_.precision},
      {"threads", std::to_string(trt_->getMaxThreads())},
      {"version", runtime_.version},
      {"library", runtime_.library},
      {"layers", std::to_string(engine_->getNbLayers())},
      {"workspace_bytes", std::to_string(facts_.workspace_bytes)},
      {"optimization_level", std::to_string(facts_.optimization_level)},
      {"tf32", bool_text(facts_.tf32)},
      {"refit", bool_text(engine_->isRefittable())},
      {"profiling_verbosity", verbosity_name(engine_->getProfilingVerbosity())},
      {"aux_streams", std::to_string(engine_->getNbAuxStreams())},
      {"cuda_runtime", place_.cuda.library()},
  };
  for (const InputRange& range : ranges_) settings.emplace_back("profile." + range.name, to_text(range));
  for (auto& setting : place_.cuda.in_force(device_)) settings.push_back(std::move(setting));
  return settings;
}

std::string Engine::plan() const {
  const std::lock_guard lock(inspector_mutex_);
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(engine_->createEngineInspector());
  const char* text =
      inspector == nullptr ? nullptr : inspector->getEngineInformation(nvinfer1::LayerInformationFormat::kJSON);
  if (text == nullptr || *text == '\0') {
    throw kit::Failure(ASSAY_UNSUPPORTED,
                       "TensorRT's inspector tells nothing of this engine, which was built with "
                       "profiling_verbosity " +
                           std::string(verbosity_name(engine_->getProfilingVerbosity())));
  }
  return text;
}

std::string Engine::placement() const {
  return "{\"device\": " + kit::json_string(device_name(device_)) +
         ", \"name\": " + kit::json_string(place_.cuda.facts(device_).name) +
         ", \"layers\": " + std::to_string(engine_->getNbLayers()) + ", \"engine\": " + plan() + "}";
}

void Engine::count_slot(std::int64_t bytes) {
  slot_bytes_ += bytes;
  ++slots_;
}

void Engine::forget_slot(std::int64_t bytes, bool has_graph) {
  slot_bytes_ -= bytes;
  --slots_;
  if (has_graph) --graphs_;
}

std::string Engine::graphs_in_force() const {
  const int slots = slots_, graphs = graphs_;
  if (graphs == 0) return "not yet: a slot's second batch is captured";
  if (graphs >= slots) return "true";
  return std::to_string(graphs) + " of " + std::to_string(slots) + " slots: a slot's second batch is captured";
}

std::uint64_t Engine::scratch_in_use() const {
  const std::lock_guard lock(scratch_mutex_);
  const std::shared_ptr<const nvidia::DeviceBuffer> held = scratch_.lock();
  return held == nullptr ? 0 : held->bytes();
}

std::string Engine::memory() const {
  const std::int64_t weights = engine_->getEngineStat(nvinfer1::EngineStat::kTOTAL_WEIGHTS_SIZE);
  return "{\"weights_bytes\": " + (weights < 0 ? "null" : std::to_string(weights)) +
         ", \"scratch_bytes\": " + std::to_string(scratch_in_use()) +
         ", \"slots_bytes\": " + std::to_string(slot_bytes_.load()) + "}";
}

}  // namespace assay::tensorrt
