#pragma once
// CUDA's runtime library, opened by dlopen: one binary for machines with and without a GPU. Types are those of the
// public header (cuda_runtime_api.h of the pinned wheel); no symbol of the library is linked. What fails is a
// kit::Failure that says what was asked, CUDA's own words and what to do: ASSAY_UNAVAILABLE without library, driver or
// device, ASSAY_OUT_OF_MEMORY, ASSAY_DEVICE_LOST for errors after which the device answers nothing more, else
// ASSAY_FRAMEWORK.

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::nvidia {

/// What is told of one GPU.
struct DeviceFacts {
  std::string name;            ///< "NVIDIA H100 80GB HBM3"
  std::string uuid;            ///< "GPU-…", as NVML and nvidia-smi write it
  std::string bus_id;          ///< "0000:17:00.0"
  std::uint64_t memory_bytes;  ///< of the device
  int major, minor;            ///< compute capability
  bool integrated;             ///< shares the host's memory
};

/// The library that was met: opened once a process, never closed. All functions may be called from any thread.
class CudaRuntime {
 public:
  /// The oldest runtime whose functions are used.
  static constexpr int kOldest = 12000;

  /// Opens `libcudart.so.13`, then `.12`, from each of `roots` (site-packages: nvidia/cu13/lib,
  /// nvidia/cuda_runtime/lib, or the folder itself), then by the loader's own rules. ASSAY_UNAVAILABLE with every place
  /// that was looked at.
  static const CudaRuntime& open(const std::vector<kit::SearchRoot>& roots);
  /// As `open`, but the caller's own instead of the process's: for tests.
  static std::unique_ptr<const CudaRuntime> load(const std::vector<kit::SearchRoot>& roots);
  ~CudaRuntime();
  CudaRuntime(const CudaRuntime&) = delete;
  CudaRuntime& operator=(const CudaRuntime&) = delete;

  [[nodiscard]] const std::string& library() const;  ///< path that was opened
  [[nodiscard]] int runtime_version() const;         ///< 13000 …
  [[nodiscard]] int driver_version() const;          ///< the newest CUDA that the driver serves; 0: no driver
  [[nodiscard]] std::string driver() const;          ///< "580.65.06 (CUDA 13.0)"; without NVML "of CUDA 13.0"

  /// ASSAY_UNAVAILABLE with the exact reason where there is no driver, it is too old, or it answers an error. 0: none.
  [[nodiscard]] int device_count() const;
  [[nodiscard]] DeviceFacts facts(int device) const;
  /// kit's devices "gpu:0" …, with name, memory, driver and compute capability; UUID, driver and capability are
  /// identity.
  [[nodiscard]] std::vector<kit::Device> devices() const;
  /// What a session on it says of its GPU (assay_session_info's in_force), the same keys in every plugin: "gpu.uuid",
  /// by which a worker asks NVML, "gpu.name", "driver".
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> in_force(int device) const;
  /// N of "gpu:N". ASSAY_UNAVAILABLE naming those that are there.
  [[nodiscard]] int index_of(const std::string& device) const;

  void set_device(int device) const;         ///< of the calling thread; every call below acts on it
  [[nodiscard]] int current_device() const;  ///< the calling thread's, as CUDA tells it
  /// The device that memory lies on, as CUDA tells it; nothing where it is the host's, or no memory of CUDA's.
  [[nodiscard]] std::optional<int> device_of(const void* data) const;
  void synchronize() const;  ///< the calling thread's device

  struct Table;  ///< the functions, by name; for the wrappers of cuda_objects.hpp
  [[nodiscard]] const Table& table() const;
  /// Throws where `status` is an error; `what` was asked: "copy 600 KiB to gpu:0". The thread's last error is forgotten
  /// then: a framework that asks for it next would take it for its own.
  void check(cudaError_t status, const std::string& what) const;

 private:
  CudaRuntime();
  void open_file(const std::string& path);

  std::unique_ptr<Table> table_;
  std::string library_;
};

/// "13.0" of 13000.
std::string cuda_version_text(int version);

}  // namespace assay::nvidia
