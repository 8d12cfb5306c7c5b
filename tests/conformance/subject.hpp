#pragma once
// What the checks work with: a plugin, models that it can open, and batches.

#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "base/file.hpp"
#include "conformance/backends.hpp"

namespace assay::conformance {

/// A check that does not hold; the text says what was found.
class Nonconformance : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void require(bool holds, const std::string& what);

/// `body` must throw Error with a message; its code must be one of `codes`. Answers the message.
std::string require_error(const std::vector<ErrorCode>& codes, const std::string& what,
                          const std::function<void()>& body);

/// Models of tests/support/tiny_models.hpp; the null backend has them as text of its option `io`.
enum class Model { kLinear, kTypes, kNonZero, kMean, kFixed, kSequence, kSum };

class Subject {
 public:
  explicit Subject(Tested tested);
  [[nodiscard]] const backend::Backend& backend() const { return backend_; }
  [[nodiscard]] const std::string& device() const { return tested_.device; }
  /// Computes nothing: its answers are checked against each other only.
  [[nodiscard]] bool is_null() const { return backend_.name() == "null"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  /// On the device, with one thread, f32, no cache, `model` written to a file.
  backend::OpenRequest request(Model model) const;
  backend::BackendSession open(Model model = Model::kLinear) const { return backend_.open(request(model)); }

 private:
  Tested tested_;
  backend::Backend backend_;
  TemporaryFolder folder_;
};

/// Counts calls of an assay_done_fn, and waits for them.
class Signal {
 public:
  static void done(void* user);
  void await(int count);
  int count();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

/// One tensor of a batch in memory of its own: aligned to 64 bytes and then `offset` bytes on, guarded on both sides.
class Buffer {
 public:
  Buffer(DType dtype, Shape shape, std::size_t offset = 0);
  template <class T>
  Buffer(DType dtype, Shape shape, const std::vector<T>& values, std::size_t offset = 0)
      : Buffer(dtype, std::move(shape), offset) {
    require(values.size() * sizeof(T) == bytes_, "a defect of the suite: a buffer's values do not fill its shape");
    std::memcpy(data_, values.data(), bytes_);
  }
  [[nodiscard]] assay_tensor tensor();
  [[nodiscard]] void* data() { return data_; }
  template <class T>
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> result(bytes_ / sizeof(T));
    std::memcpy(result.data(), data_, bytes_);
    return result;
  }
  /// Whether nothing around it was written.
  [[nodiscard]] bool guards_stand() const;

 private:
  DType dtype_;
  Shape shape_;
  std::size_t bytes_ = 0;
  std::vector<std::byte> memory_;
  std::byte* data_ = nullptr;
};

/// A slot of the linear model, and its batches. `samples` in [1, …); values follow from `seed`.
class LinearSlot {
 public:
  LinearSlot(const Subject& subject, backend::BackendSession& session, int samples, std::size_t offset = 0);
  /// Fills the input and starts; with `signal`, asynchronously.
  void submit(unsigned seed, Signal* signal = nullptr);
  /// Waits; the output, which must lie where it was told to and be right.
  std::vector<float> wait();
  std::vector<float> run(unsigned seed, Signal* signal = nullptr) {
    submit(seed, signal);
    return wait();
  }
  backend::Slot& slot() { return slot_; }
  Buffer& input() { return x_; }
  Buffer& output() { return y_; }
  void fill(unsigned seed);
  double tolerance = 1e-4;

 private:
  bool null_;
  int samples_;
  Buffer x_, y_;
  backend::Slot slot_;
};

}  // namespace assay::conformance
