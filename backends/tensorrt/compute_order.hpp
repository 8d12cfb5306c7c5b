#pragma once
// The batches of a session compute one after another, whichever streams they are in, while their copies overlap. Side
// by side on the device, each batch's clock would run while others' kernels do.

#include <mutex>

#include "nvidia/cuda_objects.hpp"

namespace assay::tensorrt {

/// Thread-safe.
class ComputeOrder {
 public:
  /// Puts what `compute` launches on `stream`, between two events, behind what was put before; no thread waits for the
  /// device. `end` must stay until `forget`. Where `compute` throws, it leaves nothing on the stream: the next batch
  /// does not wait for it, and has the same scratch memory.
  template <class Compute>
  void launch(nvidia::Stream& stream, nvidia::Event& begin, nvidia::Event& end, const Compute& compute) {
    const std::lock_guard lock(mutex_);
    if (last_ != nullptr && last_ != &end) stream.wait(*last_);
    begin.record(stream);
    compute();
    end.record(stream);
    last_ = &end;
  }

  /// Before `end` goes; what it marks has passed.
  void forget(const nvidia::Event& end) {
    const std::lock_guard lock(mutex_);
    if (last_ == &end) last_ = nullptr;
  }

 private:
  std::mutex mutex_;
  const nvidia::Event* last_ = nullptr;  // the end of the batch that was launched last
};

}  // namespace assay::tensorrt
