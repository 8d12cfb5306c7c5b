// Plan files: whatever the text, cases within the bounds, or an Error.
#include <cstdlib>
#include <string>

#include "assay/error.hpp"
#include "runner/plan.hpp"

namespace {

void check(assay::runner::Axes& axes) {
  if (axes.models.empty()) axes.models = {"m"};
  if (axes.backends.empty()) axes.backends = {"null"};
  if (axes.threads.empty()) axes.threads = {1};
  // Each case is hashed: a few hundred say as much as a hundred thousand.
  if (axes.batch_sizes.size() * axes.in_flight.size() * axes.threads.size() * axes.models.size() > 200) return;
  for (const assay::Case& c : assay::runner::expand(axes)) {
    if (c.batch_size < 0 || c.threads < 1 || c.in_flight < 0 || c.backend.empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    for (assay::runner::Axes& axes : assay::runner::parse_plan({reinterpret_cast<const char*>(data), size}, "fuzz")) {
      check(axes);
    }
  } catch (const assay::Error&) {
  }
  return 0;
}
