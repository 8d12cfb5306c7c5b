#pragma once

#include <string>
#include <vector>

namespace assay::conformance {

/// The plugins that this program tests: the null backend needs nothing, the others a framework.
std::vector<std::string> backends_to_test();

}  // namespace assay::conformance
