#include "contest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "blocks.hpp"

namespace assay::bench {
namespace {

using std::chrono::milliseconds;

/// A turn was seen at 0.67 of what the same case did an hour later: rivals that were this near the best get another.
/// Strategies, of which there are more, and which take longer: the best of them was seen at 0.86 of itself.
constexpr double kHopefulRivals = 0.6, kHopefulOurs = 0.85;
constexpr double kNearRivals = 0.95, kNearOurs = 0.95;
constexpr const char* kNotMeasured = "it was not measured";
constexpr const char* kFailedBefore = "it failed in an earlier run";
constexpr const char* kFirst = "sorted out";
constexpr const char* kSecond = "sorted out again";

std::string turn_key(const Case& c, const std::string& what, milliseconds window) {
  return key_of(c, fmt::format("{} ms {}", window.count(), what));
}

double minutes(double seconds) { return seconds / 60; }

}  // namespace

Contest::Contest(Field field, ContestSettings settings, State& state, Means means)
    : field_(std::move(field)), settings_(settings), state_(state), means_(std::move(means)), started_(means_.now()) {}

Contest::Result Contest::run() {
  Result result;
  result.ways = plain_ways(field_);
  if (!state_.read_only()) tell_beforehand(result.ways);
  sort_out(result.ways);
  result.peaks = peaks(result.ways);
  measure_again(result.ways);
  return result;
}

/// Of the state, or measured now; 0: it failed; nothing: it was not measured.
std::optional<double> Contest::turn(Way& way, const std::string& what, milliseconds window) {
  const std::string key = turn_key(way.test_case, what, window);
  std::string why = kFailedBefore;
  const std::optional<double> rate = state_.figure(key, [&] {
    const double begin = means_.now();
    const Turn taken = means_.take(way.test_case, window);
    way.seconds = means_.now() - begin;
    means_.tell(fmt::format("{:<90} {:9.3f} 1/s {}", key, taken.rate, taken.why));
    why = taken.why;
    return taken.rate;
  });
  if (!rate) way.trouble = kNotMeasured;
  if (rate && *rate <= 0) way.trouble = why;
  return rate;
}

/// In two turns, as far apart as they can be, of which the better counts, unless the first was far from the best: a
/// rival that is missed would flatter the best strategy, and a strategy that is missed would not be it. What failed has
/// another, too.
void Contest::sort_out(std::vector<Way>& ways) {
  std::vector<std::size_t> order(ways.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(1);
  std::shuffle(order.begin(), order.end(), random);
  sort_out(ways, order);
  std::vector<std::size_t> added;
  for (Way& way : mixed_ways(field_, ways)) {
    added.push_back(ways.size());
    ways.push_back(std::move(way));
  }
  sort_out(ways, added);
  for (Way& way : ways) {
    if (way.screened > 0) way.trouble.clear();
  }
}

void Contest::sort_out(std::vector<Way>& ways, const std::vector<std::size_t>& order) {
  const milliseconds window = settings_.window / 2;
  for (const std::size_t i : order) ways[i].screened = turn(ways[i], kFirst, window).value_or(0);
  const std::vector<bool> hopeful = near_the_best(field_, ways, kHopefulRivals, kHopefulOurs);
  for (const std::size_t i : order) {
    if (ways[i].screened > 0 && !hopeful[i]) continue;
    ways[i].screened = std::max(ways[i].screened, turn(ways[i], kSecond, window).value_or(0));
  }
}

/// MiB; 0: it failed, or was not measured.
double Contest::peak_of(const Case& c, std::string& trouble) {
  const std::string key = key_of(c, "peak");
  const auto measured = [&] {
    const Turn taken = means_.peak(c);
    means_.tell(fmt::format("{:<90} {:9.1f} MiB {}", key, taken.rate, taken.why));
    if (taken.rate <= 0) failed_peaks_[key] = taken.why;
    return taken.rate;
  };
  const double peak = failed_peaks_.contains(key) ? 0 : state_.figure(key, measured).value_or(0);
  if (peak <= 0) {
    const auto why = failed_peaks_.find(key);
    trouble =
        fmt::format("{}: {}", describe(c), why == failed_peaks_.end() ? "not measured, or it failed" : why->second);
  }
  return peak;
}

Peak Contest::peak(const Case& c) {
  Peak peak{c, 0, 0, {}};
  peak.together = peak_of(c, peak.trouble);
  double sum = 0;
  for (std::size_t m = 0; m < field_.members.size(); ++m) {
    Case alone = c;
    alone.model = field_.members[m];
    alone.strategy = Case().strategy;
    alone.placement = {};
    if (m < c.placement.seats.size()) alone.backend = c.placement.seats[m].backend;
    const double one = peak_of(alone, peak.trouble);
    if (one <= 0) return peak;
    sum += one;
  }
  peak.members = sum;
  return peak;
}

/// Of every strategy on every engine, set up for throughput; and of the best mixed plan of each set.
std::vector<Peak> Contest::peaks(const std::vector<Way>& ways) {
  std::vector<Peak> all;
  for (const Way& way : ways) {
    const Case& c = way.test_case;
    if (is_ensemble(c) && c.placement.seats.empty() && c.goal == Goal::kThroughput) all.push_back(peak(c));
  }
  std::vector<const Way*> done;
  for (const Set& set : field_.sets) {
    const Fits mixed = [](const Case& c) { return !c.placement.seats.empty(); };
    const Way* best = best_of(ways, set, mixed, screened);
    if (best == nullptr || std::find(done.begin(), done.end(), best) != done.end()) continue;
    done.push_back(best);
    all.push_back(peak(best->test_case));
  }
  return all;
}

/// Now, whatever is known.
double Contest::turn_of_block(Way& way, int block) {
  const std::string what = fmt::format("block {}", block);
  state_.forget(turn_key(way.test_case, what, settings_.window));
  return turn(way, what, settings_.window).value_or(0);
}

/// What failed then, failed: it is not measured at another time than the rest of its block.
std::optional<double> Contest::known_of_block(Way& way, int block) {
  const auto rate = state_.known(turn_key(way.test_case, fmt::format("block {}", block), settings_.window));
  if (rate && *rate <= 0) way.trouble = kFailedBefore;
  return rate;
}

/// What is known of each way's last turn here, or else as estimated.
double Contest::block_seconds(const std::vector<Way*>& arms) {
  double sum = 0;
  for (const Way* way : arms) {
    sum += way->seconds > 0 ? way->seconds : means_.estimate(way->test_case, settings_.window, Turns::Load::kCached);
  }
  return sum;
}

bool Contest::time_is_over(const std::vector<Way*>& arms, int blocks) {
  if (settings_.minutes <= 0 || blocks < kLeastBlocks) return false;
  return minutes(means_.now() - started_ + block_seconds(arms)) > settings_.minutes;
}

void Contest::measure_again(std::vector<Way>& ways) {
  const std::vector<bool> chosen = near_the_best(field_, ways, kNearRivals, kNearOurs);
  std::vector<Way*> arms;
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (chosen[i]) arms.push_back(&ways[i]);
  }
  const bool measures = !state_.read_only();
  if (measures) {
    means_.tell(
        fmt::format("batch {}: {:.1f} min until here; {} ways are near the best, a block takes about {:.1f} min",
                    field_.batch, minutes(means_.now() - started_), arms.size(), minutes(block_seconds(arms))));
  }
  BlocksToTake plan;
  plan.arms = arms.size();
  plan.blocks = settings_.blocks;
  if (measures) plan.turn = [&](std::size_t arm, int block) { return turn_of_block(*arms[arm], block); };
  plan.known = [&](std::size_t arm, int block) { return known_of_block(*arms[arm], block); };
  plan.enough = [&](int whole) { return time_is_over(arms, whole); };
  const Blocks taken = take_blocks(plan);
  for (std::size_t arm = 0; arm < arms.size(); ++arm) {
    arms[arm]->rates = taken.rates[arm];
    if (!taken.given_up[arm]) arms[arm]->trouble.clear();
  }
}

void Contest::tell_beforehand(const std::vector<Way>& ways) {
  const milliseconds half = settings_.window / 2;
  double sorting = 0, memory = 0, block = 0, mixed = 0;
  std::size_t processes = 0;
  const double several = static_cast<double>(
      std::count_if(field_.sets.begin(), field_.sets.end(), [](const Set& set) { return set.size() > 1; }));
  for (const Way& way : ways) {
    const Case& c = way.test_case;
    const bool own_graph = !is_ensemble(c) || c.strategy == kMerged;
    const auto unknown = [&](const char* what, Turns::Load load) {
      return state_.knows(turn_key(c, what, half)) ? 0 : means_.estimate(c, half, load);
    };
    sorting += unknown(kFirst, own_graph ? Turns::Load::kCold : Turns::Load::kCached);
    sorting += unknown(kSecond, Turns::Load::kCached);
    if (is_ensemble(c)) mixed = std::max(mixed, means_.estimate(c, half, Turns::Load::kCached));
    if (c.goal == Goal::kThroughput && !state_.knows(key_of(c, "peak"))) {
      Case few = c;  // a batch more than are under way
      few.goal = Goal::kLatency;
      memory += means_.estimate(few, milliseconds(0), Turns::Load::kCold);
      ++processes;
    }
    block += means_.estimate(c, settings_.window, Turns::Load::kCached);
  }
  constexpr double kMixedTurns = 6, kNearTheBest = 1.0 / 3;  // of the ways, as it was seen
  sorting += several * kMixedTurns * mixed;
  block *= kNearTheBest;
  double blocks = settings_.blocks * block;
  if (settings_.minutes > 0) {
    const double left = settings_.minutes * 60 - sorting - memory;
    blocks = std::min(blocks, std::max(left, std::min(kLeastBlocks, settings_.blocks) * block));
  }
  means_.tell(
      fmt::format("batch {}: about {:.0f} min: {} ways sorted out ({:.0f}), memory of {} ({:.0f}), up to {} blocks of "
                  "what is near the "
                  "best ({:.0f})",
                  field_.batch, std::ceil(minutes(sorting + memory + blocks)), ways.size(), minutes(sorting), processes,
                  minutes(memory), settings_.blocks, minutes(blocks)));
}

}  // namespace assay::bench
