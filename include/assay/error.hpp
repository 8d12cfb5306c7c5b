#pragma once

#include <exception>
#include <string>
#include <utility>

#include "assay/export.hpp"

namespace assay {

/// What kind of thing went wrong; the first eight are the plugin boundary's statuses.
enum class ErrorCode {
  kInvalidArgument = 1,  ///< the caller's mistake: wrong shape, unknown name, value out of range
  kInvalidModel = 2,     ///< the model file is broken or hostile
  kUnsupported = 3,      ///< well formed, but this backend or device cannot do it; a case becomes Skipped
  kUnavailable = 4,      ///< a framework's library, a driver or a device is missing or too old
  kOutOfMemory = 5,
  kFramework = 6,  ///< a framework reported a failure
  kDeviceLost = 7,
  kInternal = 8,  ///< a defect of ours or of a plugin
  kIo = 20,       ///< a file or folder: missing, not readable, disk full
  kTimeout = 21,
  kCancelled = 22,
  kCrashed = 23,  ///< a worker process died
  kParity = 24,   ///< outputs disagree with the reference
};

/// "invalid argument", "out of memory" …
ASSAY_API const char* to_string(ErrorCode code);

/// The one exception type of Assay. `message` says what was asked, what was found and what to do; `context` names the
/// thing concerned (a path, a node, a case) and may be empty.
class ASSAY_API Error : public std::exception {
 public:
  Error(ErrorCode code, std::string message, std::string context = {});
  ~Error() override;
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const std::string& context() const noexcept { return context_; }
  /// "context: message", or the message alone.
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  ErrorCode code_;
  std::string message_;
  std::string context_;
  std::string what_;
};

}  // namespace assay
