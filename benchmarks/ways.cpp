#include "ways.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "blocks.hpp"

namespace assay::bench {
namespace {

constexpr const char* kStrategies[] = {kSequential, kConcurrent, kPipelined, kMerged};
constexpr const char* kMixedStrategies[] = {kSequential, kConcurrent, kPipelined};

Case make_case(const Field& field, const std::string& model, const std::string& strategy, const std::string& engine,
               Goal goal) {
  Case c;
  c.model = model;
  c.strategy = strategy;
  c.backend = engine;
  c.batch_size = field.batch;
  c.threads = field.threads;
  c.goal = goal;
  return c;
}

bool holds(const Set& set, const std::string& engine) { return std::find(set.begin(), set.end(), engine) != set.end(); }

bool gains_by_goal(const std::string& strategy, Goal goal) {
  return goal == Goal::kThroughput || (strategy != kConcurrent && strategy != kPipelined);
}

bool is_among(const Field& field, const Case& c) {
  const std::string text = describe_way(c);
  const auto has = [&](const std::string& word) { return text.find(word) != std::string::npos; };
  return field.among.empty() || std::any_of(field.among.begin(), field.among.end(), has);
}

/// Each member's best engine in the set; empty where one has none.
std::vector<Placement::Seat> best_seats(const Field& field, const std::vector<Way>& ways, const Set& set,
                                        bool for_throughput_alone) {
  std::vector<Placement::Seat> seats;
  for (const std::string& member : field.members) {
    const Fits fits = [&](const Case& c) {
      return c.model == member && !is_ensemble(c) && (!for_throughput_alone || c.goal == Goal::kThroughput);
    };
    const Way* best = best_of(ways, set, fits, screened);
    if (best == nullptr) return {};
    seats.push_back({best->test_case.backend, 0});
  }
  return seats;
}

Case mixed_case(const Field& field, const std::string& strategy, const std::vector<Placement::Seat>& seats) {
  std::set<std::string> engines;
  for (const Placement::Seat& seat : seats) engines.insert(seat.backend);
  Case c =
      make_case(field, field.ensemble(), kPlaced, joined_members({engines.begin(), engines.end()}), Goal::kThroughput);
  c.placement = {strategy, seats};
  return c;
}

/// Marks what of the ways that fit is at least `near` of the best.
void mark(std::vector<bool>& chosen, const std::vector<Way>& ways, const Set& set, double near, const Fits& fits) {
  const Way* best = best_of(ways, set, fits, screened);
  for (std::size_t i = 0; best != nullptr && i < ways.size(); ++i) {
    const Case& c = ways[i].test_case;
    if (runs_on(c, set) && fits(c) && ways[i].screened >= near * best->screened) chosen[i] = true;
  }
}

}  // namespace

std::vector<Set> sets_of(const std::string& text) {
  std::vector<Set> sets;
  std::istringstream in(text);
  for (std::string set; std::getline(in, set, ';');) {
    std::istringstream engines(set);
    sets.emplace_back();
    for (std::string engine; std::getline(engines, engine, ',');) sets.back().push_back(engine);
  }
  return sets;
}

Set Field::engines() const {
  Set all;
  for (const Set& set : sets) {
    for (const std::string& engine : set) {
      if (!holds(all, engine)) all.push_back(engine);
    }
  }
  return all;
}

Fits of_model(const std::string& model) {
  return [model](const Case& c) { return c.model == model; };
}

Fits sequential(const std::string& ensemble) {
  return [ensemble](const Case& c) { return c.model == ensemble && c.strategy == kSequential; };
}

bool runs_on(const Case& c, const Set& set) {
  const std::vector<std::string> engines = members_of(c.backend);
  return std::all_of(engines.begin(), engines.end(), [&](const std::string& engine) { return holds(set, engine); });
}

const Way* best_of(const std::vector<Way>& ways, const Set& set, const Fits& fits, double (*rate)(const Way&)) {
  const Way* best = nullptr;
  for (const Way& way : ways) {
    if (!runs_on(way.test_case, set) || !fits(way.test_case) || rate(way) <= 0) continue;
    if (best == nullptr || rate(way) > rate(*best)) best = &way;
  }
  return best;
}

double screened(const Way& way) { return way.screened; }
double typical(const Way& way) { return way.rates.empty() ? 0 : geometric_mean(way.rates).value; }

std::vector<Way> plain_ways(const Field& field) {
  std::vector<Way> ways;
  const auto add = [&](Case c) {
    if (is_among(field, c)) ways.push_back({.test_case = std::move(c), .rates = {}, .trouble = {}});
  };
  for (const std::string& engine : field.engines()) {
    for (const Goal goal : {Goal::kThroughput, Goal::kLatency}) {
      for (const std::string& member : std::set(field.members.begin(), field.members.end())) {
        add(make_case(field, member, "single", engine, goal));
      }
      for (const char* strategy : kStrategies) {
        if (gains_by_goal(strategy, goal)) add(make_case(field, field.ensemble(), strategy, engine, goal));
      }
    }
  }
  return ways;
}

std::vector<Way> mixed_ways(const Field& field, const std::vector<Way>& ways) {
  std::vector<Way> mixed;
  std::set<std::string> known;
  for (const Set& set : field.sets) {
    for (const bool for_throughput_alone : {false, true}) {
      const std::vector<Placement::Seat> seats = best_seats(field, ways, set, for_throughput_alone);
      const auto like_the_first = [&](const Placement::Seat& seat) { return seat == seats.front(); };
      if (std::all_of(seats.begin(), seats.end(), like_the_first)) continue;  // one engine's plain strategies
      for (const char* strategy : kMixedStrategies) {
        Case c = mixed_case(field, strategy, seats);
        if (is_among(field, c) && known.insert(case_key(c)).second)
          mixed.push_back({.test_case = std::move(c), .rates = {}, .trouble = {}});
      }
    }
  }
  return mixed;
}

bool is_rival(const Field& field, const Case& c) { return !is_ensemble(c) || sequential(field.ensemble())(c); }

std::vector<bool> near_the_best(const Field& field, const std::vector<Way>& ways, double rivals, double ours) {
  std::vector<bool> chosen(ways.size());
  for (const Set& set : field.sets) {
    for (const std::string& member : field.members) mark(chosen, ways, set, rivals, of_model(member));
    mark(chosen, ways, set, rivals, sequential(field.ensemble()));
    if (ours > 0) mark(chosen, ways, set, ours, of_model(field.ensemble()));
  }
  return chosen;
}

std::string describe_way(const Case& c) {
  if (!c.placement.seats.empty()) return describe_placement(c);
  return fmt::format("{} on {} for {}", c.strategy, c.backend, to_string(c.goal));
}

std::string key_of(const Case& c, const std::string& what) {
  const std::string placement = c.placement.seats.empty() ? "" : fmt::format(" ({})", describe_placement(c));
  return fmt::format("{} {} batch {} {}{} {} {}", c.model, c.backend, c.batch_size, c.strategy, placement,
                     to_string(c.goal), what);
}

}  // namespace assay::bench
