#pragma once
// How much members slow each other down, measured.

#include <string>
#include <vector>

#include "tune/results.hpp"

namespace assay::tune {

/// Each of the members `all` beside itself and every other, into `placed`'s problem, whose ways are known. False: it
/// was interrupted.
bool measure_interference(const PlaceRequest& request, const std::vector<std::string>& all, Results& results,
                          Placed& placed);

}  // namespace assay::tune
