#include "trt_log.hpp"

#include <array>
#include <utility>

#include "assay/backend_kit_framework.hpp"

namespace assay::tensorrt {
namespace {

constexpr std::size_t kMostErrors = 32;

bool contains_any(std::string_view text, std::span<const std::string_view> signs) {
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view sign) { return text.find(sign) != std::string_view::npos; });
}

class HostLogger final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const nvinfer1::AsciiChar* message) noexcept override {
    if (severity == Severity::kVERBOSE || message == nullptr) return;  // thousands of lines a layer
    try {
      const std::string text = message;
      if (severity == Severity::kERROR || severity == Severity::kINTERNAL_ERROR) keep(text);
      kit::LogScope::log_to_latest(level_of(severity), "TensorRT: " + text);
    } catch (...) {
      // Out of memory for a line of the log: the line is lost.
    }
  }

  /// Errors since the last time.
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(errors_, {});
  }

 private:
  static assay_log_level level_of(Severity severity) {
    switch (severity) {
      case Severity::kINTERNAL_ERROR:
      case Severity::kERROR:
        return ASSAY_LOG_ERROR;
      case Severity::kWARNING:
        return ASSAY_LOG_WARNING;
      case Severity::kINFO:
        return ASSAY_LOG_INFO;
      default:
        return ASSAY_LOG_DEBUG;
    }
  }
  void keep(const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (errors_.size() == kMostErrors) errors_.erase(errors_.begin());
    errors_.push_back(text);
  }

  std::mutex mutex_;
  std::vector<std::string> errors_;
};

HostLogger& host_logger() {
  static auto* const kLogger = new HostLogger;  // TensorRT may log while the process ends
  return *kLogger;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + without_location(text);
  return all;
}

}  // namespace

nvinfer1::ILogger& logger() { return host_logger(); }

assay_status status_of(nvinfer1::ErrorCode code, std::string_view text, assay_status otherwise) {
  static constexpr std::array<std::string_view, 6> kMemory = {"out of memory", "Out of memory",      "OutOfMemory",
                                                              "out_of_memory", "nsufficient memory", "std::bad_alloc"};
  static constexpr std::array<std::string_view, 4> kUnsupported = {"Could not find any implementation", "nsupported",
                                                                   "not supported", "does not support"};
  if (code == nvinfer1::ErrorCode::kFAILED_ALLOCATION || contains_any(text, kMemory)) return ASSAY_OUT_OF_MEMORY;
  if (code == nvinfer1::ErrorCode::kUNSUPPORTED_STATE || contains_any(text, kUnsupported)) return ASSAY_UNSUPPORTED;
  return otherwise;
}

std::string without_location(const std::string& text) {
  if (!text.starts_with('[')) return text;
  const std::size_t end = text.find("] ");
  return end == std::string::npos || text.find("::") > end ? text : text.substr(end + 2);
}

ErrorList::ErrorList() { entries_.reserve(kMostErrors); }

std::vector<ErrorList::Entry> ErrorList::take_entries() {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> taken(entries_.begin(), entries_.end());
  entries_.clear();
  overflowed_ = false;
  return taken;
}

std::string ErrorList::take() {
  std::vector<std::string> texts;
  for (Entry& entry : take_entries()) texts.push_back(std::move(entry.text));
  const std::vector<std::string> logged = host_logger().take();
  return joined(texts.empty() ? logged : texts);
}

void ErrorList::fail(const std::string& what, assay_status otherwise) {
  std::vector<std::string> texts;
  assay_status status = otherwise;
  for (Entry& entry : take_entries()) {
    if (status == otherwise) status = status_of(entry.code, entry.text, otherwise);
    texts.push_back(std::move(entry.text));
  }
  std::vector<std::string> logged = host_logger().take();
  if (texts.empty()) texts = std::move(logged);
  const std::string said = joined(texts);
  if (status == otherwise) status = status_of(nvinfer1::ErrorCode::kUNSPECIFIED_ERROR, said, otherwise);
  throw kit::Failure(status, what + " failed: " + (said.empty() ? "TensorRT gave no reason" : said));
}

std::int32_t ErrorList::getNbErrors() const noexcept {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int32_t>(entries_.size());
}

nvinfer1::ErrorCode ErrorList::getErrorCode(std::int32_t index) const noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = static_cast<std::size_t>(index);
  return at < entries_.size() ? entries_[at].code : nvinfer1::ErrorCode::kUNSPECIFIED_ERROR;
}

nvinfer1::IErrorRecorder::ErrorDesc ErrorList::getErrorDesc(std::int32_t index) const noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = static_cast<std::size_t>(index);
  return at < entries_.size() ? entries_[at].text.c_str() : "";
}

bool ErrorList::hasOverflowed() const noexcept {
  const std::lock_guard lock(mutex_);
  return overflowed_;
}

void ErrorList::clear() noexcept {
  const std::lock_guard lock(mutex_);
  entries_.clear();
  overflowed_ = false;
}

bool ErrorList::reportError(nvinfer1::ErrorCode code, ErrorDesc text) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    if (entries_.size() < kMostErrors) {
      entries_.push_back({code, text != nullptr ? text : ""});
    } else {
      overflowed_ = true;
    }
  } catch (...) {
    overflowed_ = true;  // out of memory for a text
  }
  return false;  // whether it is fatal is seen by what the call that failed answers
}

}  // namespace assay::tensorrt
