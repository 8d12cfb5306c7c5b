#include "cli/units.hpp"

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <utility>

#include "assay/error.hpp"

namespace assay::cli {
namespace {

using Unit = std::pair<const char*, double>;

double parse(const std::string& text, const std::string& option, std::span<const Unit> units, double most,
             const char* example) {
  std::size_t end = 0;
  double value = -1;
  try {
    value = std::stod(text, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  for (const auto& [unit, factor] : units) {
    if (end > 0 && text.substr(end) == unit && std::isfinite(value) && value > 0 && value * factor <= most) {
      return value * factor;
    }
  }
  throw Error(ErrorCode::kInvalidArgument, fmt::format("{}: '{}' is not of the form {}", option, text, example));
}

}  // namespace

std::chrono::milliseconds parse_duration(const std::string& text, const std::string& option) {
  static constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}};
  constexpr double kMost = 365.0 * 24 * 3600e3;
  const double ms = parse(text, option, kUnits, kMost, "500ms, 3s, 2m or 1h");
  return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(ms)));
}

std::uint64_t parse_size(const std::string& text, const std::string& option) {
  static constexpr Unit kUnits[] = {{"MiB", 0x1p20}, {"GiB", 0x1p30}};
  return static_cast<std::uint64_t>(parse(text, option, kUnits, 0x1p50, "512MiB or 2GiB"));
}

}  // namespace assay::cli
