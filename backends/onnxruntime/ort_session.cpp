#include "ort_session.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <shared_mutex>
#include <thread>

#include "cuda_slot.hpp"
#include "execution_provider.hpp"
#include "float16_file.hpp"
#include "model_axes.hpp"
#include "model_precision.hpp"
#include "ort_slot.hpp"
#include "ort_tensors.hpp"

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

}  // namespace

OrtBackendSession::OrtBackendSession(Library& library, const kit::OpenRequest& request)
    : library_(library),
      host_(request.host),
      log_scope_(host_),
      setup_(resolve_setup(request, usable_cpus())),
      device_(request.device),
      precision_(read_precision(request.model_path)),
      goal_(request.goal),
      streams_(setup_.streams) {
  try {
    open(request);
  } catch (...) {
    give_back();  // what was made before is freed behind the gate, too
    throw;
  }
}

void OrtBackendSession::open(const kit::OpenRequest& request) {
  (void)library_.env();  // before CUDA's options, which write to its log
  const bool convert = converts_to_float16(request.precision, device_, precision_);
  if (convert) precision_ = "f16";
  OrtSessionOptions* options = nullptr;
  library_.call<CreateSessionOptions>("making session options", &options);
  options_ = OwnedOptions(library_, options);
  choose_device();
  configure(request);
  configure_cache(request);
  pin_shapes(request);
  if (from_cache_) {
    load((std::filesystem::path(request.cache_read) / kCachedGraph).string());
  } else if (convert) {
    const TemporaryFolder folder;  // what is loaded is in memory, weights and all
    load(write_in_float16(request.model_path, folder.path()));
  } else {
    load(request.model_path);
  }
  inputs_ = read_inputs(library_, session_.get());
  outputs_ = read_outputs(library_, session_.get());
  if (cuda_) read_places();
  if (cuda_ && !request.cache_fill.empty()) keep_only_what_loads_again(request.cache_fill);
  apply_shapes(request);
}

void OrtBackendSession::load(const std::string& path) {
  const std::shared_lock gate(CudaDevice::capture_gate());
  OrtSession* session = nullptr;
  library_.call<CreateSession>("loading the model", library_.env(), path.c_str(), options_.get(), &session);
  session_ = OwnedSession(library_, session);
}

OrtBackendSession::~OrtBackendSession() { give_back(); }

void OrtBackendSession::give_back() {
  const std::shared_lock gate(CudaDevice::capture_gate());
  session_.reset();
  options_.reset();
  cuda_.reset();  // after the two that have its stream
}

void OrtBackendSession::choose_device() {
  check_device(library_, device_);
  if (!is_gpu(device_)) return;  // the CPU's provider is in every session
  cuda_ = std::make_unique<CudaDevice>(library_, host_, device_);
  cuda_->append_to(options_.get(), setup_.cuda);
  library_.call<AddSessionConfigEntry>("recording the placement", options_.get(),
                                       "session.record_ep_graph_assignment_info", "1");
}

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
    if (library_.has(kApiPlacement) && !cuda_) {
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

void OrtBackendSession::read_places() {
  placement_ = count_placement(read_placement(library_, session_.get()), kCudaProvider);
  std::vector<const OrtMemoryInfo*> memory(inputs_.size());
  library_.call<SessionGetMemoryInfoForInputs>("reading where inputs lie", session_.get(), memory.data(),
                                               memory.size());
  for (const OrtMemoryInfo* m : memory) input_on_gpu_.push_back(cuda_->is_here(m));
  if (setup_.cuda.graph) require_on_gpu("input", inputs_, memory);
  memory.assign(outputs_.size(), nullptr);
  library_.call<SessionGetMemoryInfoForOutputs>("reading where outputs lie", session_.get(), memory.data(),
                                                memory.size());
  for (const OrtMemoryInfo* m : memory) output_on_gpu_.push_back(cuda_->is_here(m));
  if (setup_.cuda.graph) require_on_gpu("output", outputs_, memory);
}

/// Between a node on the CPU and one on the GPU the library puts nodes that copy, and saves them; such a file it does
/// not load again (microsoft/onnxruntime, issues 11348 and 17837).
void OrtBackendSession::keep_only_what_loads_again(const std::string& folder) {
  if (all_on_gpu()) return;
  for (const char* file : {kCachedGraph, kCachedWeights}) {
    std::error_code none;  // the library need not have saved weights beside the graph
    std::filesystem::remove(std::filesystem::path(folder) / file, none);
  }
  graph_cache_ =
      "not kept: " + std::to_string(placement_.all.elsewhere) +
      " nodes are on the CPU, and ONNX Runtime does not load a graph again in which it copies to and from them";
}

/// A graph that is launched again has the values that it read in the host's memory when it was captured (the shape of a
/// Reshape): answers would be wrong, and nothing would say so. Of a tensor that no node uses, there is no memory.
void OrtBackendSession::require_on_gpu(const char* what, const std::vector<kit::TensorInfo>& tensors,
                                       const std::vector<const OrtMemoryInfo*>& memory) const {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (memory[i] == nullptr || cuda_->is_here(memory[i])) continue;
    throw kit::Failure(ASSAY_UNSUPPORTED,
                       std::string("enable_cuda_graph was asked for, and ONNX Runtime has the ") + what + " '" +
                           tensors[i].name +
                           "' in the host's memory, which a captured graph does not see again: run it without "
                           "enable_cuda_graph");
  }
}

