#pragma once
// CUDA's objects, each freed by its destructor on the device that it was made on. Not copied; moved.

#include <cstddef>
#include <utility>

#include "cuda_runtime.hpp"

namespace assay::nvidia {

/// Memory of the device.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(const CudaRuntime& cuda, int device, std::size_t bytes);  ///< ASSAY_OUT_OF_MEMORY with what is free
  ~DeviceBuffer();
  DeviceBuffer(DeviceBuffer&& other) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
  [[nodiscard]] void* data() const;
  [[nodiscard]] std::size_t bytes() const;
};

/// Pinned memory of the host, which copy engines reach by themselves. `allocate` and `free` are for memory that
/// crosses the plugin boundary.
void* allocate_pinned(const CudaRuntime& cuda, std::size_t bytes);
void free_pinned(const CudaRuntime& cuda, void* data);

/// A queue of the device; does not wait for the legacy default stream.
class Stream {
 public:
  Stream(const CudaRuntime& cuda, int device);
  [[nodiscard]] cudaStream_t get() const;
  void copy_in(void* device, const void* host, std::size_t bytes);
  void copy_out(void* host, const void* device, std::size_t bytes);
  void synchronize();
  /// Calls `done(user)` from a thread of CUDA's when all before it is done; it must not call CUDA.
  void call(void (*done)(void*), void* user);
};

/// A point in a stream, with time.
class Event {
 public:
  Event(const CudaRuntime& cuda, int device);
  void record(Stream& stream);
  void synchronize();
  /// From `begin` to this one, both passed.
  [[nodiscard]] std::int64_t nanoseconds_since(const Event& begin) const;
};

/// What was launched on a stream between begin and end, to be launched again as one.
class CapturedGraph {
 public:
  /// Captures what `launch` puts on the stream. ASSAY_UNSUPPORTED, with CUDA's words, where it cannot be captured.
  template <class Launch>
  CapturedGraph(const CudaRuntime& cuda, Stream& stream, Launch launch);
  void launch(Stream& stream);
};

}  // namespace assay::nvidia
