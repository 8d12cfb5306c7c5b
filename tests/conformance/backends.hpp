#pragma once

#include <map>
#include <string>
#include <vector>

namespace assay::conformance {

/// A plugin on one of its devices.
struct Tested {
  std::string backend;
  std::string device = "cpu";
  std::map<std::string, std::string> options{};  ///< without which the suite's models are not what the backend takes
};

/// What this program tests: the null backend needs nothing, others a framework, or a framework and a GPU.
std::vector<Tested> backends_to_test();

}  // namespace assay::conformance
