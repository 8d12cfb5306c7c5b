// How far two runs of one case differ on this machine, as stored campaigns say.
#include <fmt/format.h>

#include <sstream>

#include "cli/bench.hpp"
#include "measure/series.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

/// Older pairs are left out: a machine that has become quieter, or louder, is known after ten rigorous cases.
constexpr std::size_t kNewestPairs = 100;
constexpr double kLargeFloor = 0.1;

using Pairs = std::vector<std::pair<double, double>>;

/// "10.1:10.2 9.9:10"
Pairs pairs_of(const std::string& text) {
  Pairs pairs;
  std::istringstream in(text);
  std::pair<double, double> pair;
  for (char colon = 0; in >> pair.first >> colon >> pair.second && colon == ':';) pairs.push_back(pair);
  return pairs;
}

Pairs stored_pairs(const store::Store& store, const Campaign& campaign) {
  Pairs pairs;
  const auto cpu = campaign.environment.find("cpu.model");
  if (cpu == campaign.environment.end()) return pairs;
  for (const std::string& text : store.environments(runner::kPairsKey, "cpu.model", cpu->second)) {
    for (const auto& pair : pairs_of(text)) {
      if (pairs.size() < kNewestPairs) pairs.push_back(pair);
    }
  }
  return pairs;
}

Warning large_floor(double floor, std::size_t pairs) {
  return {"noise-floor",
          fmt::format("what one process measures is widened by {:.0f} %: by so much do the newest {} undisturbed A/A "
                      "pairs on this CPU differ",
                      100 * floor, pairs),
          fmt::format("measure that anew when the machine is idle (--effort rigorous; the newest {} pairs count), or "
                      "begin another results file (--db FILE)",
                      kNewestPairs)};
}

}  // namespace

void set_noise_floor(const store::Store& store, Campaign& campaign, runner::RunSettings& settings) {
  const Pairs pairs = stored_pairs(store, campaign);
  const std::string known =
      fmt::format("{} of earlier campaigns on this CPU", report::counted(pairs.size(), "undisturbed A/A pair"));
  std::string origin = fmt::format("default: {}, and {} are wanted", known, measure::kLeastPairs);
  settings.noise_floor = measure::kDefaultNoiseFloor;
  if (const auto floor = measure::noise_floor(pairs)) {
    settings.noise_floor = *floor;
    origin = known;
    if (*floor >= kLargeFloor && settings.effort.processes < 2)
      campaign.warnings.push_back(large_floor(*floor, pairs.size()));
  }
  campaign.environment["noise.used"] = fmt::format("{:.5f}", settings.noise_floor);
  campaign.environment["noise.used.origin"] = origin;
}

}  // namespace assay::cli
