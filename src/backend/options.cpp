#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backend/backend.hpp"

namespace assay::backend {
namespace {

// What would do, for the message: "a whole number from 1 to 64, or auto".
std::string accepted(const Option& option) {
  std::string text;
  switch (option.type) {
    case ASSAY_OPTION_BOOL:
      text = "true or false";
      break;
    case ASSAY_OPTION_INT:
      text = fmt::format("a whole number from {:.0f} to {:.0f}", option.minimum, option.maximum);
      break;
    case ASSAY_OPTION_REAL:
      text = fmt::format("a number from {:g} to {:g}", option.minimum, option.maximum);
      break;
    case ASSAY_OPTION_CHOICE:
      text = fmt::format("one of {}", fmt::join(option.choices, ", "));
      break;
    case ASSAY_OPTION_LIST:
      text = fmt::format("any of {}, with commas between and no blanks", fmt::join(option.choices, ", "));
      break;
    default:
      text = "text";
  }
  return option.default_value == "auto" && option.type != ASSAY_OPTION_TEXT ? text + ", or auto" : text;
}

template <class Number>
bool in_range(const Option& option, const std::string& value) {
  Number number{};
  const char* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || rest != end) return false;
  const auto real = static_cast<double>(number);
  return std::isfinite(real) && real >= option.minimum && real <= option.maximum;
}

bool is_choice(const Option& option, std::string_view value) {
  return std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end();
}

/// Choices, each once at most.
bool is_list(const Option& option, std::string_view value) {
  std::set<std::string_view> seen;
  for (bool more = !value.empty(); more;) {
    const std::size_t comma = value.find(',');
    const std::string_view element = value.substr(0, comma);
    if (!is_choice(option, element) || !seen.insert(element).second) return false;
    more = comma != std::string_view::npos;
    if (more) value.remove_prefix(comma + 1);
  }
  return true;
}

bool fits(const Option& option, const std::string& value) {
  if (option.default_value == "auto" && value == "auto") return true;
  switch (option.type) {
    case ASSAY_OPTION_BOOL:
      return value == "true" || value == "false";
    case ASSAY_OPTION_INT:
      return in_range<std::int64_t>(option, value);
    case ASSAY_OPTION_REAL:
      return in_range<double>(option, value);
    case ASSAY_OPTION_CHOICE:
      return is_choice(option, value);
    case ASSAY_OPTION_LIST:
      return is_list(option, value);
    default:
      return value.find('\0') == std::string::npos;
  }
}

}  // namespace

void check_option(const std::string& backend, const Option& option, const std::string& value) {
  if (fits(option, value)) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("the value '{}' does not fit: it takes {} (default {})", value, accepted(option),
                          option.default_value),
              backend + "." + option.name);
}

}  // namespace assay::backend
