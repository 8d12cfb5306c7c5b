// What needs an NVIDIA GPU (`make test-gpu`). CUDA_VISIBLE_DEVICES chooses among several.
#include <algorithm>

#include "backend/backend.hpp"
#include "conformance/backends.hpp"

namespace assay::conformance {

std::vector<Tested> backends_to_test() {
  std::vector<Tested> all = {{"onnxruntime", "gpu:0"},
                             // Its engines are built for a range of sizes, and the suite's largest batch is 512.
                             {"tensorrt", "gpu:0", {{"largest_size", "512"}}}};
  const std::vector<std::string> built = backend::backend_names();  // TensorRT's plugin needs headers to be
  std::erase_if(all, [&](const Tested& t) { return std::find(built.begin(), built.end(), t.backend) == built.end(); });
  return all;
}

}  // namespace assay::conformance
