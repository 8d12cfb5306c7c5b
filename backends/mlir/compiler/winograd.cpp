#include "winograd.hpp"

namespace assay::compiler {

std::vector<std::array<double, 3>> filter_transform(std::int64_t m) {
  if (m == 2) return {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
  const double a = kPointA, b = kPointB, a2 = a * a, b2 = b * b;
  const double zero = a2 * b2, at_a = 2 * a2 * (a2 - b2), at_b = 2 * b2 * (b2 - a2);
  return {{1 / zero, 0, 0},
          {1 / at_a, a / at_a, a2 / at_a},
          {1 / at_a, -a / at_a, a2 / at_a},
          {1 / at_b, b / at_b, b2 / at_b},
          {1 / at_b, -b / at_b, b2 / at_b},
          {0, 0, 1}};
}

}  // namespace assay::compiler
