#include "ort_session.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <thread>

#include "execution_provider.hpp"
#include "model_axes.hpp"
#include "model_precision.hpp"
#include "ort_report.hpp"
#include "ort_slot.hpp"

namespace assay::ort {
namespace {

constexpr const char* kCachedGraph = "graph.onnx";
constexpr const char* kCachedWeights = "weights.bin";

/// Makes the pool's threads for the library, which then are known to be there.
ThreadHandle create_thread(void* user, ThreadWorker* worker, void* argument) {
  try {
    auto thread = std::make_unique<std::thread>(worker, argument);
    ++*static_cast<std::atomic<int>*>(user);
    return thread.release();
  } catch (const std::exception&) {
    return nullptr;  // the library reports that it could not make a thread
  }
}

void join_thread(ThreadHandle handle) {
  const std::unique_ptr<std::thread> thread(const_cast<std::thread*>(static_cast<const std::thread*>(handle)));
  thread->join();
}

std::string name_of(const Library& library, char* text) {
  OrtAllocator* allocator = nullptr;
  library.call<GetAllocatorWithDefaultOptions>("reading a name", &allocator);
  std::string name = text;
  library.call<AllocatorFree>("reading a name", allocator, text);
  return name;
}

kit::TensorInfo tensor_info(const Library& library, std::string name, const OrtTypeInfo* type, const char* side) {
  kit::TensorInfo info;
  info.name = std::move(name);
  int kind = 0;
  library.call<GetOnnxTypeFromTypeInfo>("reading a type", type, &kind);
  if (kind != kTypeTensor) {
    throw kit::Failure(ASSAY_UNSUPPORTED, std::string(side) + " '" + info.name +
                                              "' is not a dense tensor (a sequence, map, optional or sparse tensor): "
                                              "only dense tensors can be passed");
  }
  const OrtTensorTypeAndShapeInfo* shape = nullptr;
  library.call<CastTypeInfoToTensorInfo>("reading a tensor's type", type, &shape);
  int element = 0;
  library.call<GetTensorElementType>("reading an element type", shape, &element);
  if (element == kElementString) {
    throw kit::Failure(ASSAY_UNSUPPORTED, std::string(side) + " '" + info.name +
                                              "' holds strings: only numbers and booleans can be passed");
  }
  info.dtype = element;  // both are the numbers of ONNX's TensorProto.DataType, as far as assay_dtype goes
  std::size_t rank = 0;
  library.call<GetDimensionsCount>("reading a rank", shape, &rank);
  // Older libraries have the same answer for a scalar and for a rank that nothing is known of.
  info.rank_known = library.has(kApiPlacement) ? library.raw<TensorTypeAndShapeHasShape>(shape) : rank > 0;
  info.shape.resize(rank);
  std::vector<const char*> axes(rank, "");
  library.call<GetDimensions>("reading a shape", shape, info.shape.data(), rank);
  library.call<GetSymbolicDimensions>("reading the names of axes", shape, axes.data(), rank);
  info.axes.assign(axes.begin(), axes.end());
  return info;
}

void check_dtype(const kit::TensorInfo& info, const char* side) {
  static const std::set<assay_dtype> kKnown = {ASSAY_FLOAT32, ASSAY_UINT8,  ASSAY_INT8,    ASSAY_UINT16,  ASSAY_INT16,
                                               ASSAY_INT32,   ASSAY_INT64,  ASSAY_BOOL,    ASSAY_FLOAT16, ASSAY_FLOAT64,
                                               ASSAY_UINT32,  ASSAY_UINT64, ASSAY_BFLOAT16};
  if (!kKnown.contains(info.dtype)) {
    throw kit::Failure(ASSAY_UNSUPPORTED, std::string(side) + " '" + info.name + "' has element type " +
                                              std::to_string(info.dtype) +
                                              " (ONNX's number), which cannot be passed: complex, 4-bit and 8-bit "
                                              "floating types are not supported as inputs or outputs");
  }
}

}  // namespace

OrtBackendSession::OrtBackendSession(Library& library, const kit::OpenRequest& request)
    : library_(library),
      host_(request.host),
      log_scope_(host_),
      setup_(resolve_setup(request, usable_cpus())),
      device_(request.device),
      precision_(read_precision(request.model_path)),
      streams_(setup_.streams) {
  check_precision(request.precision);
  OrtSessionOptions* options = nullptr;
  library_.call<CreateSessionOptions>("making session options", &options);
  options_ = OwnedOptions(library_, options);
  provider_ = append_provider(library_, options, device_);
  configure(request);
  configure_cache(request);
  pin_shapes(request);
  const std::string path =
      from_cache_ ? (std::filesystem::path(request.cache_read) / kCachedGraph).string() : request.model_path;
  OrtSession* session = nullptr;
  library_.call<CreateSession>("loading the model", library_.env(), path.c_str(), options, &session);
  session_ = OwnedSession(library_, session);
  read_tensors();
  apply_shapes(request);
}

OrtBackendSession::~OrtBackendSession() { session_.reset(); }

void OrtBackendSession::configure(const kit::OpenRequest& request) {
  OrtSessionOptions* options = options_.get();
  library_.call<SetUserLoggingFunction>("routing the log", options, forward_log, &host_);
  library_.call<SetSessionLogSeverityLevel>("setting the log level", options, static_cast<int>(LogLevel::kWarning));
  library_.call<SetIntraOpNumThreads>("setting intra_op_threads", options, setup_.intra_op_threads);
  library_.call<SetInterOpNumThreads>("setting inter_op_threads", options, setup_.inter_op_threads);
  library_.call<SetSessionExecutionMode>("setting execution_mode", options, setup_.mode);
  if (setup_.memory_pattern) {
    library_.call<EnableMemPattern>("setting memory_pattern", options);
  } else {
    library_.call<DisableMemPattern>("setting memory_pattern", options);
  }
  if (setup_.arena) {
    library_.call<EnableCpuMemArena>("setting arena", options);
  } else {
    library_.call<DisableCpuMemArena>("setting arena", options);
  }
  library_.call<SetDeterministicCompute>("setting deterministic", options, setup_.deterministic);
  for (const auto& [key, value] : config_entries(setup_)) {
    library_.call<AddSessionConfigEntry>("setting a configuration entry", options, key.c_str(), value.c_str());
  }
  if (setup_.affinity.empty()) count_threads();  // the library pins only threads that it makes itself
  if (request.profile) {
    profile_folder_ = std::make_unique<TemporaryFolder>();
    library_.call<EnableProfiling>("switching profiling on", options, (profile_folder_->path() / "profile").c_str());
    profiling_ = true;
    if (library_.has(kApiPlacement)) {
      library_.call<AddSessionConfigEntry>("recording the placement", options,
                                           "session.record_ep_graph_assignment_info", "1");
    }
  }
}

void OrtBackendSession::configure_cache(const kit::OpenRequest& request) {
  OrtSessionOptions* options = options_.get();
  OptimizationLevel level = setup_.level;
  if (!request.cache_read.empty()) {
    from_cache_ = true;
    level = OptimizationLevel::kDisabled;  // the saved graph is the optimized one
  } else if (!request.cache_fill.empty()) {
    const std::filesystem::path graph = std::filesystem::path(request.cache_fill) / kCachedGraph;
    library_.call<SetOptimizedModelFilePath>("setting where the optimized graph goes", options, graph.c_str());
    library_.call<AddSessionConfigEntry>("placing the saved weights", options,
                                         "session.optimized_model_external_initializers_file_name", kCachedWeights);
    library_.call<AddSessionConfigEntry>("placing the saved weights", options,
                                         "session.optimized_model_external_initializers_min_size_in_bytes", "1024");
  }
  library_.call<SetSessionGraphOptimizationLevel>("setting graph_optimization_level", options, level);
}

void OrtBackendSession::pin_shapes(const kit::OpenRequest& request) {
  if (request.shapes.empty()) return;
  for (const auto& [axis, value] : axes_to_pin(read_input_axes(request.model_path), request.shapes)) {
    library_.call<AddFreeDimensionOverrideByName>("fixing a shape", options_.get(), axis.c_str(), value);
  }
}

void OrtBackendSession::apply_shapes(const kit::OpenRequest& request) {
  for (const kit::FixedShape& asked : request.shapes) {
    const auto input =
        std::find_if(inputs_.begin(), inputs_.end(), [&](const auto& i) { return i.name == asked.input; });
    if (input == inputs_.end()) {
      std::string names;
      for (const kit::TensorInfo& known : inputs_) names += (names.empty() ? "" : ", ") + known.name;
      throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                         "a shape was given for '" + asked.input + "'; the model's inputs are: " + names);
    }
    if (!input->rank_known) continue;
    kit::check_shape(*input, asked.shape, true);
    for (std::size_t axis = 0; axis < asked.shape.size(); ++axis) {
      if (asked.shape[axis] < 0) continue;
      input->shape[axis] = asked.shape[axis];  // an axis without a name is free in the graph, but not to slots
      batch_pinned_ |= axis == 0;
    }
  }
}

