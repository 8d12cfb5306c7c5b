#pragma once
// Numbers and text for people.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/campaign.hpp"

namespace assay::report {

/// What is printed fits a terminal of this width.
constexpr std::size_t kColumns = 80;

/// Three or four significant digits: "0.0123", "1.23", "25.3", "1250".
std::string number(double value);
/// At most five columns from 0.01 on: "400k", "1.23M"; beyond that with an exponent.
std::string short_number(double value);
/// "25.3 [24.1, 26.5]"; "–" where there is no value.
std::string with_interval(const Metric* metric, std::string (*format)(double) = number);
/// "batch 8" is "8"; the model's own is "model".
std::string batch_name(const Case& c);
/// "1 case", "4 cases".
std::string counted(std::size_t count, const std::string& noun);
/// "for about 2 min 10 s", without the "for about".
std::string duration(double seconds);

/// Characters on the screen: code points of UTF-8, all taken as one column wide.
std::size_t width(std::string_view text);
std::string pad_right(std::string_view text, std::size_t columns);
std::string pad_left(std::string_view text, std::size_t columns);
/// Cut with "…" to that many columns.
std::string cut(std::string_view text, std::size_t columns);
/// Broken at spaces into lines of at most `columns`; following ones begin with `indent` spaces.
std::string wrap(std::string_view text, std::size_t columns, std::size_t indent = 0);

/// A label, and beside it a text wrapped into the columns that are left.
std::string hang(std::string_view label, std::string_view text, std::size_t label_columns, std::size_t columns);

/// As a cell of a table in Markdown: no line break, and a bar only escaped.
std::string markdown_cell(std::string_view text);

/// The engine's name, and what options it does not say: "mlir (strict) with streams=2".
std::string name_with_options(const Outcome& outcome);

/// What the cases of a group share and others may not: model, device, precision, threads, options, data.
std::string group_title(const Case& c);
/// A metric of the outcome that has a value, or nullptr.
const Metric* value_of(const Outcome& outcome, const std::string& tag);
/// "unverified: …" where a measured outcome was not compared with the reference.
std::optional<std::string> unverified(const Outcome& outcome);

}  // namespace assay::report
