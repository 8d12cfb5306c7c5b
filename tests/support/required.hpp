#pragma once
// Engines whose absence fails their tests: where the set-up has fetched them, skipping would hide that they are broken.

#include <cstdlib>
#include <string>

namespace assay::test {

/// ASSAY_REQUIRE_BACKENDS is "onnxruntime,openvino,…".
inline bool is_required(const std::string& backend) {
  const char* all = std::getenv("ASSAY_REQUIRE_BACKENDS");
  return all != nullptr && ("," + std::string(all) + ",").find("," + backend + ",") != std::string::npos;
}

}  // namespace assay::test
