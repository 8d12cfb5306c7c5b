#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "backend/backend.hpp"
#include "base/suggest.hpp"

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
      text = fmt::format("a list of {}, by commas, or nothing", fmt::join(option.choices, ", "));
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
      for (const std::string& choice : option.choices) {
        if (value == choice) return true;
      }
      return false;
    default:
      return value.find('\0') == std::string::npos;
  }
}

[[noreturn]] void refuse(const std::string& backend, const Option& option, const std::string& found) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{}: it takes {} (default {})", found, accepted(option),
                          option.default_value.empty() ? "\"\"" : option.default_value),
              backend + "." + option.name);
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

std::string refused_element(const Option& option, const std::string& element, const std::string& list) {
  if (element.empty()) return fmt::format("an element of '{}' is empty", list);
  const std::vector<std::string> near = near_names(element, option.choices);
  const std::string meant = near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near.front());
  return fmt::format("'{}' of '{}' is none of its choices{}", element, list, meant);
}

/// Which of the choices a list names, in their order.
std::string checked_list(const std::string& backend, const Option& option, const std::string& list) {
  if (option.default_value == "auto" && list == "auto") return list;
  if (without_blanks(list).empty()) return "";
  std::vector<bool> named(option.choices.size(), false);
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t comma = std::min(list.find(',', from), list.size());
    const std::string element(without_blanks(std::string_view(list).substr(from, comma - from)));
    const auto it = std::find(option.choices.begin(), option.choices.end(), element);
    if (it == option.choices.end()) refuse(backend, option, refused_element(option, element, list));
    named[static_cast<std::size_t>(it - option.choices.begin())] = true;
    from = comma + 1;
  }
  std::vector<std::string> elements;
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (named[i]) elements.push_back(option.choices[i]);
  }
  return fmt::format("{}", fmt::join(elements, ","));
}

}  // namespace

std::string checked_value(const std::string& backend, const Option& option, const std::string& value) {
  if (option.type == ASSAY_OPTION_LIST) return checked_list(backend, option, value);
  if (!fits(option, value)) refuse(backend, option, fmt::format("the value '{}' does not fit", value));
  return value;
}

}  // namespace assay::backend
