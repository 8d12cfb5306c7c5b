#pragma once
// Memory of a slot's outputs: on the host, and on the device where a size is known only while a batch is launched.

#include <NvInferRuntime.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "nvidia/cuda_objects.hpp"

namespace assay::tensorrt {

/// Pinned memory of the host that grows. Not copied; moved.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(const nvidia::CudaRuntime& cuda) : cuda_(&cuda) {}
  ~PinnedBuffer() { nvidia_free(); }
  PinnedBuffer(PinnedBuffer&& other) noexcept
      : cuda_(other.cuda_), data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept;
  PinnedBuffer(const PinnedBuffer&) = delete;
  PinnedBuffer& operator=(const PinnedBuffer&) = delete;

  /// Memory of at least so many bytes; what was in it is lost where it grows.
  void* at_least(std::uint64_t bytes);
  [[nodiscard]] void* data() const { return data_; }

 private:
  void nvidia_free() noexcept;
  const nvidia::CudaRuntime* cuda_ = nullptr;
  void* data_ = nullptr;
  std::uint64_t bytes_ = 0;
};

/// An output whose shape depends on the values: TensorRT asks for its memory, and says the shape, in enqueue.
class GrowingOutput final : public nvinfer1::IOutputAllocator {
 public:
  GrowingOutput(const nvidia::CudaRuntime& cuda, int device) : cuda_(cuda), device_(device) {}
  void* reallocateOutputAsync(const char* tensor, void* current, std::uint64_t bytes, std::uint64_t alignment,
                              cudaStream_t stream) override;
  void notifyShape(const char* tensor, const nvinfer1::Dims& dims) noexcept override;

  [[nodiscard]] void* data() const { return memory_.data(); }
  [[nodiscard]] const nvinfer1::Dims& dims() const { return dims_; }

 private:
  const nvidia::CudaRuntime& cuda_;
  int device_;
  nvidia::DeviceBuffer memory_;
  nvinfer1::Dims dims_{};
};

}  // namespace assay::tensorrt
