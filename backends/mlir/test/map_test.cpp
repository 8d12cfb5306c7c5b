// Functions that the compiler has a polynomial of its own for, against the C++ library's in double.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "test/compiled.hpp"

namespace assay::compiler {
namespace {

using test::Floats;
using test::TestModel;

/// Of as many numbers as an odd length of vectors, and of one, which is computed without vectors.
Floats sigmoids(const Floats& x, const char* target) {
  TestModel m;
  const Shape shape = {static_cast<std::int64_t>(x.size())};
  m.input("x", shape).node("Sigmoid", {"x"}, {"y"}).output("y");
  return test::answer(m, {{"x", shape}}, {x}, {.target = target});
}

TEST(Sigmoid, IsAsExactAsAFloatNearly) {
  constexpr float kMost = 86.5F;
  constexpr int kSteps = 20001;
  Floats x;
  for (int i = 0; i < kSteps; ++i) x.push_back(-kMost + 2 * kMost * static_cast<float>(i) / (kSteps - 1));
  for (const char* target : {"host", "avx2"}) {
    const Floats y = sigmoids(x, target);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double wanted = 1 / (1 + std::exp(-static_cast<double>(x[i])));
      ASSERT_NEAR(y[i], wanted, 5e-7 * wanted) << x[i] << " " << target;
    }
  }
}

TEST(Sigmoid, EndsAtZeroAndOneAndKeepsWhatIsNoNumber) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();
  for (const Floats& rest : {Floats{}, Floats(40, 0)}) {
    const auto odd_nan = std::bit_cast<float>(0xFFFFFFFFU), other_nan = std::bit_cast<float>(0x7FC00001U);
    Floats x = {kInfinity, -kInfinity, 1e30F, -1e30F, 0, kNaN, odd_nan, other_nan};
    x.insert(x.end(), rest.begin(), rest.end());
    const Floats y = sigmoids(x, "host");
    EXPECT_EQ(y[0], 1);
    EXPECT_EQ(y[1], 0);
    EXPECT_EQ(y[2], 1);
    EXPECT_EQ(y[3], 0);
    EXPECT_EQ(y[4], 0.5F);
    for (const std::size_t i : {5U, 6U, 7U}) EXPECT_TRUE(std::isnan(y[i])) << i;
  }
}

}  // namespace
}  // namespace assay::compiler
