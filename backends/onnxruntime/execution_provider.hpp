#pragma once
// The devices that ONNX Runtime can run on here: the CPU, and GPUs where the library has CUDA's provider.

#include <string>
#include <vector>

#include "assay/backend_kit.hpp"
#include "nvidia/cuda_runtime.hpp"
#include "ort_library.hpp"

namespace assay::ort {

inline constexpr const char* kCpuProvider = "CPUExecutionProvider";
inline constexpr const char* kCudaProvider = "CUDAExecutionProvider";

/// The providers that the library was built with, in its order of preference.
std::vector<std::string> available_providers(const Library& library);

/// The CPU, and each GPU. `absent` becomes the reason where there is no GPU: never a failure, and no GPU is woken.
std::vector<kit::Device> devices(const Library& library, const kit::Host& host, std::string& absent);

/// How many CPUs this process may use.
int usable_cpus();

/// CUDA as the library's sessions will meet it. Throws ASSAY_UNAVAILABLE with the exact reason: a library built without
/// CUDA, one that is too old, no CUDA runtime. Whether there is a driver is asked of the answer.
const nvidia::CudaRuntime& cuda_of(const Library& library, const kit::Host& host);

/// Throws ASSAY_UNAVAILABLE for what is neither the CPU nor a GPU's name.
void check_device(const Library& library, const std::string& device);

}  // namespace assay::ort
