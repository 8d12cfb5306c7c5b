#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace assay {

/// A named value. Which tags there are is data (docs/results-schema.md), not a struct.
struct Metric {
  std::string tag;                  ///< "latency.p50"
  std::string unit;                 ///< "ms"
  std::optional<double> value;      ///< empty: could not be measured; `remark` says why
  std::optional<double> low, high;  ///< 95 % interval
  std::int64_t n = 0;               ///< observations behind it
  std::string remark;
};

}  // namespace assay
