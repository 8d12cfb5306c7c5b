#pragma once
// CUDA's objects, each freed by its destructor on the device that it was made on. Not copied; moved. What acts on a
// device makes it the calling thread's and leaves it so: to go back would wake the other device.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "nvidia/cuda_runtime.hpp"

namespace assay::nvidia {

namespace detail {

/// A handle, a device, and how the handle is given back there.
template <class Handle>
class Owned {
 public:
  using GiveBack = cudaError_t (*)(Handle);
  Owned() = default;
  Owned(const CudaRuntime& cuda, int device, Handle handle, GiveBack give_back)
      : cuda_(&cuda), device_(device), handle_(handle), give_back_(give_back) {}
  ~Owned() { reset(); }
  Owned(Owned&& other) noexcept
      : cuda_(other.cuda_),
        device_(other.device_),
        handle_(std::exchange(other.handle_, nullptr)),
        give_back_(other.give_back_) {}
  Owned& operator=(Owned&& other) noexcept {
    if (this == &other) return *this;
    reset();
    cuda_ = other.cuda_;
    device_ = other.device_;
    handle_ = std::exchange(other.handle_, nullptr);
    give_back_ = other.give_back_;
    return *this;
  }
  [[nodiscard]] Handle get() const { return handle_; }
  [[nodiscard]] const CudaRuntime& cuda() const { return *cuda_; }
  [[nodiscard]] int device() const { return device_; }

 private:
  void reset() noexcept;

  const CudaRuntime* cuda_ = nullptr;
  int device_ = 0;
  Handle handle_ = nullptr;
  GiveBack give_back_ = nullptr;
};

}  // namespace detail

/// Memory of the device.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(const CudaRuntime& cuda, int device, std::size_t bytes);  ///< ASSAY_OUT_OF_MEMORY with what is free
  [[nodiscard]] void* data() const { return memory_.get(); }             ///< nullptr of no bytes
  [[nodiscard]] std::size_t bytes() const { return memory_.get() == nullptr ? 0 : bytes_; }

 private:
  detail::Owned<void*> memory_;
  std::size_t bytes_ = 0;
};

/// Pinned memory of the host, which the copy engines of every GPU reach by themselves. `allocate` and `free` are for
/// memory that crosses the plugin boundary; they act on the calling thread's device (CudaRuntime::set_device).
void* allocate_pinned(const CudaRuntime& cuda, std::size_t bytes);
void free_pinned(const CudaRuntime& cuda, void* data);  ///< nullptr: nothing. Never fails

class Event;

/// A queue of the device; does not wait for the legacy default stream.
class Stream {
 public:
  Stream(const CudaRuntime& cuda, int device);
  [[nodiscard]] cudaStream_t get() const { return stream_.get(); }
  [[nodiscard]] int device() const { return stream_.device(); }
  void copy_in(void* device, const void* host, std::size_t bytes);
  void copy_out(void* host, const void* device, std::size_t bytes);
  /// What is put here from now on begins when the event, of whichever stream, has passed; nobody's thread waits.
  void wait(const Event& event);
  /// As CUDA waits by default: without sleeping, where cores are free. Event::synchronize sleeps.
  void synchronize();
  /// Calls `done(user)` from a thread of CUDA's when all before it is done; it must not call CUDA.
  void call(void (*done)(void*), void* user);

 private:
  detail::Owned<cudaStream_t> stream_;
};

/// A point in a stream, with time.
class Event {
 public:
  Event(const CudaRuntime& cuda, int device);
  [[nodiscard]] cudaEvent_t get() const { return event_.get(); }
  void record(Stream& stream);
  [[nodiscard]] bool passed() const;  ///< waits for nothing
  void synchronize();                 ///< the waiting thread sleeps
  /// From `begin` to this one, both passed.
  [[nodiscard]] std::int64_t nanoseconds_since(const Event& begin) const;

 private:
  detail::Owned<cudaEvent_t> event_;
};

/// How long the device went on after the host had launched all of a batch, `launching` after it began: `begun` was
/// recorded on an empty stream when the host began, so that the two clocks agree there, and `computed` behind the
/// batch. Both passed. 0: it was done as soon as the host was.
[[nodiscard]] std::int64_t nanoseconds_ahead(const Event& begun, const Event& computed,
                                             std::chrono::nanoseconds launching);

/// What was launched on a stream between begin and end, to be launched again as one.
class CapturedGraph {
 public:
  /// Captures what `launch` puts on the stream, from this thread. ASSAY_UNSUPPORTED, with CUDA's words, where it cannot
  /// be captured.
  CapturedGraph(const CudaRuntime& cuda, Stream& stream, const std::function<void()>& launch);
  void launch(Stream& stream);

 private:
  detail::Owned<cudaGraphExec_t> graph_;
};

}  // namespace assay::nvidia
