#pragma once
// An ONNX Runtime of ours with CUDA's provider: as many of the library's functions as a session on a GPU calls. Its
// model is y[N, 4] = 2 x[N, 4]. For the order of calls, error paths and leaks.

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "nvidia/fixture.hpp"
#include "ort_library.hpp"

namespace assay::ort {

// What the library keeps to itself.
struct OrtStatus {
  ErrorCode code;
  std::string message;
};
struct OrtMemoryInfo {
  std::string name;
};
struct OrtTensorTypeAndShapeInfo {
  std::vector<std::int64_t> shape;
};
struct OrtValue {
  void* data;
  std::size_t bytes;
  std::vector<std::int64_t> shape;
  std::string memory;
};
struct OrtRunOptions {
  std::string text;
};
struct OrtIoBinding {
  OrtValue input{}, output{};
  bool output_given = false;
  std::vector<float> own;
};
struct OrtEpAssignedNode {
  std::string name, type;
};
struct OrtEpAssignedSubgraph {
  std::string provider;
  std::vector<OrtEpAssignedNode> nodes;
  std::vector<const OrtEpAssignedNode*> pointers;
};

namespace fake_ort {

/// What it is told, and what it noted.
struct World {
  std::vector<std::string> providers = {"CUDAExecutionProvider", "CPUExecutionProvider"};
  std::vector<OrtEpAssignedSubgraph> placement = {{"CUDAExecutionProvider", {{"a", "Conv"}, {"b", "Relu"}}, {}}};
  std::string input_memory = "Cuda", output_memory = "Cuda";
  std::string run_fails;  ///< with this message

