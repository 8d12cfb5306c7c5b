#include "backend/backend.hpp"
#include "conformance/backends.hpp"

namespace assay::conformance {

std::vector<std::string> backends_to_test() {
  std::vector<std::string> names = backend::backend_names();
  std::erase(names, "null");
  return names;
}

}  // namespace assay::conformance
