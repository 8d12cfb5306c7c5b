#pragma once
// Rates of many cases, taken in blocks that hold each case once: kept in a file, compared block by block so that what
// slows the machine for a while cancels, and held to their bounds.

#include <map>
#include <string>
#include <vector>

#include "arms.hpp"

namespace assay::bench {

/// The geometric mean; its interval is Student's t of the logarithms, and open below two values.
Figure geometric_mean(std::vector<double> values);

/// a / b, block by block.
std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b);

/// "NAME value [low, high] 1/s WHAT"
void print_rates(const std::string& name, const std::vector<double>& rates, const std::string& what);

/// Prints the figure, its bounds, and whether it keeps them, which it answers.
bool judge(const std::string& what, const Figure& f, double least, double lowest);

/// Figures by key: what was measured, in memory and, where one is kept, in a file: a line that says of which build and
/// machine they are, then lines "FIGURE KEY". Throws where the file is of another build or machine.
class State {
 public:
  explicit State(std::string file);
  /// Nothing where it failed, too: it is tried again.
  [[nodiscard]] const double* find(const std::string& key) const;
  double keep(const std::string& key, double figure);

 private:
  std::string file_;
  std::map<std::string, double> figures_;
};

}  // namespace assay::bench