void OrtBackendSession::add_gpu(std::vector<std::pair<std::string, std::string>>& settings) const {
  const std::vector<std::pair<std::string, std::string>> gpu = cuda_->in_force();
  settings.insert(settings.end(), gpu.begin(), gpu.end());
  settings.emplace_back("nodes.gpu", std::to_string(placement_.all.here));
  const std::string left = std::to_string(placement_.all.elsewhere);
  settings.emplace_back("nodes.cpu", left + (placement_.names.empty() ? "" : ": " + placement_.names));
  if (!graph_cache_.empty()) settings.emplace_back("graph_cache", graph_cache_);
  if (!placement_.operators.empty()) settings.emplace_back("nodes.cpu.operators", placement_.operators);
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
  // A session that asked for a GPU and computes elsewhere says so.
  const bool on_gpu = cuda_ && placement_.runs_here();
  std::vector<std::pair<std::string, std::string>> settings = {
      {"device", on_gpu ? device_ : "cpu"},
      {"precision", precision_},
      {"threads", std::to_string(threads)},
      {"streams", std::to_string(setup_.streams)},
      {"version", library_.version()},
      {"provider", on_gpu ? kCudaProvider : kCpuProvider},
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
  if (cuda_) add_gpu(settings);
  return settings;
}

int OrtBackendSession::useful_slots() const {
  if (!cuda_) return setup_.streams;
  // One that is copied in, one that computes, one that is copied out.
  constexpr int kSteps = 3;
  return goal_ == ASSAY_GOAL_LATENCY ? 1 : kSteps;
}

kit::Description OrtBackendSession::describe() {
  kit::Description d;
  d.inputs = inputs_;
  d.outputs = outputs_;
  d.in_force = in_force();
  d.from_cache = from_cache_;
  d.useful_slots = useful_slots();
  d.computes_in_wait = true;
  if (cuda_) d.memory_kinds |= 1U << ASSAY_PINNED;
  d.short_batch = batch_pinned_ ? ASSAY_SHORT_BATCH_PAD : ASSAY_SHORT_BATCH_RESHAPE;
  return d;
}

std::unique_ptr<kit::Slot> OrtBackendSession::open_slot(std::span<const kit::FixedShape> shapes) {
  if (cuda_) return std::make_unique<CudaSlot>(*this, shapes);
  return std::make_unique<OrtSlot>(*this, shapes);
}

void* OrtBackendSession::allocate(assay_memory kind, std::uint64_t bytes) {
  if (kind == ASSAY_DEVICE) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "memory of " + device_ +
                                              " was asked for; this backend takes its inputs and outputs in the host's "
                                              "memory, pinned or not, and copies them itself");
  }
  return kind == ASSAY_PINNED && cuda_ ? cuda_->allocate_pinned(bytes) : Session::allocate(kind, bytes);
}

void OrtBackendSession::release(assay_memory kind, void* data) {
  if (kind == ASSAY_PINNED && cuda_) {
    cuda_->free_pinned(data);
  } else {
    Session::release(kind, data);
  }
}

std::string OrtBackendSession::report(const std::string& kind) {
  const std::lock_guard lock(report_mutex_);
  if (kind == "profile") return profile();
  if (kind == "memory") return memory();
  if (kind == "placement") {
    if (!profile_folder_ && !cuda_) {
      throw kit::Failure(ASSAY_UNSUPPORTED, "the placement is recorded only when the session is opened with profile");
    }
    return placement_report(library_, session_.get());
  }
  return Session::report(kind);
}

std::string OrtBackendSession::memory() const {
  if (cuda_) return memory_report(library_, session_.get(), cuda_->memory());
  OrtMemoryInfo* info = nullptr;
  library_.call<CreateCpuMemoryInfo>("reading the memory's state", kArenaAllocator, kMemTypeDefault, &info);
  const OwnedMemoryInfo owned(library_, info);
  return memory_report(library_, session_.get(), info);
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
