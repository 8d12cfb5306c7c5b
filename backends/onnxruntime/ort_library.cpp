#include "ort_library.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "assay/backend_kit_framework.hpp"

namespace assay::ort {
namespace {

constexpr std::array<const char*, 5> kPatterns = {"onnxruntime/capi/libonnxruntime.so*", "libonnxruntime.so*",
                                                  "capi/libonnxruntime.so*", "lib/libonnxruntime.so*",
                                                  "lib64/libonnxruntime.so*"};

assay_log_level log_level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kVerbose:
      return ASSAY_LOG_DEBUG;
    case LogLevel::kInfo:
      return ASSAY_LOG_INFO;
    case LogLevel::kWarning:
      return ASSAY_LOG_WARNING;
    default:
      return ASSAY_LOG_ERROR;
  }
}

std::string not_found(const kit::Host& host) {
  std::string text = "ONNX Runtime's library (libonnxruntime.so) was not found; looked in";
  for (const auto& [folder, origin] : host.roots) text += " " + folder + " (" + origin + "),";
  if (host.roots.empty()) text += " no folder at all,";
  text.back() = '.';
  return text + " Run `assay setup onnxruntime`, or set ASSAY_ONNXRUNTIME_PATH to its folder.";
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// CUDA's words for errors after which the process gets no more answers of the device.
bool is_device_lost(std::string_view message) {
  for (const char* words : {"illegal memory access", "unspecified launch failure", "device-side assert triggered",
                            "uncorrectable ECC error", "hardware stack error", "misaligned address",
                            "illegal instruction was encountered", "invalid program counter"}) {
    if (contains(message, words)) return true;
  }
  return false;
}

}  // namespace

std::uint32_t api_version_of(std::string_view version_string) {
  if (!version_string.starts_with("1.")) return 0;
  std::uint32_t minor = 0;
  const char* begin = version_string.data() + 2;
  const char* end = version_string.data() + version_string.size();
  const auto [rest, error] = std::from_chars(begin, end, minor);
  return error == std::errc() && rest != begin ? minor : 0;
}

assay_status status_of(ErrorCode code, std::string_view message) {
  if (contains(message, "bad_alloc") || contains(message, "Failed to allocate memory") ||
      contains(message, "out of memory") || contains(message, "Available memory of") ||
      contains(message, "STATUS_ALLOC_FAILED")) {
    return ASSAY_OUT_OF_MEMORY;
  }
  if (is_device_lost(message)) return ASSAY_DEVICE_LOST;
  // Well-formed files that this version has no kernel, operator set or file format for.
  if (contains(message, "No Op registered for") || contains(message, "is not a registered function/op") ||
      contains(message, "Unsupported model IR version") || contains(message, "officially released onnx opset") ||
      contains(message, "official released onnx opset") || contains(message, "cannot use the graph capture feature")) {
    return ASSAY_UNSUPPORTED;
  }
  if (contains(message, "No graph was found in the protobuf")) return ASSAY_INVALID_MODEL;
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return ASSAY_INVALID_ARGUMENT;
    case ErrorCode::kNoSuchFile:
    case ErrorCode::kNoModel:
    case ErrorCode::kInvalidProtobuf:
    case ErrorCode::kInvalidGraph:
      return ASSAY_INVALID_MODEL;
    case ErrorCode::kNotImplemented:
    case ErrorCode::kModelRequiresCompilation:
      return ASSAY_UNSUPPORTED;
    case ErrorCode::kDeviceReset:
      return ASSAY_DEVICE_LOST;
    default:
      return ASSAY_FRAMEWORK;
  }
}

void forward_log(void* user, LogLevel level, const char* category, const char* /*log_id*/, const char* location,
                 const char* message) {
  // Said of every graph that is saved. It is the cache's to see that it is read only on the machine it was made for.
  if (contains(message, "Serializing optimized model with Graph Optimization level greater than")) return;
  const std::string text = std::string("ONNX Runtime: ") + message + " [" + category + ", " + location + "]";
  if (user != nullptr) {
    static_cast<const kit::Host*>(user)->log(log_level_of(level), text);
    return;
  }
  kit::LogScope::log_to_latest(log_level_of(level), text);
}

Library& Library::get(const kit::Host& host) {
  static std::mutex mutex;
  static auto* const kOpened = new std::map<std::string, std::unique_ptr<Library>>;  // never closed
  const kit::FoundLibrary found = kit::find_library(host, kPatterns);
  if (found.path.empty()) throw kit::Failure(ASSAY_UNAVAILABLE, not_found(host));
  const std::lock_guard lock(mutex);
  if (const auto it = kOpened->find(found.path); it != kOpened->end()) return *it->second;
  void* handle = kit::open_library(found.path);
  auto* base = reinterpret_cast<GetApiBase*>(::dlsym(handle, "OrtGetApiBase"));
  if (base == nullptr || base() == nullptr) {
    throw kit::Failure(ASSAY_UNAVAILABLE, found.path + " (" + found.origin +
                                              ") is not ONNX Runtime: it has no symbol OrtGetApiBase. Name the folder "
                                              "or file of libonnxruntime.so in ASSAY_ONNXRUNTIME_PATH.");
  }
  return *kOpened->emplace(found.path, std::make_unique<Library>(*base(), found)).first->second;
}

Library::Library(const ApiBase& base, kit::FoundLibrary found)
    : found_(std::move(found)), version_(base.get_version_string()) {
  api_version_ = api_version_of(version_);
  // A version that it does not have makes the library write to stderr: compare first, ask then.
  if (api_version_ >= kApiRequired) table_ = base.get_api(kApiRequired);
  if (table_ == nullptr) {
    throw kit::Failure(ASSAY_UNAVAILABLE, "ONNX Runtime " + version_ + " in " + found_.path + " (" + found_.origin +
                                              ") is too old: version 1." + std::to_string(kApiRequired) +
                                              ".0 or newer is needed. Run `assay setup onnxruntime`, or set "
                                              "ASSAY_ONNXRUNTIME_PATH to a newer one.");
  }
}

OrtEnv* Library::env() {
  std::call_once(env_once_, [this] {
    call<CreateEnvWithCustomLogger>("creating the environment", forward_log, nullptr, LogLevel::kWarning, "assay",
                                    &env_);
  });
  return env_;
}

void Library::fail(OrtStatus* status, const char* what) const {
  const auto code = raw<GetErrorCode>(status);
  const std::string message = raw<GetErrorMessage>(status);
  raw<ReleaseStatus>(status);
  throw kit::Failure(status_of(code, message), std::string("ONNX Runtime, ") + what + ": " + message);
}

}  // namespace assay::ort
