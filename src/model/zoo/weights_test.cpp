#include "model/zoo/weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace assay::model {
namespace {

TEST(Moments, ExponentialAgreesWithTheLibrarys) {
  for (double x = -40; x < 40; x += 0.37) EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 1e-14) << x;
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_GT(portable_exp(-1e9), 0);
  EXPECT_TRUE(std::isfinite(portable_exp(1e9)));
}

// Of max(x, 0) in closed form: mean = m Φ(m/s) + s φ(m/s), and likewise the second moment.
TEST(Moments, ReluAgreesWithTheClosedForm) {
  for (const double m : {-1.0, 0.0, 0.7}) {
    for (const double s : {0.5, 1.0, 3.0}) {
      const double cumulated = 0.5 * std::erfc(-m / s / std::sqrt(2.0));
      const double density = std::exp(-0.5 * m * m / s / s) / std::sqrt(2 * std::acos(-1.0));
      const double mean = m * cumulated + s * density;
      const double square = (m * m + s * s) * cumulated + m * s * density;
      const Normal got = activated(Activation::kRelu, {m, s * s});
      EXPECT_NEAR(got.mean, mean, 0.003 * s);
      EXPECT_NEAR(got.variance, square - mean * mean, 0.01 * s * s);
    }
  }
}

TEST(Moments, SmoothFunctions) {
  EXPECT_NEAR(activated(Activation::kSigmoid, {0, 4}).mean, 0.5, 1e-12);
  const Normal constant = activated(Activation::kSilu, {1.5, 0});
  EXPECT_NEAR(constant.mean, 1.5 / (1 + std::exp(-1.5)), 1e-12);
  EXPECT_NEAR(constant.variance, 0, 1e-12);
}

WeightRows recipe_for(std::int64_t rows, std::int64_t inputs, std::int64_t taps) {
  auto seen = std::make_shared<Moments>();
  for (std::int64_t i = 0; i < inputs; ++i) seen->push_back({0.5 + 0.1 * static_cast<double>(i), 0.5});
  return {rows, inputs, taps, seen, std::vector<double>(static_cast<std::size_t>(rows), 1.5), false, {}};
}

TEST(Weights, RowsLetNoMeanThroughAtAnyTapAndHaveTheirDeviation) {
  const WeightRows recipe = recipe_for(4, 8, 9);
  int rows = 0;
  make_rows(recipe, RandomTensor(1, "w"), [&](std::span<const float> row) {
    ++rows;
    ASSERT_EQ(row.size(), 72U);
    double power = 0;
    for (std::size_t t = 0; t < 9; ++t) {
      double mean = 0;
      for (std::size_t i = 0; i < 8; ++i) {
        mean += row[i * 9 + t] * (*recipe.seen)[i].mean;
        power += row[i * 9 + t] * row[i * 9 + t] * (*recipe.seen)[i].variance;
      }
      EXPECT_NEAR(mean, 0, 1e-6);
    }
    EXPECT_NEAR(std::sqrt(power), 1.5, 1e-5);
  });
  EXPECT_EQ(rows, 4);
}

TEST(Weights, LetTheMeanThroughWhereTold) {
  WeightRows recipe = recipe_for(2, 8, 1);
  recipe.through = {0.75, -2};
  std::vector<double> means;
  make_rows(recipe, RandomTensor(1, "w"), [&](std::span<const float> row) {
    double mean = 0;
    for (std::size_t i = 0; i < row.size(); ++i) mean += row[i] * (*recipe.seen)[i].mean;
    means.push_back(mean);
  });
  ASSERT_EQ(means.size(), 2U);
  EXPECT_NEAR(means[0], 0.75, 1e-6);
  EXPECT_NEAR(means[1], -2, 1e-6);
  EXPECT_EQ(foreseen(recipe)[1].mean, -2);
}

TEST(Weights, DepthwiseRowsLetAShareOfTheMeanThrough) {
  WeightRows recipe = recipe_for(3, 1, 25);
  recipe.seen = recipe_for(3, 3, 1).seen;
  recipe.depthwise = true;
  std::size_t r = 0;
  make_rows(recipe, RandomTensor(1, "w"), [&](std::span<const float> row) {
    double sum = 0;
    double power = 0;
    for (const float w : row) {
      sum += w;
      power += static_cast<double>(w) * w;
    }
    EXPECT_NEAR(sum * (*recipe.seen)[r].mean, foreseen(recipe)[r].mean, 1e-5);
    EXPECT_NEAR(power * (*recipe.seen)[r].variance, foreseen(recipe)[r].variance, 1e-5);
    ++r;
  });
  EXPECT_EQ(r, 3U);
}

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(half_from(0), 0x0000);
  EXPECT_EQ(half_from(-0.0F), 0x8000);
  EXPECT_EQ(half_from(1), 0x3C00);
  EXPECT_EQ(half_from(-2.5F), 0xC100);
  EXPECT_EQ(half_from(1 + 0x1p-11F), 0x3C00);    // a tie, to even
  EXPECT_EQ(half_from(1 + 0x1.8p-10F), 0x3C02);  // a tie, to even
  EXPECT_EQ(half_from(65504), 0x7BFF);           // the largest
  EXPECT_EQ(half_from(65520), 0x7C00);           // rounds to infinity
  EXPECT_EQ(half_from(1e9F), 0x7C00);
  EXPECT_EQ(half_from(0x1p-24F), 0x0001);    // the smallest
  EXPECT_EQ(half_from(0x1p-25F), 0x0000);    // a tie, to even
  EXPECT_EQ(half_from(0x1.8p-15F), 0x0300);  // subnormal
  EXPECT_EQ(half_from(std::numeric_limits<float>::infinity()), 0x7C00);
  EXPECT_EQ(half_from(std::numeric_limits<float>::quiet_NaN()) & 0x7E00, 0x7E00);
}

}  // namespace
}  // namespace assay::model
