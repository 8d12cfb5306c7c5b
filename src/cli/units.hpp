#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace assay::cli {

/// "500ms", "3s", "2m", "1h", fractions too. Throws Error(kInvalidArgument) beginning with `option`.
std::chrono::milliseconds parse_duration(const std::string& text, const std::string& option);
/// "512MiB", "2GiB". Throws Error(kInvalidArgument) beginning with `option`.
std::uint64_t parse_size(const std::string& text, const std::string& option);

}  // namespace assay::cli