void OrtBackendSession::count_threads() {
  OrtSessionOptions* options = options_.get();
  library_.call<SessionOptionsSetCustomCreateThreadFn>("counting threads", options, create_thread);
  library_.call<SessionOptionsSetCustomThreadCreationOptions>("counting threads", options, &pool_threads_);
  library_.call<SessionOptionsSetCustomJoinThreadFn>("counting threads", options, join_thread);
}

void OrtBackendSession::read_tensors() {
  OrtAllocator* allocator = nullptr;
  library_.call<GetAllocatorWithDefaultOptions>("reading the inputs", &allocator);
  std::size_t count = 0;
  char* name = nullptr;
  OrtTypeInfo* type = nullptr;
  library_.call<SessionGetInputCount>("counting the inputs", session_.get(), &count);
  for (std::size_t i = 0; i < count; ++i) {
    library_.call<SessionGetInputName>("reading an input's name", session_.get(), i, allocator, &name);
    std::string text = name_of(library_, name);
    library_.call<SessionGetInputTypeInfo>("reading an input's type", session_.get(), i, &type);
    const OwnedTypeInfo owned(library_, type);
    inputs_.push_back(tensor_info(library_, std::move(text), type, "input"));
    check_dtype(inputs_.back(), "input");
  }
  library_.call<SessionGetOutputCount>("counting the outputs", session_.get(), &count);
  for (std::size_t i = 0; i < count; ++i) {
    library_.call<SessionGetOutputName>("reading an output's name", session_.get(), i, allocator, &name);
    std::string text = name_of(library_, name);
    library_.call<SessionGetOutputTypeInfo>("reading an output's type", session_.get(), i, &type);
    const OwnedTypeInfo owned(library_, type);
    outputs_.push_back(tensor_info(library_, std::move(text), type, "output"));
    check_dtype(outputs_.back(), "output");
  }
}

