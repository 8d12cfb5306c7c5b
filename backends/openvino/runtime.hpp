#pragma once
// The OpenVINO that was met: found, opened once in a process, its version checked, its errors made ours.

#include <memory>
#include <string>
#include <utility>

#include "assay/backend_kit.hpp"
#include "ov_api.hpp"

namespace assay::openvino {

struct Runtime {
  Api api{};
  std::string version;  ///< "2026.4.1-22038-…"
  std::string library, origin;
};

/// What was being done when a call failed.
enum class Phase { kRead, kReshape, kCompile, kRun };

/// Opens the first libopenvino_c found. Throws Failure(ASSAY_UNAVAILABLE): none found, broken, too old, or another one
/// is open already in this process (two would share and spoil each other's state). Thread-safe.
const Runtime& open_runtime(const kit::Host& host);

/// Throws Failure(ASSAY_UNAVAILABLE) unless the version is one whose C API this plugin was written for.
void check_version(const std::string& version, const std::string& library);

/// Which status a failure of OpenVINO is, by what was being done and what it says.
assay_status classify(Phase phase, const std::string& message);

/// OpenVINO's message without source locations.
std::string first_sentence(const std::string& message);

/// Throws a Failure unless `status` is 0; `what` says what was asked.
void check(const Runtime& runtime, Status status, Phase phase, const std::string& what);

template <class T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

/// Calls `create(…, T**)` and owns what it made.
template <class T, class Free, class Create, class... Args>
Handle<T> make_handle(const Runtime& runtime, Free free_function, Phase phase, const std::string& what, Create create,
                      Args... args) {
  T* made = nullptr;
  check(runtime, create(args..., &made), phase, what);
  return Handle<T>(made, free_function);
}

}  // namespace assay::openvino
