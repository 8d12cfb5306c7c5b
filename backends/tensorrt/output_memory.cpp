#include "output_memory.hpp"

namespace assay::tensorrt {

PinnedBuffer& PinnedBuffer::operator=(PinnedBuffer&& other) noexcept {
  if (this == &other) return *this;
  nvidia_free();
  cuda_ = other.cuda_;
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void PinnedBuffer::nvidia_free() noexcept {
  if (data_ != nullptr) nvidia::free_pinned(*cuda_, std::exchange(data_, nullptr));
  bytes_ = 0;
}

void* PinnedBuffer::at_least(std::uint64_t bytes) {
  if (bytes <= bytes_) return data_;
  nvidia_free();
  data_ = nvidia::allocate_pinned(*cuda_, bytes);
  bytes_ = bytes;
  return data_;
}

// What it is to be aligned to is less than cudaMalloc's 256 bytes.
void* GrowingOutput::reallocateOutputAsync(const char* /*tensor*/, void* /*current*/, std::uint64_t bytes,
                                           std::uint64_t /*alignment*/, cudaStream_t /*stream*/) {
  try {
    if (bytes > memory_.bytes()) {
      memory_ = {};  // both at once may be more than there is
      memory_ = nvidia::DeviceBuffer(cuda_, device_, bytes);
    }
    return memory_.data();
  } catch (const std::exception&) {
    return nullptr;  // TensorRT reports that it has no memory
  }
}

void GrowingOutput::notifyShape(const char* /*tensor*/, const nvinfer1::Dims& dims) noexcept { dims_ = dims; }

}  // namespace assay::tensorrt
