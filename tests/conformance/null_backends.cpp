#include "conformance/backends.hpp"

namespace assay::conformance {

std::vector<std::string> backends_to_test() { return {"null"}; }

}  // namespace assay::conformance
