#pragma once

#include <cstdint>
#include <vector>

namespace assay::model {

/// e^x to about 1e-15, from +, *, / and rounding alone: the same bits on every machine, which libm does not promise.
double portable_exp(double x);

/// Mean and variance of one channel's values over inputs and positions.
struct Normal {
  double mean = 0;
  double variance = 1;
};

/// What the zoo foresees of a tensor, channel by channel, when the input is standard normal noise. Weights are scaled,
/// and centred, by it, so that signals neither vanish nor explode nor lose what tells one input from another.
using Moments = std::vector<Normal>;

enum class Activation { kRelu, kSilu, kSigmoid };

/// Of f(x), x normal.
Normal activated(Activation f, const Normal& x);
/// Of the largest of 4 or 9 independent normal values.
Normal largest_of(int count, const Normal& x);
Normal sum(const Normal& a, const Normal& b);
/// Of independent factors.
Normal product(const Normal& a, const Normal& b);

}  // namespace assay::model
