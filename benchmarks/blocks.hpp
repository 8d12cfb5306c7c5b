#pragma once
// Rates of many cases, taken in blocks that hold each case once: compared block by block so that what slows the machine
// for a while cancels, and held to their bounds.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arms.hpp"

namespace assay::bench {

/// What came of some arms.
struct Blocks {
  std::vector<std::vector<double>> rates;  ///< by arm, of the blocks in which all have one that were not given up
  std::vector<bool> given_up;              ///< by arm: it failed twice, and has no rates
};

struct BlocksToTake {
  std::size_t arms = 0;
  int blocks = 0;
  /// The rate of an arm in a block, 0 where it failed; nothing: no more is measured.
  std::function<std::optional<double>(std::size_t arm, int block)> turn;
  /// Asked before each block: whether so many are enough. Empty: never.
  std::function<bool(int taken)> enough{};
};

/// Each arm once a block, shuffled; the same order in each run. An arm that failed in two blocks is given up: it would
/// leave no block whole.
Blocks take_blocks(const BlocksToTake& plan);

/// The geometric mean; its interval is Student's t of the logarithms, and open below two values.
Figure geometric_mean(std::vector<double> values);

/// a / b, block by block.
std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b);

/// "NAME value [low, high] 1/s WHAT"
void print_rates(const std::string& name, const std::vector<double>& rates, const std::string& what);

/// Prints the figure, its bounds, and whether it keeps them, which it answers.
bool judge(const std::string& what, const Figure& f, double least, double lowest);

}  // namespace assay::bench
