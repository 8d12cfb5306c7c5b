#include "backend.hpp"

#include "nvidia/cuda_runtime.hpp"
#include "options.hpp"
#include "runtime.hpp"
#include "session.hpp"

namespace assay::tensorrt {
namespace {

/// Devices are CUDA's to tell: TensorRT's own runtime answers a pointer, which is none, where there is no driver.
const nvidia::CudaRuntime& open_cuda(const kit::Host& host) {
  const nvidia::CudaRuntime& cuda = nvidia::CudaRuntime::open(host.roots);
  if (cuda.device_count() > 0) return cuda;
  throw kit::Failure(ASSAY_UNAVAILABLE, "TensorRT needs an NVIDIA GPU, and CUDA (" + cuda.library() +
                                            ") sees none: is CUDA_VISIBLE_DEVICES set to leave one out, or the "
                                            "container not given one?");
}

}  // namespace

kit::Probe TensorRtBackend::probe(const kit::Host& host) {
  kit::Probe probe;
  try {
    const Runtime& runtime = open_runtime(host);
    probe.version = runtime.version;
    probe.library = runtime.library;
    probe.origin = runtime.origin;
    probe.devices = open_cuda(with_tensorrt_root(host)).devices();
    probe.available = true;
  } catch (const kit::Failure& e) {
    if (e.code() != ASSAY_UNAVAILABLE) throw;
    probe.reason = e.what();
  }
  return probe;
}

std::span<const assay_option> TensorRtBackend::options() { return option_table(); }

std::unique_ptr<kit::Session> TensorRtBackend::open(const kit::OpenRequest& request) {
  const Runtime& runtime = open_runtime(request.host);
  return std::make_unique<TrtSession>(runtime, open_cuda(with_tensorrt_root(request.host)), request);
}

}  // namespace assay::tensorrt
