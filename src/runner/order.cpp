#include "runner/order.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

namespace assay::runner {
namespace {

/// SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). The standard
/// library's shuffle differs from one implementation to the next.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  /// Below `bound`, every value as likely as another.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    std::uint64_t value = next();
    while (value >= limit) value = next();
    return value % bound;
  }

 private:
  std::uint64_t state_;
};

/// Fisher and Yates.
void shuffle(std::vector<std::size_t>& values, Generator& generator) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[generator.below(i)]);
}

}  // namespace

std::vector<std::size_t> interleaved_order(std::size_t cases, int processes, std::uint64_t seed) {
  Generator generator(seed);
  std::vector<std::size_t> order;
  for (int p = 0; p < processes; ++p) {
    std::vector<std::size_t> block(cases);
    std::iota(block.begin(), block.end(), std::size_t{0});
    shuffle(block, generator);
    order.insert(order.end(), block.begin(), block.end());
  }
  return order;
}

std::vector<Ladder> ladders(const std::vector<Case>& cases) {
  std::map<std::string, Ladder> by_rest;
  std::vector<std::string> first_seen;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Case rest = cases[i];
    rest.batch_size = 1;
    const std::string key = case_key(rest);
    if (!by_rest.contains(key)) first_seen.push_back(key);
    by_rest[key].push_back(i);
  }
  std::vector<Ladder> result;
  for (const std::string& key : first_seen) {
    Ladder& ladder = by_rest[key];
    // "model" is no batch size that could be doubled.
    std::erase_if(ladder, [&](std::size_t i) { return cases[i].batch_size == 0; });
    std::sort(ladder.begin(), ladder.end(),
              [&](std::size_t a, std::size_t b) { return cases[a].batch_size < cases[b].batch_size; });
    if (!ladder.empty()) result.push_back(std::move(ladder));
  }
  return result;
}

std::vector<std::size_t> first_block(const std::vector<Case>& cases, std::uint64_t seed) {
  std::vector<Ladder> long_ones = ladders(cases);
  std::erase_if(long_ones, [](const Ladder& l) { return l.size() < kLongLadder; });
  std::vector<bool> climbs(cases.size());
  std::vector<std::vector<std::size_t>> rungs(1);
  for (const Ladder& ladder : long_ones) {
    rungs.resize(std::max(rungs.size(), ladder.size()));
    for (std::size_t r = 0; r < ladder.size(); ++r) {
      rungs[r].push_back(ladder[r]);
      climbs[ladder[r]] = true;
    }
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (!climbs[i]) rungs[0].push_back(i);
  }
  Generator generator(seed);
  std::vector<std::size_t> order;
  for (std::vector<std::size_t>& rung : rungs) {
    std::sort(rung.begin(), rung.end());
    shuffle(rung, generator);
    order.insert(order.end(), rung.begin(), rung.end());
  }
  return order;
}

}  // namespace assay::runner
