#pragma once
// Winograd's minimal filtering F(m, 3) in one dimension, nested for images: a tile d of m + 2 values and a filter g of
// 3 become y = A^T [(G g) * (B^T d)], with as many multiplications as there are values (Lavin and Gray, 2015, section
// 4). Of F(4, 3) the points are 0, ±5/8, ±3/2 and infinity, whose error is a third of that of the usual 0, ±1, ±2
// (docs/mlir/3-schedule.md).

#include <array>
#include <cstdint>
#include <vector>

namespace assay::compiler {

constexpr double kPointA = 0.625, kPointB = 1.5;

/// G: m + 2 rows of 3.
std::vector<std::array<double, 3>> filter_transform(std::int64_t m);

}  // namespace assay::compiler