  std::map<std::string, std::string> cuda_options;
  const void* stream = nullptr;
  std::vector<std::string> runs;            ///< the options of each
  std::vector<std::string> bound;           ///< "x Cuda", in order
  std::vector<std::string> cuda_log;        ///< of the fake libcudart, when each run began
  std::set<std::thread::id> graph_threads;  ///< that ran what is captured
  long alive = 0;                           ///< objects that were made and not released
};
inline World& world() {
  static World world;
  return world;
}
/// Whether the environment was made, which a library makes once for as long as the process lasts.
inline bool& has_environment() {
  static bool has = false;
  return has;
}
/// Held while slots of several threads write into it.
inline std::mutex& notes() {
  static std::mutex mutex;
  return mutex;
}

using Table = std::array<const void*, 430>;

inline S nothing() { return nullptr; }

template <class E>
void set(Table& table, typename E::Signature* function) {
  table[E::kIndex] = reinterpret_cast<const void*>(function);
}

template <class T>
S made(T** out, T value) {
  const std::lock_guard lock(notes());
  *out = new T(std::move(value));
  ++world().alive;
  return nullptr;
}
template <class T>
void gone(T* object) {
  const std::lock_guard lock(notes());
  delete object;
  --world().alive;
}

inline char* letters(const char* text) {
  static std::map<std::string, std::vector<char>> kept;
  std::vector<char>& chars = kept[text];
  if (chars.empty()) chars.assign(text, text + std::strlen(text) + 1);
  return chars.data();
}

inline void note_bound(const std::string& text) {
  const std::lock_guard lock(notes());
  world().bound.push_back(text);
}

inline S run(const OrtRunOptions* options, OrtIoBinding& binding) {
  const std::lock_guard lock(notes());
  world().runs.push_back(options != nullptr ? options->text : "none");
  const std::string& text = world().runs.back();
  if (text.find("gpu_graph_id=") != std::string::npos && text.find("gpu_graph_id=-1;") == std::string::npos) {
    world().graph_threads.insert(std::this_thread::get_id());
  }
  world().cuda_log.push_back(nvidia::fake::cudart().log());
  if (!world().run_fails.empty()) return new OrtStatus{ErrorCode::kFail, world().run_fails};
  const auto* x = static_cast<const float*>(binding.input.data);
  const std::size_t count = binding.input.bytes / sizeof(float);
  if (!binding.output_given) {
    binding.own.assign(count, 0);
    binding.output = {binding.own.data(), binding.input.bytes, binding.input.shape, "Cpu"};
  }
  std::transform(x, x + count, static_cast<float*>(binding.output.data), [](float v) { return 2 * v; });
  return nullptr;
}

inline void set_model(Table& t) {
  static const OrtTensorTypeAndShapeInfo kDeclared = {{-1, 4}};
  set<SessionGetInputCount>(t, [](const OrtSession*, std::size_t* n) { return *n = 1, nothing(); });
  set<SessionGetOutputCount>(t, [](const OrtSession*, std::size_t* n) { return *n = 1, nothing(); });
  set<SessionGetInputName>(
      t, [](const OrtSession*, std::size_t, OrtAllocator*, char** out) { return *out = letters("x"), nothing(); });
  set<SessionGetOutputName>(
      t, [](const OrtSession*, std::size_t, OrtAllocator*, char** out) { return *out = letters("y"), nothing(); });
  set<GetOnnxTypeFromTypeInfo>(t, [](const OrtTypeInfo*, int* kind) { return *kind = kTypeTensor, nothing(); });
  set<CastTypeInfoToTensorInfo>(t, [](const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo** out) {
    *out = &kDeclared;
    return nothing();
  });
  set<GetTensorElementType>(
      t, [](const OrtTensorTypeAndShapeInfo*, int* type) { return *type = ASSAY_FLOAT32, nothing(); });
  set<TensorTypeAndShapeHasShape>(t, [](const OrtTensorTypeAndShapeInfo*) { return true; });
  set<GetDimensionsCount>(t, [](const OrtTensorTypeAndShapeInfo* info, std::size_t* n) {
    *n = info->shape.size();
    return nothing();
  });
  set<GetDimensions>(t, [](const OrtTensorTypeAndShapeInfo* info, std::int64_t* dims, std::size_t n) {
    std::copy_n(info->shape.begin(), n, dims);
    return nothing();
  });
  set<GetTensorTypeAndShape>(t, [](const OrtValue* value, OrtTensorTypeAndShapeInfo** out) {
    return made(out, OrtTensorTypeAndShapeInfo{value->shape});
  });
  set<ReleaseTensorTypeAndShapeInfo>(t, [](OrtTensorTypeAndShapeInfo* info) { gone(info); });
}

inline void set_placement(Table& t) {
  set<SessionGetEpGraphAssignmentInfo>(
      t, [](const OrtSession*, const OrtEpAssignedSubgraph* const** out, std::size_t* count) {
        static std::vector<const OrtEpAssignedSubgraph*> pointers;
        pointers.clear();
        for (const OrtEpAssignedSubgraph& s : world().placement) pointers.push_back(&s);
        *out = pointers.data();
        *count = pointers.size();
        return nothing();
      });
  set<EpAssignedSubgraphGetEpName>(
      t, [](const OrtEpAssignedSubgraph* s, const char** out) { return *out = s->provider.c_str(), nothing(); });
  set<EpAssignedSubgraphGetNodes>(
      t, [](const OrtEpAssignedSubgraph* s, const OrtEpAssignedNode* const** out, std::size_t* count) {
        auto& pointers = const_cast<OrtEpAssignedSubgraph*>(s)->pointers;
        pointers.clear();
        for (const OrtEpAssignedNode& n : s->nodes) pointers.push_back(&n);
        *out = pointers.data();
        *count = pointers.size();
        return nothing();
      });
  set<EpAssignedNodeGetName>(
      t, [](const OrtEpAssignedNode* n, const char** out) { return *out = n->name.c_str(), nothing(); });
  set<EpAssignedNodeGetOperatorType>(
      t, [](const OrtEpAssignedNode* n, const char** out) { return *out = n->type.c_str(), nothing(); });
}

inline void set_memory(Table& t) {
  set<CreateCpuMemoryInfo>(t, [](int, int, OrtMemoryInfo** out) { return made(out, OrtMemoryInfo{"Cpu"}); });
  set<CreateMemoryInfo>(t, [](const char* name, int, int device, int, OrtMemoryInfo** out) {
    EXPECT_EQ(device, 0);
    return made(out, OrtMemoryInfo{name});
  });
  set<ReleaseMemoryInfo>(t, [](OrtMemoryInfo* info) { gone(info); });
  set<MemoryInfoGetName>(
      t, [](const OrtMemoryInfo* info, const char** name) { return *name = info->name.c_str(), nothing(); });
  set<SessionGetMemoryInfoForInputs>(t, [](const OrtSession*, const OrtMemoryInfo** out, std::size_t) {
    static OrtMemoryInfo info;
    info.name = world().input_memory;
    return *out = &info, nothing();
  });
  set<SessionGetMemoryInfoForOutputs>(t, [](const OrtSession*, const OrtMemoryInfo** out, std::size_t) {
    static OrtMemoryInfo info;
    info.name = world().output_memory;
    return *out = &info, nothing();
  });
}

inline void set_cuda(Table& t) {
  set<CreateCudaOptions>(t, [](OrtCUDAProviderOptionsV2** out) {
    static char options;
    return *out = reinterpret_cast<OrtCUDAProviderOptionsV2*>(&options), nothing();
  });
  set<UpdateCudaOptions>(
      t, [](OrtCUDAProviderOptionsV2*, const char* const* keys, const char* const* values, std::size_t count) -> S {
        if (!has_environment()) return new OrtStatus{ErrorCode::kFail, "Attempt to use DefaultLogger"};  // as 1.31 does
        for (std::size_t i = 0; i < count; ++i) world().cuda_options[keys[i]] = values[i];
        return nothing();
      });
  set<UpdateCudaOptionsWithValue>(t, [](OrtCUDAProviderOptionsV2*, const char* key, void* value) {
    EXPECT_STREQ(key, "user_compute_stream");
    return world().stream = value, nothing();
  });
  set<GetCudaOptionsAsString>(t, [](const OrtCUDAProviderOptionsV2*, OrtAllocator*, char** out) {
    std::string text;
    for (const auto& [key, value] : world().cuda_options) text += key + "=" + value + ";";
    return *out = letters(text.c_str()), nothing();
  });
}

inline void set_runs(Table& t) {
  set<CreateRunOptions>(t, [](OrtRunOptions** out) { return made(out, OrtRunOptions{}); });
  set<ReleaseRunOptions>(t, [](OrtRunOptions* options) { gone(options); });
  set<AddRunConfigEntry>(t, [](OrtRunOptions* options, const char* key, const char* value) {
    options->text += std::string(key) + "=" + value + ";";
    return nothing();
  });
  set<CreateTensorWithDataAsOrtValue>(
      t, [](const OrtMemoryInfo* info, void* data, std::size_t bytes, const std::int64_t* shape, std::size_t rank, int,
            OrtValue** out) { return made(out, OrtValue{data, bytes, {shape, shape + rank}, info->name}); });
  set<ReleaseValue>(t, [](OrtValue* value) { gone(value); });
  set<GetTensorMutableData>(t, [](OrtValue* value, void** out) { return *out = value->data, nothing(); });
  set<CreateIoBinding>(t, [](OrtSession*, OrtIoBinding** out) { return made(out, OrtIoBinding{}); });
  set<ReleaseIoBinding>(t, [](OrtIoBinding* binding) { gone(binding); });
  set<BindInput>(t, [](OrtIoBinding* binding, const char* name, const OrtValue* value) {
    note_bound(std::string(name) + " " + value->memory);
    return binding->input = *value, nothing();
  });
  set<BindOutput>(t, [](OrtIoBinding* binding, const char* name, const OrtValue* value) {
    note_bound(std::string(name) + " " + value->memory);
    return binding->output_given = true, binding->output = *value, nothing();
  });
  set<BindOutputToDevice>(t, [](OrtIoBinding* binding, const char* name, const OrtMemoryInfo* info) {
    note_bound(std::string(name) + " anywhere in " + info->name);
    return binding->output_given = false, nothing();
  });
  set<RunWithBinding>(t, [](OrtSession*, const OrtRunOptions* options, const OrtIoBinding* binding) {
    return run(options, *const_cast<OrtIoBinding*>(binding));
  });
  set<GetBoundOutputValues>(t, [](const OrtIoBinding* binding, OrtAllocator*, OrtValue*** out, std::size_t* count) {
    static std::array<OrtValue*, 1> values;
    *out = values.data();
    *count = 1;
    return made(values.data(), binding->output);
  });
}

inline const void* const* table(std::uint32_t /*version*/) {
  static const Table kTable = [] {
    Table t;
    t.fill(reinterpret_cast<const void*>(&nothing));
    set<GetErrorCode>(t, [](const OrtStatus* status) { return status->code; });
    set<GetErrorMessage>(t, [](const OrtStatus* status) { return status->message.c_str(); });
    set<ReleaseStatus>(t, [](OrtStatus* status) { delete status; });
    set<GetAvailableProviders>(t, [](char*** names, int* count) {
      static std::vector<char*> pointers;
      pointers.clear();
      for (const std::string& name : world().providers) pointers.push_back(letters(name.c_str()));
      *names = pointers.data();
      *count = static_cast<int>(pointers.size());
      return nothing();
    });
    set<GetBuildInfoString>(t, [] { return "a fake"; });
    set<CreateEnvWithCustomLogger>(t, [](LogFunction*, void*, LogLevel, const char*, OrtEnv**) {
      has_environment() = true;
      return nothing();
    });
    set<CreateSession>(t, [](const OrtEnv*, const char*, const OrtSessionOptions*, OrtSession** out) {
      static char session;
      return *out = reinterpret_cast<OrtSession*>(&session), nothing();
    });
    set_model(t);
    set_placement(t);
    set_memory(t);
    set_cuda(t);
    set_runs(t);
    return t;
  }();
  return kTable.data();
}

}  // namespace fake_ort
}  // namespace assay::ort
