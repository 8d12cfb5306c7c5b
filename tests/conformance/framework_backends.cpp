#include "backend/backend.hpp"
#include "conformance/backends.hpp"

namespace assay::conformance {

std::vector<Tested> backends_to_test() {
  std::vector<Tested> all;
  for (const std::string& name : backend::backend_names()) {
    if (name != "null" && name != "tensorrt") all.push_back({name});  // TensorRT has no CPU: gpu_backends.cpp
  }
  return all;
}

}  // namespace assay::conformance
