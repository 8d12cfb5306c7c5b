// A libcudart of ours: settings in ASSAY_FAKE_CUDA or by assay_fake_set (script.hpp). Beside errors:
//   devices=1  driver=13000 (0: none)  runtime=13000  memory_mib=1024  capability=90
//   current_device, pointer_device: which GPU is said to be a thread's, and to hold memory, whichever it is
// An error after which CUDA answers nothing more is answered to every later call, too.

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "nvidia/fake/script.hpp"

using assay::nvidia::fake::Script;

// The handles that the header leaves open.
struct CUstream_st {
  int device = 0;
  bool capturing = false;
};
struct CUevent_st {
  long time_ms = -1;
};
struct CUgraph_st {};
struct CUgraphExec_st {};

namespace {

constexpr std::size_t kMebi = std::size_t{1} << 20U;

Script& script() {
  static Script script("ASSAY_FAKE_CUDA");
  return script;
}

std::atomic<int> lost{0};
std::atomic<long> now_ms{0};
thread_local int current_device = 0;
thread_local cudaError_t last_error = cudaSuccess;

/// "To continue using CUDA, the process must be terminated and relaunched", as CUDA's reference says of these.
bool ends_all(int status) {
  switch (status) {
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorContained:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorContextIsDestroyed:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorMpsClientTerminated:
    case cudaErrorExternalDevice:
      return true;
    default:
      return false;
  }
}

cudaError_t answer(const std::string& function, const std::string& detail = {}) {
  int status = script().called(function, detail);
  if (ends_all(status)) lost = status;
  if (lost != 0) status = lost;
  const auto error = static_cast<cudaError_t>(status);
  if (error != cudaSuccess) last_error = error;
  return error;
}

// In the log streams are s1, s2 …, events e1, e2 …, in the order of their first use since it was told: which waits for
// which is what a test of order has to see.
std::string name_of(cudaStream_t stream) { return script().name_of("s", stream); }
std::string name_of(cudaEvent_t event) { return script().name_of("e", event); }

cudaError_t refuse(cudaError_t error) {
  last_error = error;
  return error;
}

std::size_t capacity() { return static_cast<std::size_t>(script().number("memory_mib", 1024)) * kMebi; }

/// What is taken of the device's memory. Thread-safe.
class DeviceMemory {
 public:
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (taken_ + bytes > capacity()) return nullptr;
    void* data = std::malloc(bytes);
    blocks_[data] = {bytes, current_device};
    taken_ += bytes;
    return data;
  }
  void give_back(void* data) {
    const std::lock_guard lock(mutex_);
    taken_ -= blocks_[data].bytes;
    blocks_.erase(data);
    std::free(data);
  }
  [[nodiscard]] std::size_t taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  /// Which has the block that begins there; negative: none has.
  [[nodiscard]] int device_of(const void* data) const {
    const std::lock_guard lock(mutex_);
    const auto it = blocks_.find(data);
    return it == blocks_.end() ? -1 : it->second.device;
  }

 private:
  struct Block {
    std::size_t bytes = 0;
    int device = 0;
  };
  mutable std::mutex mutex_;
  std::map<const void*, Block> blocks_;
  std::size_t taken_ = 0;
};

DeviceMemory& memory() {
  static DeviceMemory memory;
  return memory;
}

template <class Object>
cudaError_t make(Object** object) {
  *object = new Object;
  script().made(*object);
  return cudaSuccess;
}

template <class Object>
cudaError_t destroy(Object* object) {
  if (!script().gone(object)) return refuse(cudaErrorInvalidResourceHandle);
  delete object;
  return cudaSuccess;
}

}  // namespace

