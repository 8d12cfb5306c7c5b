#include "model/zoo/moments.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace assay::model {
namespace {

constexpr double kLog2E = 1.4426950408889634;
constexpr double kLn2High = 0.693147180369123816490;  // its last bits are zero: k * kLn2High is exact
constexpr double kLn2Low = 1.90821492927058770002e-10;

// Nodes and weights of the trapezoidal rule under the normal density, from -6 to 6 sigma.
struct Quadrature {
  static constexpr int kNodes = 97;
  std::array<double, kNodes> x{};
  std::array<double, kNodes> weight{};
  Quadrature() {
    constexpr int kMiddle = kNodes / 2;
    double total = 0;
    for (int i = 0; i < kNodes; ++i) {
      x[i] = (i - kMiddle) * 0.125;
      weight[i] = portable_exp(-0.5 * x[i] * x[i]);
      total += weight[i];
    }
    for (double& w : weight) w /= total;
  }
};

double apply(Activation f, double x) {
  if (f == Activation::kRelu) return std::max(x, 0.0);
  const double sigmoid = 1 / (1 + portable_exp(-x));
  return f == Activation::kSilu ? x * sigmoid : sigmoid;
}

}  // namespace

double portable_exp(double x) {
  x = std::clamp(x, -700.0, 700.0);
  const double k = std::floor(x * kLog2E + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double p = 1;
  for (int i = 14; i >= 1; --i) p = 1 + p * r / i;  // Taylor's series, |r| < 0.35
  return std::ldexp(p, static_cast<int>(k));
}

Normal activated(Activation f, const Normal& in) {
  static const Quadrature kRule;
  const double sigma = std::sqrt(in.variance);
  double mean = 0;
  double square = 0;
  for (int i = 0; i < Quadrature::kNodes; ++i) {
    const double y = apply(f, in.mean + sigma * kRule.x[i]);
    mean += kRule.weight[i] * y;
    square += kRule.weight[i] * y * y;
  }
  return {mean, std::max(square - mean * mean, 0.0)};
}

Normal largest_of(int count, const Normal& x) {
  // Expectation and variance of the largest of 4 and of 9 standard normal values (order statistics' tables).
  const double shift = count == 4 ? 1.0293753730 : 1.4850131622;
  const double variance = count == 4 ? 0.4917152369 : 0.3573533264;
  return {x.mean + shift * std::sqrt(x.variance), x.variance * variance};
}

Normal sum(const Normal& a, const Normal& b) { return {a.mean + b.mean, a.variance + b.variance}; }

Normal product(const Normal& a, const Normal& b) {
  return {a.mean * b.mean, a.variance * b.variance + a.variance * b.mean * b.mean + b.variance * a.mean * a.mean};
}

}  // namespace assay::model
