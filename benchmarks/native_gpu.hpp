#pragma once
// The plain loop on a GPU that a user would write over a framework's own interface: one stream that computes and, for
// each batch outstanding, memory on both sides and a stream that copies. One thread hands over batch after batch and
// takes the oldest's answer, so that copies run beside the computing of other batches.

#include <memory>
#include <vector>

#include "native.hpp"
#include "nvidia/cuda_objects.hpp"

namespace assay::bench {

class GpuLoop : public NativeLoop {
 public:
  void predict(const float* x, float* y, int batches) final;

 protected:
  /// CUDA's runtime is the one that is open in this process.
  explicit GpuLoop(const NativeSettings& settings);

  /// Puts the computing of what lies in the slot's device memory on `computing`.
  virtual void launch(std::size_t slot) = 0;

  static constexpr int kDevice = 0;
  [[nodiscard]] std::size_t slots() const { return slots_.size(); }
  [[nodiscard]] void* input(std::size_t slot) const { return slots_[slot]->in.data(); }
  [[nodiscard]] void* output(std::size_t slot) const { return slots_[slot]->out.data(); }
  [[nodiscard]] const NativeSettings& settings() const { return settings_; }
  nvidia::Stream& computing() { return computing_; }

 private:
  class Pinned {
   public:
    Pinned(const nvidia::CudaRuntime& cuda, std::size_t bytes)
        : cuda_(cuda), data_(nvidia::allocate_pinned(cuda, bytes)) {}
    ~Pinned() { nvidia::free_pinned(cuda_, data_); }
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;
    [[nodiscard]] void* data() const { return data_; }

   private:
    const nvidia::CudaRuntime& cuda_;
    void* data_;
  };
  struct Slot {
    Slot(const nvidia::CudaRuntime& cuda, std::size_t bytes_in, std::size_t bytes_out);
    nvidia::Stream copying;
    nvidia::Event copied_in, computed;
    nvidia::DeviceBuffer in, out;
    Pinned host_in, host_out;
  };
  void begin(std::size_t slot, const float* x);
  void end(Slot& slot, float* y);

  NativeSettings settings_;
  std::size_t bytes_in_, bytes_out_;  ///< of a batch
  const nvidia::CudaRuntime& cuda_;
  nvidia::Stream computing_;
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace assay::bench
