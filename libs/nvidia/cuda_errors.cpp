#include "nvidia/cuda_errors.hpp"

#include <array>
#include <cstddef>
#include <cstdio>

namespace assay::nvidia {
namespace {

// By number, since headers that are older than the library which is met may lack their names: cudaErrorContained,
// cudaErrorTensorMemoryLeak.
constexpr int kErrorContained = 226, kErrorTensorMemoryLeak = 721;

constexpr ErrorMeaning kLost = {
    ASSAY_DEVICE_LOST,
    "The GPU answers this process nothing more; a new process may use it. The kernel's log says more (Xid)."};

}  // namespace

ErrorMeaning meaning_of(cudaError_t status) {
  if (status == kErrorContained || status == kErrorTensorMemoryLeak) return kLost;
  switch (status) {
    case cudaErrorMemoryAllocation:
      return {ASSAY_OUT_OF_MEMORY,
              "Use a smaller batch or fewer in flight, or end what else uses the GPU's memory (nvidia-smi names it)."};
    case cudaErrorStubLibrary:
    case cudaErrorInsufficientDriver:
    case cudaErrorCallRequiresNewerDriver:
      return {ASSAY_UNAVAILABLE, "Update the NVIDIA driver."};
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
      return {ASSAY_UNAVAILABLE, "nvidia-smi lists the GPUs; CUDA_VISIBLE_DEVICES may hide some."};
    case cudaErrorDevicesUnavailable:
      return {ASSAY_UNAVAILABLE, "The GPU is taken by another process alone, or closed to computing: see nvidia-smi."};
    case cudaErrorInitializationError:
    case cudaErrorSystemNotReady:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
      return {ASSAY_UNAVAILABLE, "See whether nvidia-smi works; after an update of the driver, reboot."};
    // After these "any further CUDA work will return the same error", as CUDA's reference says, or the GPU is gone.
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
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
    case cudaErrorExternalDevice:
      return kLost;
    case cudaErrorMpsClientTerminated:
      return {
          ASSAY_DEVICE_LOST,
          "The GPU's server (MPS) ended what this process had there; a new process may use it. The server's log says "
          "why."};
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorStreamCaptureMerge:
    case cudaErrorStreamCaptureUnmatched:
    case cudaErrorStreamCaptureUnjoined:
    case cudaErrorStreamCaptureIsolation:
    case cudaErrorStreamCaptureImplicit:
    case cudaErrorCapturedEvent:
    case cudaErrorStreamCaptureWrongThread:
      return {ASSAY_UNSUPPORTED, "Run without a CUDA graph."};
    default:
      return {ASSAY_FRAMEWORK, ""};
  }
}

std::string size_text(std::uint64_t bytes) {
  static constexpr double kStep = 1024;
  static constexpr std::array kUnits = {"KiB", "MiB", "GiB"};
  if (static_cast<double>(bytes) < kStep) return std::to_string(bytes) + " bytes";
  double size = static_cast<double>(bytes) / kStep;
  std::size_t unit = 0;
  for (; size >= kStep && unit + 1 < kUnits.size(); ++unit) size /= kStep;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", size, kUnits[unit]);
  return text.data();
}

}  // namespace assay::nvidia
