#include "cuda_device.hpp"

#include <cstring>

#include "cuda_libraries.hpp"
#include "execution_provider.hpp"

namespace assay::ort {
namespace {

constexpr const char* kCudaMemory = "Cuda";  // the provider's memory on the device

std::string open_needed(const Library& library, const kit::Host& host) {
  return open_cuda_libraries(find_cuda_libraries(library, cuda_roots(library, host)));
}

}  // namespace

CudaDevice::CudaDevice(const Library& library, const kit::Host& host, const std::string& name)
    : library_(library),
      cuda_(cuda_of(library, host)),
      index_(cuda_.index_of(name)),
      cudnn_(open_needed(library, host)),
      compute_(make<nvidia::Stream>()) {
  OrtMemoryInfo* memory = nullptr;
  library_.call<CreateMemoryInfo>("describing the GPU's memory", kCudaMemory, kDeviceAllocator, index_, kMemTypeDefault,
                                  &memory);
  memory_ = OwnedMemoryInfo(library_, memory);
}

void CudaDevice::append_to(OrtSessionOptions* options, const CudaSetup& setup) {
  graph_ = setup.graph;
  OrtCUDAProviderOptionsV2* cuda_options = nullptr;
  library_.call<CreateCudaOptions>("making CUDA's options", &cuda_options);
  const OwnedCudaOptions owned(library_, cuda_options);
  const std::vector<std::pair<std::string, std::string>> settings = cuda_provider_options(setup, index_);
  std::vector<const char*> keys, values;
  for (const auto& [key, value] : settings) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  library_.call<UpdateCudaOptions>("setting CUDA's options", cuda_options, keys.data(), values.data(), keys.size());
  library_.call<UpdateCudaOptionsWithValue>("setting CUDA's stream", cuda_options, "user_compute_stream",
                                            static_cast<void*>(compute_.get()));
  OrtAllocator* allocator = nullptr;
  library_.call<GetAllocatorWithDefaultOptions>("reading CUDA's options back", &allocator);
  char* text = nullptr;
  library_.call<GetCudaOptionsAsString>("reading CUDA's options back", cuda_options, allocator, &text);
  options_ = parse_provider_options(text);
  library_.call<AllocatorFree>("reading CUDA's options back", allocator, text);
  library_.call<SessionOptionsAppendCuda>("asking for CUDA's provider", options, cuda_options);
}

bool CudaDevice::is_here(const OrtMemoryInfo* memory) const {
  if (memory == nullptr) return false;
  const char* name = nullptr;
  library_.call<MemoryInfoGetName>("reading where a tensor lies", memory, &name);
  return std::strcmp(name, kCudaMemory) == 0;
}

void* CudaDevice::allocate_pinned(std::uint64_t bytes) const {
  const std::shared_lock gate(capture_gate());
  cuda_.set_device(index_);
  return nvidia::allocate_pinned(cuda_, bytes);
}

void CudaDevice::free_pinned(void* data) const {
  const std::shared_lock gate(capture_gate());
  cuda_.set_device(index_);
  nvidia::free_pinned(cuda_, data);
}

std::vector<std::pair<std::string, std::string>> CudaDevice::in_force() const {
  std::vector<std::pair<std::string, std::string>> settings = cuda_.in_force(index_);
  settings.emplace_back("cuda", nvidia::cuda_version_text(cuda_.runtime_version()));
  settings.emplace_back("cudnn", cudnn_.empty() ? "unknown" : cudnn_);
  const auto told = [&](const char* name, const char* key) {
    if (const auto it = options_.find(key); it != options_.end()) settings.emplace_back(name, it->second);
  };
  const auto flag = [&](const char* name, const char* key) {
    if (const auto it = options_.find(key); it != options_.end()) {
      settings.emplace_back(name, to_string(it->second == "1" || it->second == "true"));
    }
  };
  flag("tf32", "use_tf32");
  settings.emplace_back("cuda_graph", graph_in_force());
  flag("prefer_nhwc", "prefer_nhwc");
  flag("cudnn_conv_use_max_workspace", "cudnn_conv_use_max_workspace");
  flag("do_copy_in_default_stream", "do_copy_in_default_stream");
  told("cudnn_conv_algo_search", "cudnn_conv_algo_search");
  told("arena_extend_strategy", "arena_extend_strategy");
  told("gpu_mem_limit", "gpu_mem_limit");
  return settings;
}

/// The library does not tell; a model that cannot be captured does not load, but a batch can be one that is not.
std::string CudaDevice::graph_in_force() const {
  if (!graph_) return to_string(false);
  if (!has_plain_runs_) return has_graph_runs_ ? to_string(true) : "not yet: a slot's first batch is captured";
  const std::string plain = "an output without memory, or of another shape than the model says, is not captured";
  return has_graph_runs_ ? "in part: a batch with " + plain : "false: a batch with " + plain;
}

std::shared_mutex& CudaDevice::capture_gate() {
  static auto* const kGate = new std::shared_mutex;  // sessions may be closed while the process ends
  return *kGate;
}

}  // namespace assay::ort
