#include "runtime.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "assay/backend_kit_framework.hpp"

namespace assay::tensorflow {
namespace {

// The oldest whose C API has all that is used, and whose XLA takes a graph's constants as it should.
constexpr int kOldestMajor = 2;
constexpr int kOldestMinor = 12;

constexpr std::array<const char*, 4> kPatterns = {"tensorflow/libtensorflow_cc.so*", "lib/libtensorflow_cc.so*",
                                                  "libtensorflow_cc.so*", "libtensorflow.so*"};

constexpr const char* kOneDnn = "TF_ENABLE_ONEDNN_OPTS";

/// TensorFlow reads these once, when its library is opened. True: oneDNN will be on.
bool set_environment(const kit::Host& host) {
  ::setenv("TF_CPP_MIN_LOG_LEVEL", "3", 0);  // what fails comes back as a status; much of the rest knows no listener
  const auto asked = host.options.find("onednn");
  if (asked != host.options.end() && asked->second != "auto") {
    ::setenv(kOneDnn, asked->second == "true" ? "1" : "0", 1);
  }
  ::setenv(kOneDnn, "1", 0);  // the default on x86-64 since 2.9; said so that it is the same everywhere
  std::string value = std::getenv(kOneDnn);
  for (char& c : value) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return value != "0" && value != "false";
}

/// While it lives, what is written to standard error goes into memory: TensorFlow's initializers write there before any
/// listener can be registered.
class StandardError {
 public:
  StandardError() : kept_(::dup(STDERR_FILENO)), memory_(::memfd_create("stderr", MFD_CLOEXEC)) {
    if (kept_ >= 0 && memory_ >= 0) ::dup2(memory_, STDERR_FILENO);
  }
  ~StandardError() {
    if (kept_ >= 0) ::dup2(kept_, STDERR_FILENO);
    if (kept_ >= 0) ::close(kept_);
    if (memory_ >= 0) ::close(memory_);
  }
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;
  [[nodiscard]] std::string text() const {
    std::array<char, 4096> buffer{};
    const ssize_t n = memory_ >= 0 ? ::pread(memory_, buffer.data(), buffer.size(), 0) : 0;
    return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : "";
  }

 private:
  int kept_, memory_;
};

void* open_quietly(const kit::FoundLibrary& found, const kit::Host& host) {
  const StandardError standard_error;
  void* handle = kit::open_library(found.path, kit::Binding::kOwnFirst);  // it exports its protobuf
  const std::string said = standard_error.text();
  if (!said.empty()) host.log(ASSAY_LOG_DEBUG, "TensorFlow: " + said);
  return handle;
}

void on_log(const char* text) {
  std::string_view line(text);
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  const assay_log_level level = line.starts_with("E") || line.starts_with("F") ? ASSAY_LOG_WARNING : ASSAY_LOG_INFO;
  kit::LogScope::log_to_latest(level, "TensorFlow: " + std::string(line));
}

/// Runs once, in OneLibrary.
Runtime open_at(const kit::FoundLibrary& found, const kit::Host& host) {
  Runtime runtime;
  runtime.onednn = set_environment(host);
  runtime.library = found.path;
  runtime.origin = found.origin;
  runtime.api = resolve(open_quietly(found, host), found.path.c_str());
  runtime.version = runtime.api.version();
  check_version(runtime.version, found.path);
  runtime.api.register_log_listener(on_log);
  return runtime;
}

}  // namespace

const Runtime& open_runtime(const kit::Host& host) {
  static kit::OneLibrary<Runtime> one;
  const kit::FoundLibrary found = kit::find_library(host, kPatterns);
  if (found.path.empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE,
                       "no TensorFlow found: libtensorflow_cc.so is in none of the places that were looked at. Run "
                       "`assay setup tensorflow` (274 MB), or set ASSAY_TENSORFLOW_PATH to the folder that holds it.");
  }
  return one.get("TensorFlow", found, [&] { return open_at(found, host); });
}

void check_version(const std::string& version, const std::string& library) {
  kit::require_version("TensorFlow", "tensorflow", version, library, {kOldestMajor, kOldestMinor});
}

assay_status classify(Code code, bool broken_model) {
  switch (code) {
    case Code::kResourceExhausted:
      return ASSAY_OUT_OF_MEMORY;
    case Code::kUnimplemented:
      return ASSAY_UNSUPPORTED;
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kOutOfRange:  // a file that is cut or damaged
    case Code::kDataLoss:
      return broken_model ? ASSAY_INVALID_MODEL : ASSAY_FRAMEWORK;
    default:
      return ASSAY_FRAMEWORK;
  }
}

std::string Status::message() const {
  std::string text = runtime_.api.message(status_.get());
  for (std::size_t at; (at = text.find('\n')) != std::string::npos;) text.replace(at, 1, "; ");
  constexpr std::size_t kEnough = 1200;
  if (text.size() > kEnough) text.resize(kEnough);
  return text;
}

void Status::check(const std::string& what, bool broken_model) const {
  if (ok()) return;
  const Code code = runtime_.api.get_code(status_.get());
  throw kit::Failure(classify(code, broken_model),
                     what + " failed: " + message() + " (TensorFlow " + runtime_.version + ")");
}

}  // namespace assay::tensorflow