extern "C" {

void assay_fake_set(const char* settings) {
  script().set(settings);
  lost = 0;
  now_ms = 0;
  last_error = cudaSuccess;
}
const char* assay_fake_log() {
  static thread_local std::string text;
  text = script().log();
  return text.c_str();
}
long assay_fake_held() { return script().held(); }

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = static_cast<int>(script().number("runtime", 13000));
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = static_cast<int>(script().number("driver", 13000));
  return cudaSuccess;
}
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    default:
      return "cudaErrorOther";
  }
}
const char* cudaGetErrorString(cudaError_t /*error*/) { return "as the fake was told"; }
cudaError_t cudaGetLastError() {
  script().called("cudaGetLastError");
  return std::exchange(last_error, cudaSuccess);
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (script().number("driver", 13000) == 0) return refuse(cudaErrorInsufficientDriver);
  if (const cudaError_t error = answer("cudaGetDeviceCount"); error != cudaSuccess) return error;
  *count = static_cast<int>(script().number("devices", 1));
  return *count == 0 ? refuse(cudaErrorNoDevice) : cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t error = answer("cudaSetDevice", std::to_string(device)); error != cudaSuccess) return error;
  if (device < 0 || device >= script().number("devices", 1)) return refuse(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = static_cast<int>(script().number("current_device", current_device));
  return answer("cudaGetDevice");
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (const cudaError_t error = answer("cudaGetDeviceProperties"); error != cudaSuccess) return error;
  *properties = {};
  std::snprintf(&properties->name[0], sizeof properties->name, "Fake GPU %d", device);
  properties->uuid.bytes[sizeof properties->uuid.bytes - 1] = static_cast<char>(0xA0 + device);
  properties->totalGlobalMem = capacity();
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int /*device*/) {
  const int capability = static_cast<int>(script().number("capability", 90));
  *value = attribute == cudaDevAttrComputeCapabilityMajor   ? capability / 10
           : attribute == cudaDevAttrComputeCapabilityMinor ? capability % 10
                                                            : 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* id, int size, int device) {
  std::snprintf(id, static_cast<std::size_t>(size), "0000:%02X:00.0", 0x17 + device);
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() { return answer("cudaDeviceSynchronize"); }

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = capacity();
  *free = *total - memory().taken();
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  if (const cudaError_t error = answer("cudaMalloc", std::to_string(bytes)); error != cudaSuccess) return error;
  *data = memory().take(bytes);
  if (*data == nullptr) return refuse(cudaErrorMemoryAllocation);
  script().made(*data);
  return cudaSuccess;
}
cudaError_t cudaFree(void* data) {
  const cudaError_t error = answer("cudaFree");
  if (!script().gone(data)) return refuse(cudaErrorInvalidValue);
  memory().give_back(data);
  return error;
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* data) {
  *attributes = {};
  const int there = memory().device_of(data);
  attributes->type = there < 0 ? cudaMemoryTypeUnregistered : cudaMemoryTypeDevice;
  attributes->device = there < 0 ? there : static_cast<int>(script().number("pointer_device", there));
  return answer("cudaPointerGetAttributes");
}
cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned flags) {
  const std::string detail = std::to_string(bytes) + (flags == cudaHostAllocPortable ? " portable" : "");
  if (const cudaError_t error = answer("cudaHostAlloc", detail); error != cudaSuccess) return error;
  *data = std::malloc(bytes);
  script().made(*data);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
  const cudaError_t error = answer("cudaFreeHost");
  if (!script().gone(data)) return refuse(cudaErrorInvalidValue);
  std::free(data);
  return error;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const std::string detail =
      (kind == cudaMemcpyHostToDevice ? "in " : "out ") + std::to_string(bytes) + " " + name_of(stream);
  if (const cudaError_t error = answer("cudaMemcpyAsync", detail); error != cudaSuccess) return error;
  if (!stream->capturing) std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  const char* detail = flags == cudaStreamNonBlocking ? "non-blocking" : "";
  if (const cudaError_t error = answer("cudaStreamCreateWithFlags", detail); error != cudaSuccess) return error;
  const cudaError_t made = make(stream);
  (*stream)->device = current_device;
  return made;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t error = answer("cudaStreamDestroy");
  const cudaError_t gone = destroy(stream);
  return error != cudaSuccess ? error : gone;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return answer("cudaStreamSynchronize", name_of(stream)); }
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  return answer("cudaStreamWaitEvent", name_of(stream) + " " + name_of(event));
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const char* detail = mode == cudaStreamCaptureModeThreadLocal ? "thread-local" : "";
  if (const cudaError_t error = answer("cudaStreamBeginCapture", detail); error != cudaSuccess) return error;
  stream->capturing = true;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  stream->capturing = false;
  if (const cudaError_t error = answer("cudaStreamEndCapture"); error != cudaSuccess) return error;
  return make(graph);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const char* detail = flags == cudaEventBlockingSync ? "blocking" : "";
  if (const cudaError_t error = answer("cudaEventCreateWithFlags", detail); error != cudaSuccess) return error;
  return make(event);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const cudaError_t error = answer("cudaEventDestroy");
  const cudaError_t gone = destroy(event);
  return error != cudaSuccess ? error : gone;
}
/// A millisecond passes from one record to the next.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::string detail = name_of(event) + " " + name_of(stream);
  if (const cudaError_t error = answer("cudaEventRecord", detail); error != cudaSuccess) return error;
  event->time_ms = ++now_ms;
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return answer("cudaEventQuery", name_of(event)); }
cudaError_t cudaEventSynchronize(cudaEvent_t event) { return answer("cudaEventSynchronize", name_of(event)); }

#ifndef ASSAY_FAKE_WITHOUT_EVENTS
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  if (const cudaError_t error = answer("cudaEventElapsedTime"); error != cudaSuccess) return error;
  if (begin->time_ms < 0 || end->time_ms < 0) return refuse(cudaErrorInvalidResourceHandle);
  *milliseconds = static_cast<float>(end->time_ms - begin->time_ms);
  return cudaSuccess;
}
cudaError_t cudaLaunchHostFunc(cudaStream_t /*stream*/, cudaHostFn_t function, void* user) {
  if (const cudaError_t error = answer("cudaLaunchHostFunc"); error != cudaSuccess) return error;
  std::thread(function, user).join();
  return cudaSuccess;
}
#endif

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t /*graph*/, unsigned long long /*flags*/) {
  if (const cudaError_t error = answer("cudaGraphInstantiate"); error != cudaSuccess) return error;
  return make(executable);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t /*executable*/, cudaStream_t stream) {
  return answer("cudaGraphLaunch", name_of(stream));
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const cudaError_t error = answer("cudaGraphDestroy");
  const cudaError_t gone = destroy(graph);
  return error != cudaSuccess ? error : gone;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const cudaError_t error = answer("cudaGraphExecDestroy");
  const cudaError_t gone = destroy(executable);
  return error != cudaSuccess ? error : gone;
}

}  // extern "C"
