#include "measure/launch.hpp"

#include <fmt/format.h>

#include <vector>

#include "measure/statistics.hpp"

namespace assay::measure {
namespace {

// Of the compute time. CUDA keeps a queue of about a thousand launches: of a batch of less than ten thousand kernels
// more than this is left when the host has launched the last.
constexpr double kWaits = 0.1;
constexpr double kMicrosecond = 1e3;  // ns

}  // namespace

std::optional<LaunchBound> launch_bound(std::span<const double> compute_ns, std::span<const double> ahead_ns) {
  if (compute_ns.empty() || ahead_ns.size() != compute_ns.size()) return std::nullopt;
  std::vector<double> shares;
  for (std::size_t i = 0; i < compute_ns.size(); ++i) {
    shares.push_back(compute_ns[i] > 0 ? ahead_ns[i] / compute_ns[i] : 1);
  }
  if (median(shares) >= kWaits) return std::nullopt;
  return LaunchBound{median(compute_ns), median(ahead_ns)};
}

std::string launch_remark(const LaunchBound& bound) {
  return fmt::format(
      "launching is the bound: of {:.0f} us of computing {:.0f} were left when the host had launched all of a batch",
      bound.compute_ns / kMicrosecond, bound.ahead_ns / kMicrosecond);
}

Warning launch_warning(const Case& c, bool graph) {
  const char* advice =
      graph ? "it is launched as one graph already: a larger batch has more to compute for each launch"
            : "a larger batch has more to compute for each launch; a CUDA graph launches all of a batch at once "
              "(onnxruntime.enable_cuda_graph=true, tensorrt.cuda_graph=true), where the model lets itself be captured";
  return {"launch-bound",
          fmt::format("{}: launching, not computing, is the bound: the device waits for the host", describe(c)),
          advice};
}

}  // namespace assay::measure
