#pragma once
// The fakes of this build, for tests.

#include <memory>
#include <string>
#include <vector>

#include "nvidia/cuda_runtime.hpp"
#include "nvidia/fake/fake_library.hpp"

namespace assay::nvidia::fake {

inline const std::string kFolder = ASSAY_BUILD_DIR "/tests/fake_nvidia";
inline const std::string kCutFolder = ASSAY_BUILD_DIR "/tests/fake_nvidia_cut";

inline const FakeLibrary& cudart() {
  static const FakeLibrary library(kFolder + "/libcudart.so.13");
  return library;
}

inline const FakeLibrary& nvml() {
  static const FakeLibrary library(kFolder + "/libnvidia-ml.so.1");
  return library;
}

inline std::vector<kit::SearchRoot> roots(const std::string& folder = kFolder) { return {{folder, "the test"}}; }

/// What `body` throws: code and message.
struct Thrown {
  assay_status code = ASSAY_OK;
  std::string message;
};
template <class Body>
Thrown thrown_by(Body body) {
  try {
    body();
  } catch (const kit::Failure& e) {
    return {e.code(), e.what()};
  }
  return {};
}

}  // namespace assay::nvidia::fake
