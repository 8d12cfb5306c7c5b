#pragma once
// Seeded inputs for real networks.

#include <algorithm>
#include <random>

#include "assay/assay.hpp"

namespace assay::test {

/// float32, normally distributed: mean 0, deviation 1.
inline Tensor noise(const Shape& shape, unsigned seed) {
  Tensor x(DType::kFloat32, shape);
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::generate_n(x.as<float>(), x.size(), [&] { return normal(random); });
  return x;
}

/// For what a session or a model takes, with `samples` along its first axis.
inline Tensor noise_for(const TensorInfo& input, std::int64_t samples, unsigned seed) {
  Shape shape = input.shape;
  shape.at(0) = samples;
  return noise(shape, seed);
}

}  // namespace assay::test