std::string OrtBackendSession::config(const std::string& key) const {
  std::array<char, 1025> value{};  // the library's limit is 1024
  std::size_t size = value.size();
  library_.call<GetSessionConfigEntry>("reading a setting back", options_.get(), key.c_str(), value.data(), &size);
  return value.data();
}

std::vector<std::pair<std::string, std::string>> OrtBackendSession::in_force() const {
  const auto flag = [this](const char* key) { return to_string(config(key) == "1"); };
  // Counted as the library made them; each stream's caller computes as well.
  const int threads =
      setup_.affinity.empty() ? pool_threads_ + setup_.streams : setup_.intra_op_threads - 1 + setup_.streams;
  bool pattern = setup_.memory_pattern;
  ExecutionMode mode = setup_.mode;
  if (library_.has(kApiReadBack)) {
    int enabled = 0;
    library_.call<GetMemPatternEnabled>("reading memory_pattern back", options_.get(), &enabled);
    library_.call<GetSessionExecutionMode>("reading execution_mode back", options_.get(), &mode);
    pattern = enabled != 0;
  }
  std::vector<std::pair<std::string, std::string>> settings = {
      {"device", device_},
      {"precision", precision_},
      {"threads", std::to_string(threads)},
      {"streams", std::to_string(setup_.streams)},
      {"version", library_.version()},
      {"provider", provider_},
      {"graph_optimization_level", to_string(setup_.level)},
      {"intra_op_threads", std::to_string(setup_.intra_op_threads)},
      {"inter_op_threads", std::to_string(setup_.inter_op_threads)},
      {"spinning", flag("session.intra_op.allow_spinning")},
      {"inter_op_spinning", flag("session.inter_op.allow_spinning")},
      {"affinity", setup_.affinity.empty() ? "none" : config("session.intra_op_thread_affinities")},
      {"execution_mode", to_string(mode)},
      {"memory_pattern", to_string(pattern)},
      {"arena", to_string(setup_.arena)},
      {"arena_shrink", to_string(setup_.arena_shrink)},
      {"denormals_as_zero", flag("session.set_denormal_as_zero")},
      {"deterministic", to_string(setup_.deterministic)},
      {"prepacking", to_string(config("session.disable_prepacking") == "0")},
      {"build", library_.raw<GetBuildInfoString>()},
  };
  if (!setup_.disabled_optimizers.empty()) {
    settings.emplace_back("disabled_optimizers", config("optimization.disable_specified_optimizers"));
  }
  return settings;
}

kit::Description OrtBackendSession::describe() {
  kit::Description d;
  d.inputs = inputs_;
  d.outputs = outputs_;
  d.in_force = in_force();
  d.from_cache = from_cache_;
  d.useful_slots = setup_.streams;
  d.computes_in_wait = true;
  d.short_batch = batch_pinned_ ? ASSAY_SHORT_BATCH_PAD : ASSAY_SHORT_BATCH_RESHAPE;
  return d;
}

std::unique_ptr<kit::Slot> OrtBackendSession::open_slot(std::span<const kit::FixedShape> shapes) {
  return std::make_unique<OrtSlot>(*this, shapes);
}

std::string OrtBackendSession::report(const std::string& kind) {
  const std::lock_guard lock(report_mutex_);
  if (kind == "profile") return profile();
  if (kind == "memory") return memory_report(library_, session_.get());
  if (kind == "placement") {
    if (!profile_folder_) {
      throw kit::Failure(ASSAY_UNSUPPORTED, "the placement is recorded only when the session is opened with profile");
    }
    return placement_report(library_, session_.get());
  }
  return Session::report(kind);
}

std::string OrtBackendSession::profile() {
  if (!profile_folder_) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "no profile was collected: open the session with profile");
  }
  if (profiling_) {
    profiling_ = false;  // the library's profile ends when it is read
    profile_ = end_profiling(library_, session_.get());
  }
  return profile_;
}

}  // namespace assay::ort
