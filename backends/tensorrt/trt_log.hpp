#pragma once
// What TensorRT says: its log goes to the host's, its errors into the message of what failed.

#include <NvInferRuntime.h>

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::tensorrt {

/// The one logger of the process, never destroyed: TensorRT keeps the first that it was given for what belongs to no
/// object. What it is told goes to the host whose session (kit::LogScope) is the latest.
nvinfer1::ILogger& logger();

/// Which status an error of TensorRT's is, by its code and its text. `otherwise`: where neither says more.
assay_status status_of(nvinfer1::ErrorCode code, std::string_view text, assay_status otherwise);

/// "[optimizer.cpp::compute::3869] Error Code 10: Internal Error (why)" without where in TensorRT it was said.
std::string without_location(const std::string& text);

/// Errors of the objects that it was given to; it must outlive them. Thread-safe.
class ErrorList final : public nvinfer1::IErrorRecorder {
 public:
  ErrorList();

  /// Throws what was recorded since the last time as one Failure: "<what> failed: <errors> ". What was logged as an
  /// error stands in where nothing was recorded.
  [[noreturn]] void fail(const std::string& what, assay_status otherwise = ASSAY_FRAMEWORK);
  /// The errors as one text, "" for none; they are forgotten.
  std::string take();

  [[nodiscard]] std::int32_t getNbErrors() const noexcept override;
  [[nodiscard]] nvinfer1::ErrorCode getErrorCode(std::int32_t index) const noexcept override;
  [[nodiscard]] ErrorDesc getErrorDesc(std::int32_t index) const noexcept override;
  [[nodiscard]] bool hasOverflowed() const noexcept override;
  void clear() noexcept override;
  bool reportError(nvinfer1::ErrorCode code, ErrorDesc text) noexcept override;
  RefCount incRefCount() noexcept override { return ++references_; }
  RefCount decRefCount() noexcept override { return --references_; }

 private:
  struct Entry {
    nvinfer1::ErrorCode code;
    std::string text;
  };
  std::vector<Entry> take_entries();

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // of a fixed capacity: texts are handed out
  bool overflowed_ = false;
  std::atomic<RefCount> references_{0};
};

}  // namespace assay::tensorrt
