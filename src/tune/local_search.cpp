#include "tune/local_search.hpp"

namespace assay::tune {

void for_each_change(const std::vector<std::size_t>& counts, Ways ways, std::size_t member,
                     const std::function<void(const Ways&)>& visit) {
  const std::size_t now = ways[member];
  for (ways[member] = 0; ways[member] < counts[member]; ++ways[member]) {
    if (ways[member] != now) visit(ways);
  }
}

bool improve(const std::vector<std::size_t>& counts, const std::function<double(const Ways&)>& cost_of, Ways& ways) {
  const double now = cost_of(ways);
  double least = now;
  Ways best = ways;
  const std::function<void(const Ways&)> consider = [&](const Ways& changed) {
    const double cost = cost_of(changed);
    if (!(cost < least)) return;
    least = cost;
    best = changed;
  };
  const std::size_t n = ways.size();
  for (std::size_t a = 0; a < n; ++a) for_each_change(counts, ways, a, consider);
  for (std::size_t a = 0; a < n && least >= now; ++a) {
    for_each_change(counts, ways, a, [&](const Ways& one) {
      for (std::size_t b = a + 1; b < n; ++b) for_each_change(counts, one, b, consider);
    });
  }
  ways = best;
  return least < now;
}

}  // namespace assay::tune
