#include "runtime.hpp"

#include <array>
#include <string_view>

#include "assay/backend_kit_framework.hpp"

namespace assay::openvino {
namespace {

// The oldest whose element types are numbered as ElementType has them.
constexpr int kOldestYear = 2026;
constexpr int kOldestRelease = 0;

constexpr std::array<const char*, 7> kPatterns = {"openvino/libs/libopenvino_c.so*",
                                                  "libs/libopenvino_c.so*",
                                                  "runtime/lib/intel64/libopenvino_c.so*",
                                                  "runtime/lib/aarch64/libopenvino_c.so*",
                                                  "lib/x86_64-linux-gnu/libopenvino_c.so*",
                                                  "lib/libopenvino_c.so*",
                                                  "libopenvino_c.so*"};

std::string version_of(const Runtime& runtime) {
  ov_version version{};
  check(runtime, runtime.api.get_openvino_version(&version), Phase::kRun, "asking OpenVINO for its version");
  std::string text = version.build_number != nullptr ? version.build_number : "";
  runtime.api.version_free(&version);
  return text;
}

/// Runs once, in OneLibrary.
Runtime open_at(const kit::FoundLibrary& found) {
  Runtime runtime;
  runtime.library = found.path;
  runtime.origin = found.origin;
  runtime.api = resolve(kit::open_library(found.path), found.path.c_str());
  runtime.version = version_of(runtime);
  check_version(runtime.version, found.path);
  // What OpenVINO wants to say goes nowhere instead of to the user's terminal; failures carry their message.
  if (runtime.api.util_set_log_callback != nullptr) runtime.api.util_set_log_callback([](const char*) {});
  return runtime;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

const Runtime& open_runtime(const kit::Host& host) {
  static kit::OneLibrary<Runtime> one;
  const kit::FoundLibrary found = kit::find_library(host, kPatterns);
  if (found.path.empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE,
                       "no OpenVINO found: libopenvino_c.so is in none of the places that were looked at. Run "
                       "`assay setup openvino`, or set ASSAY_OPENVINO_PATH to the folder that holds it.");
  }
  return one.get("OpenVINO", found, [&] { return open_at(found); });
}

void check_version(const std::string& version, const std::string& library) {
  kit::require_version("OpenVINO", "openvino", version, library, {kOldestYear, kOldestRelease});
}

assay_status classify(Phase phase, const std::string& message) {
  for (const char* sign : {"bad_alloc", "out of memory", "Cannot allocate", "Failed to allocate", "bad allocation"}) {
    if (contains(message, sign)) return ASSAY_OUT_OF_MEMORY;
  }
  if (phase == Phase::kReshape) return ASSAY_INVALID_ARGUMENT;
  if (phase == Phase::kRun) return ASSAY_FRAMEWORK;
  for (const char* sign : {"not supported", "does not support", "nsupported", "not implemented", "No conversion rule",
                           "not yet supported", "cannot be converted", "Not Implemented"}) {
    if (contains(message, sign)) return ASSAY_UNSUPPORTED;
  }
  return phase == Phase::kRead ? ASSAY_INVALID_MODEL : ASSAY_FRAMEWORK;
}

std::string first_sentence(const std::string& message) {
  std::string text;
  std::size_t begin = 0;
  while (begin < message.size()) {
    const std::size_t end = std::min(message.find('\n', begin), message.size());
    const std::string_view line(message.data() + begin, end - begin);
    begin = end + 1;
    const bool location = line.starts_with("Exception from ") || (line.starts_with("Check '") && line.ends_with(":"));
    if (line.empty() || location) continue;
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text;
}

void check(const Runtime& runtime, Status status, Phase phase, const std::string& what) {
  if (status == kOk) return;
  const std::unique_ptr<const char, void (*)(const char*)> last(runtime.api.get_last_err_msg(), runtime.api.free);
  std::string said = last != nullptr ? first_sentence(last.get()) : "";
  if (said.empty()) said = runtime.api.get_error_info(status);
  throw kit::Failure(classify(phase, said), what + " failed: " + said + " (OpenVINO " + runtime.version + ")");
}

}  // namespace assay::openvino
