#pragma once
// The checks, each a function that throws Nonconformance (or lets an unexpected Error out) where the plugin fails it.

#include <span>

#include "conformance/subject.hpp"

namespace assay::conformance {

struct Check {
  const char* name;  // as backends/<name>/conformance.txt has it
  void (*run)(const Subject&);
};

std::span<const Check> contract_checks();
std::span<const Check> model_checks();
std::span<const Check> batch_checks();
std::span<const Check> parallel_checks();
std::span<const Check> cache_checks();
std::span<const Check> predict_checks();

}  // namespace assay::conformance
