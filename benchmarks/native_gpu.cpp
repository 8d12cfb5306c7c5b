#include "native_gpu.hpp"

#include <cstring>

namespace assay::bench {
namespace {

std::size_t bytes_of(const Shape& shape) { return static_cast<std::size_t>(element_count(shape)) * sizeof(float); }

const nvidia::CudaRuntime& opened_cuda() {
  const nvidia::CudaRuntime& cuda = nvidia::CudaRuntime::open({});
  cuda.set_device(0);
  return cuda;
}

}  // namespace

GpuLoop::Slot::Slot(const nvidia::CudaRuntime& cuda, std::size_t bytes_in, std::size_t bytes_out)
    : copying(cuda, kDevice),
      copied_in(cuda, kDevice),
      computed(cuda, kDevice),
      in(cuda, kDevice, bytes_in),
      out(cuda, kDevice, bytes_out),
      host_in(cuda, bytes_in),
      host_out(cuda, bytes_out) {}

GpuLoop::GpuLoop(const NativeSettings& settings)
    : settings_(settings),
      bytes_in_(bytes_of(settings.input_shape)),
      bytes_out_(bytes_of(settings.output_shape)),
      cuda_(opened_cuda()),
      computing_(cuda_, kDevice) {
  for (int i = 0; i < settings.in_flight; ++i) {
    slots_.push_back(std::make_unique<Slot>(cuda_, bytes_in_, bytes_out_));
  }
}

void GpuLoop::begin(std::size_t slot, const float* x) {
  Slot& s = *slots_[slot];
  std::memcpy(s.host_in.data(), x, bytes_in_);
  s.copying.copy_in(s.in.data(), s.host_in.data(), bytes_in_);
  s.copied_in.record(s.copying);
  computing_.wait(s.copied_in);
  launch(slot);
  s.computed.record(computing_);
  s.copying.wait(s.computed);
  s.copying.copy_out(s.host_out.data(), s.out.data(), bytes_out_);
}

void GpuLoop::end(Slot& slot, float* y) {
  slot.copying.synchronize();
  std::memcpy(y, slot.host_out.data(), bytes_out_);
}

void GpuLoop::predict(const float* x, float* y, int batches) {
  const auto outstanding = static_cast<int>(slots_.size());
  const std::size_t in = bytes_in_ / sizeof(float), out = bytes_out_ / sizeof(float);
  for (int b = 0; b < batches + outstanding; ++b) {
    const auto slot = static_cast<std::size_t>(b % outstanding);
    const int oldest = b - outstanding;
    if (oldest >= 0 && oldest < batches) end(*slots_[slot], y + static_cast<std::size_t>(oldest) * out);
    if (b < batches) begin(slot, x + static_cast<std::size_t>(b) * in);
  }
}

}  // namespace assay::bench
