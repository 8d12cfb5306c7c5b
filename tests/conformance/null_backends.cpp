#include "conformance/backends.hpp"

namespace assay::conformance {

std::vector<Tested> backends_to_test() { return {{"null"}, {"null", "gpu:0"}}; }

}  // namespace assay::conformance
