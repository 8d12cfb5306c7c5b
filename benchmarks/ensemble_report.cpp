#include "ensemble_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "blocks.hpp"

namespace assay::bench {
namespace {

constexpr double kRoom = 1.08;  ///< of perfect sharing over sequential: from here on a gain is due

/// The best of some ways.
struct Chosen {
  std::vector<double> rates;
  std::string what;
};

/// By all blocks, so rather too high where several are about as good.
Chosen best_in_blocks(const std::vector<Way>& ways, const Set& set, const Fits& fits) {
  const Way* best = best_of(ways, set, fits, typical);
  return best == nullptr ? Chosen{} : Chosen{best->rates, describe_way(best->test_case)};
}

/// Block by block as the other blocks choose it: what is best in one block by chance is not chosen for it, so rather
/// too low where several are about as good.
std::vector<double> best_by_other_blocks(const std::vector<Way>& ways, const Set& set, const Fits& fits) {
  std::vector<std::vector<double>> arms;
  for (const Way& way : ways) {
    if (runs_on(way.test_case, set) && fits(way.test_case) && !way.rates.empty()) arms.push_back(way.rates);
  }
  return best_by_the_others(arms);
}

/// The best plan with members on different engines, near the best or not. One that failed is said elsewhere.
void print_mixed(const std::vector<Way>& ways, const Set& set) {
  const Fits mixed = [](const Case& c) { return !c.placement.seats.empty(); };
  const std::string name = "mixed engines";
  if (const Chosen chosen = best_in_blocks(ways, set, mixed); !chosen.rates.empty()) {
    print_rates(name, chosen.rates, chosen.what);
  } else if (const Way* best = best_of(ways, set, mixed, screened); best != nullptr && best->trouble.empty()) {
    fmt::print("  {:20} {:8.3f} 1/s in one turn, far from the best  {}\n", name, best->screened,
               describe_way(best->test_case));
  }
}

}  // namespace

std::string remark_on_gain(const Figure& room, const Figure& gain) {
  std::string remark;
  if (room.value < kRoom) {
    remark =
        fmt::format("little is to be gained: perfect sharing is {:+.1f} % from sequential", 100 * (room.value - 1));
  }
  std::string told;
  if (gain.high < 1) {
    told = "there is no gain: the best strategy is slower than sequential";
  } else if (gain.low <= 1) {
    told = "no gain can be told: the interval of best strategy over sequential holds 1";
  }
  if (remark.empty() || told.empty()) return remark + told;
  return remark + "; " + told;
}

bool report_set(const Field& field, const std::vector<Way>& ways, const Set& set) {
  const std::string ensemble = field.ensemble();
  const Chosen best = best_in_blocks(ways, set, of_model(ensemble));
  const Chosen plain = best_in_blocks(ways, set, sequential(ensemble));
  std::vector<Chosen> alone;
  bool all = !best.rates.empty() && !plain.rates.empty();
  for (const std::string& m : field.members) {
    alone.push_back(best_in_blocks(ways, set, of_model(m)));
    all = all && !alone.back().rates.empty();
  }
  if (!all) {
    fmt::print("{{{}}}: not all could be measured\n", fmt::join(set, ", "));
    return false;
  }
  fmt::print("{{{}}}, {} blocks\n", fmt::join(set, ", "), best.rates.size());
  std::vector<double> bound(best.rates.size(), 0);  // 1 / Σ 1/T, block by block
  for (std::size_t m = 0; m < alone.size(); ++m) {
    print_rates(field.members[m] + " alone", alone[m].rates, alone[m].what);
    for (std::size_t block = 0; block < bound.size(); ++block) bound[block] += 1 / alone[m].rates[block];
  }
  for (double& b : bound) b = 1 / b;
  print_rates("perfect sharing", bound, "");
  print_rates("best strategy", best.rates, best.what);
  print_mixed(ways, set);
  print_rates("sequential", plain.rates, plain.what);
  const Figure room = geometric_mean(quotients(bound, plain.rates));
  const std::vector<double> least = best_by_other_blocks(ways, set, of_model(ensemble));
  const Figure least_shared = geometric_mean(quotients(least, bound));
  const Figure least_gain = geometric_mean(quotients(least, plain.rates));
  fmt::print("  {:33} {:.3f} [{:.3f}, {:.3f}]\n", "perfect sharing over sequential", room.value, room.low, room.high);
  const bool due = room.value >= kRoom;
  const bool shares = judge("best strategy over perfect sharing", quotients(best.rates, bound), 0.97, 0.95);
  const bool gains =
      judge("best strategy over sequential", quotients(best.rates, plain.rates), due ? 1.05 : 1.00, due ? 1.0 : 0.98);
  fmt::print(
      "  chosen for each block by the others, the best strategy has {:.3f} [{:.3f}, {:.3f}] of perfect sharing, "
      "{:.3f} [{:.3f}, {:.3f}] of sequential\n",
      least_shared.value, least_shared.low, least_shared.high, least_gain.value, least_gain.low, least_gain.high);
  if (const std::string remark = remark_on_gain(room, least_gain); !remark.empty()) fmt::print("  {}\n", remark);
  return shares && gains;
}

bool report_failures(const Field& field, const std::vector<Way>& ways) {
  bool kept = true;
  for (const Way& way : ways) {
    if (way.trouble.empty()) continue;
    const bool rival = is_rival(field, way.test_case);
    kept = kept && !rival;
    fmt::print("FAILED, left out{}: {} {}: {}\n", rival ? ", so what it was compared with is unsure" : "",
               way.test_case.model, describe_way(way.test_case), way.trouble);
  }
  return kept;
}

bool report_memory(const std::vector<Peak>& peaks) {
  constexpr double kMost = 1.05;
  bool all = true;
  for (const Peak& peak : peaks) {
    const Case& c = peak.test_case;
    const std::string what =
        c.placement.seats.empty() ? fmt::format("{:10} on {:12}", c.strategy, c.backend) : describe_placement(c);
    if (peak.together <= 0 || peak.members <= 0) {
      fmt::print("  memory, {}: FAILED, no figure: {}\n", what, peak.trouble);
      all = false;
      continue;
    }
    const bool kept = peak.together <= kMost * peak.members;
    all = all && kept;
    fmt::print("  memory, {} {:5.0f} MiB, its members {:5.0f} together: {:.3f}, at most {:.2f}: {}\n", what,
               peak.together, peak.members, peak.together / peak.members, kMost, kept ? "kept" : "MISSED");
  }
  return all;
}

bool report_batch(const Field& field, const Contest::Result& result) {
  fmt::print("batch {}\n", field.batch);
  bool kept = true;
  for (const Set& set : field.sets) kept = report_set(field, result.ways, set) && kept;
  kept = report_failures(field, result.ways) && kept;
  kept = report_memory(result.peaks) && kept;
  std::fflush(stdout);
  return kept;
}

}  // namespace assay::bench
