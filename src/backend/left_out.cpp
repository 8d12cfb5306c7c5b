#include "backend/left_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/suggest.hpp"

namespace assay::backend {
namespace {

/// Those whose CMakeLists.txt may return before there is a plugin.
constexpr std::array kOptional = {
    Optional{"mlir",
             "run `make setup WITH=mlir` in its source folder (LLVM and MLIR 22, about 1 GB), then build again"},
    Optional{"tensorrt",
             "set TENSORRT_ROOT to the folder of a TensorRT, or run `make setup` in its source folder, which "
             "fetches TensorRT's headers, then build again"},
};

}  // namespace

const Optional* find_optional(std::string_view name) {
  const auto* found =
      std::find_if(kOptional.begin(), kOptional.end(), [&](const Optional& o) { return o.name == name; });
  return found != kOptional.end() ? found : nullptr;
}

std::string why_left_out(const Optional& backend) {
  return fmt::format("this build of Assay is without {}: {}", backend.name, backend.how);
}

std::string why_none(const std::string& name, const std::vector<std::string>& there) {
  if (const Optional* found = find_optional(name)) return why_left_out(*found);
  return fmt::format("there is no backend '{}'; {}", name, name_advice(name, there));
}

std::vector<const Optional*> left_out(const std::vector<std::string>& there) {
  std::vector<const Optional*> result;
  for (const Optional& o : kOptional) {
    if (std::find(there.begin(), there.end(), o.name) == there.end()) result.push_back(&o);
  }
  return result;
}

}  // namespace assay::backend
