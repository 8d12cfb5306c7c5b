#include "assay/error.hpp"

namespace assay {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kInvalidModel:
      return "invalid model";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kOutOfMemory:
      return "out of memory";
    case ErrorCode::kFramework:
      return "framework failure";
    case ErrorCode::kDeviceLost:
      return "device lost";
    case ErrorCode::kInternal:
      return "internal error";
    case ErrorCode::kIo:
      return "input/output error";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kCrashed:
      return "crashed";
    case ErrorCode::kParity:
      return "outputs disagree with the reference";
  }
  return "unknown error";
}

Error::Error(ErrorCode code, std::string message, std::string context)
    : code_(code),
      message_(std::move(message)),
      context_(std::move(context)),
      what_(context_.empty() ? message_ : context_ + ": " + message_) {}

Error::~Error() = default;

}  // namespace assay
