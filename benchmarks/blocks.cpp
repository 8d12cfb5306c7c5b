#include "blocks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace assay::bench {
namespace {

using Rates = std::vector<std::optional<double>>;  ///< of an arm, by block

std::optional<double> known(const BlocksToTake& plan, std::size_t arm, int block) {
  return plan.known ? plan.known(arm, block) : std::nullopt;
}

/// Of the arms that were not given up.
bool all_known(const BlocksToTake& plan, const std::vector<bool>& given_up, int block) {
  for (std::size_t arm = 0; arm < plan.arms; ++arm) {
    if (!given_up[arm] && !known(plan, arm, block)) return false;
  }
  return true;
}

/// What is left when blocks that are not whole go.
Blocks whole_blocks(const std::vector<Rates>& rates, const std::vector<bool>& given_up, std::size_t blocks) {
  Blocks result{std::vector<std::vector<double>>(rates.size()), given_up};
  for (std::size_t block = 0; block < blocks; ++block) {
    bool whole = true;
    for (std::size_t arm = 0; arm < rates.size(); ++arm) {
      whole = whole && (given_up[arm] || rates[arm][block].value_or(0) > 0);
    }
    for (std::size_t arm = 0; whole && arm < rates.size(); ++arm) {
      if (!given_up[arm]) result.rates[arm].push_back(rates[arm][block].value_or(0));
    }
  }
  return result;
}

}  // namespace

Blocks take_blocks(const BlocksToTake& plan) {
  constexpr int kMostFailures = 2;
  std::vector<std::size_t> order(plan.arms);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto blocks = static_cast<std::size_t>(std::max(plan.blocks, 0));
  std::vector<Rates> rates(plan.arms, Rates(blocks));
  std::vector<int> failures(plan.arms, 0);
  std::vector<bool> given_up(plan.arms, false);
  std::mt19937 random(1);
  int whole = 0;
  for (int block = 0; block < plan.blocks; ++block) {
    std::shuffle(order.begin(), order.end(), random);
    const bool measures = plan.turn && !all_known(plan, given_up, block);
    if (measures && plan.enough && plan.enough(whole)) break;
    bool failed = false;
    for (const std::size_t arm : order) {
      if (given_up[arm]) continue;
      const std::optional<double> rate = measures ? plan.turn(arm, block) : known(plan, arm, block);
      rates[arm][static_cast<std::size_t>(block)] = rate;
      failed = failed || rate.value_or(0) <= 0;
      if (rate && *rate <= 0) given_up[arm] = ++failures[arm] == kMostFailures;
    }
    if (!failed) ++whole;
  }
  return whole_blocks(rates, given_up, blocks);
}

std::vector<double> best_by_the_others(const std::vector<std::vector<double>>& arms) {
  std::vector<double> rates;
  if (arms.empty()) return rates;
  const std::size_t blocks = arms.front().size();
  for (std::size_t block = 0; block < blocks; ++block) {
    const auto of_the_others = [&](const std::vector<double>& arm) {
      double sum = 0;
      for (std::size_t other = 0; other < blocks; ++other) {
        if (other != block || blocks == 1) sum += std::log(arm[other]);
      }
      return sum;
    };
    rates.push_back((*std::max_element(arms.begin(), arms.end(), [&](const auto& a, const auto& b) {
      return of_the_others(a) < of_the_others(b);
    }))[block]);
  }
  return rates;
}

Figure geometric_mean(std::vector<double> values) {
  for (double& v : values) v = std::log(v);
  const double centre = std::exp(measure::mean(values));
  const auto interval = measure::t_interval(values);
  if (!interval) return {centre, 0, INFINITY};
  return {centre, std::exp(interval->low), std::exp(interval->high)};
}

std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> q;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) q.push_back(a[i] / b[i]);
  return q;
}

void print_rates(const std::string& name, const std::vector<double>& rates, const std::string& what) {
  const Figure f = geometric_mean(rates);
  fmt::print("  {:20} {:8.3f} [{:.3f}, {:.3f}] 1/s  {}\n", name, f.value, f.low, f.high, what);
}

bool judge(const std::string& what, const std::vector<double>& ratios, double least, double lowest) {
  const Figure f = geometric_mean(ratios);
  const bool kept = f.value >= least && f.low >= lowest;
  fmt::print("  {:33} {:.3f} [{:.3f}, {:.3f}], at least {:.2f} (lower end {:.2f}): {}\n", what, f.value, f.low, f.high,
             least, lowest, kept ? "kept" : "MISSED");
  fmt::print("    block by block: {:.3f}\n", fmt::join(ratios, " "));
  return kept;
}

}  // namespace assay::bench
