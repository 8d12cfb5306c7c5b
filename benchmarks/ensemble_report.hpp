#pragma once
// What bench_ensemble prints of a batch size, and whether its bounds are kept.

#include <string>
#include <vector>

#include "contest.hpp"
#include "ways.hpp"

namespace assay::bench {

/// What is to be said of the gain of the best strategy over `sequential`: that there is none, or little to be had; "":
/// there is one.
std::string remark_on_gain(const Figure& room, const Figure& gain);

/// Each prints its part. False where a bound is missed, or where what failed might have missed one.
bool report_set(const Field& field, const std::vector<Way>& ways, const Set& set);
bool report_failures(const Field& field, const std::vector<Way>& ways);
bool report_memory(const std::vector<Peak>& peaks);

/// All of them.
bool report_batch(const Field& field, const Contest::Result& result);

}  // namespace assay::bench
