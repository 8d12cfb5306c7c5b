#pragma once
// Whether a session's outputs agree with the reference's, sample by sample. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/assay.hpp"

namespace assay::worker {

/// How one output is compared.
struct ParityRule {
  double tolerance = 2e-4;  ///< of the error; ignored at int8
  bool by_top1 = false;     ///< int8: the share of equal top-1 decides, not the error
  double least_top1 = 0.9;  ///< at int8
};

struct ParityResult {
  double error = 0;            ///< max |a - b| / max |b|, the worst output
  std::optional<double> top1;  ///< share of equal top-1 where the reference is sure; nothing where none is
  std::int64_t top1_counted = 0;
  std::string failure;  ///< "" where all is well
};

/// Fed with every sample of every output.
class ParityCheck {
 public:
  /// `softmax_axis`, per output: the axis of the Softmax it comes from (of the whole output, batch axis included).
  ParityCheck(ParityRule rule, std::vector<std::string> names, std::vector<std::optional<int>> softmax_axis);
  /// One sample of output `index`, batch axis 1 long; both contiguous.
  void add(std::size_t index, const TensorView& got, const TensorView& reference);
  [[nodiscard]] ParityResult result() const;

 private:
  struct Output {
    std::string name;
    std::optional<int> softmax_axis;
    double largest_difference = 0, largest_reference = 0;
    bool floating = false;
    std::string failure;
    std::vector<double> margins;  // reference's margin of top-1, with its agreement beside
    std::vector<bool> agreed;
  };
  void add_floats(Output& output, const TensorView& got, const TensorView& reference);

  ParityRule rule_;
  std::vector<Output> outputs_;
};

/// The tolerance of a precision less than f32. `rounding` is what rounding the weights to it alone moves the
/// reference's answers by, as an error: the network's condition. Weights are one rounding of several, since what is
/// stored between layers is rounded, too: four times as much is allowed, where that is more than what was `asked`.
/// Where that reaches 1, an answer of nothing but zeros would pass: infinity then, and nothing is verified.
double conditioned_tolerance(double asked, double rounding);

/// log p - mean(log p) along `axis`: where p = softmax(z), that is z - mean(z). p below 1e-30 counts as 1e-30.
void centre_log_probabilities(std::vector<double>& p, const Shape& shape, int axis);

}  // namespace assay::worker
