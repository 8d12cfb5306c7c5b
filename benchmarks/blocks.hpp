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
  /// Measures an arm's rate in a block; 0: it failed. Empty: what is known is all.
  std::function<double(std::size_t arm, int block)> turn;
  /// Of an earlier run, where there is one. Empty: nothing.
  std::function<std::optional<double>(std::size_t arm, int block)> known{};
  /// Asked before each block that is measured: whether so many whole ones are enough. Empty: never.
  std::function<bool(int whole)> enough{};
};

/// Each arm once a block, shuffled; the same order in each run. An arm that failed in two blocks is given up: it would
/// leave no block whole. Turns of one block are compared with each other: a block in which an arm has none, since it
/// was cut short or the arm was not there, is measured again as a whole.
Blocks take_blocks(const BlocksToTake& plan);

/// Block by block the rate of that arm which is the best by the other blocks, so that no turn is judged that was chosen
/// for itself: the best of several by the same turns would be too high. Of one block, the best. Where several are about
/// as good, what is chosen for a block is by the noise of the others, so that blocks depend on each other a little:
/// intervals of what comes of them are then somewhat too narrow.
std::vector<double> best_by_the_others(const std::vector<std::vector<double>>& arms);

/// The geometric mean; its interval is Student's t of the logarithms, and open below two values.
Figure geometric_mean(std::vector<double> values);

/// a / b, block by block.
std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b);

/// "NAME value [low, high] 1/s WHAT"
void print_rates(const std::string& name, const std::vector<double>& rates, const std::string& what);

/// Prints the geometric mean, its bounds, whether it keeps them, which it answers, and the ratios themselves: with
/// those of another run they are one sample, where either alone has too few.
bool judge(const std::string& what, const std::vector<double>& ratios, double least, double lowest);

}  // namespace assay::bench
