#include "report/format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <utility>

namespace assay::report {
namespace {

constexpr std::string_view kNone = "–";

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

/// Bytes of the first `columns` code points.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t i = 0;
  while (i < text.size() && columns > 0) {
    ++i;
    while (i < text.size() && continues(text[i])) ++i;
    --columns;
  }
  return i;
}

}  // namespace

std::string number(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return std::string(kNone);
  if (size == 0) return "0";
  if (size >= 1000) return fmt::format("{:.0f}", value);
  if (size >= 100) return fmt::format("{:.0f}", value);
  if (size >= 10) return fmt::format("{:.1f}", value);
  if (size >= 1) return fmt::format("{:.2f}", value);
  return fmt::format("{:.3g}", value);
}

std::string short_number(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value) || size == 0 || (size >= 1 && size < 1000)) return number(value);
  if (size < 1) return size < 0.001 ? fmt::format("{:.0e}", value) : fmt::format("{:.2g}", value);
  constexpr std::array kSteps = {std::pair(1e9, "G"), std::pair(1e6, "M"), std::pair(1e3, "k")};
  for (const auto& [step, letter] : kSteps) {
    if (size >= step) return size < 1000 * step ? number(value / step) + letter : fmt::format("{:.0e}", value);
  }
  return number(value);
}

std::string with_interval(const Metric* metric, std::string (*format)(double)) {
  if (metric == nullptr || !metric->value) return std::string(kNone);
  std::string text = format(*metric->value);
  if (metric->low && metric->high) text += fmt::format(" [{}, {}]", format(*metric->low), format(*metric->high));
  return text;
}

std::string batch_name(const Case& c) { return c.batch_size == 0 ? "model" : std::to_string(c.batch_size); }

std::string counted(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string duration(double seconds) {
  const auto s = static_cast<long>(std::lround(std::max(0.0, seconds)));
  if (s < 90) return fmt::format("{} s", s);
  if (s < 3600) return s % 60 == 0 ? fmt::format("{} min", s / 60) : fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, (s % 3600) / 60);
}

std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) columns += continues(c) ? 0 : 1;
  return columns;
}

std::string pad_right(std::string_view text, std::size_t columns) {
  const std::size_t w = width(text);
  return std::string(text) + std::string(columns > w ? columns - w : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t columns) {
  const std::size_t w = width(text);
  return std::string(columns > w ? columns - w : 0, ' ') + std::string(text);
}

std::string cut(std::string_view text, std::size_t columns) {
  if (width(text) <= columns || columns == 0) return std::string(text);
  return std::string(text.substr(0, bytes_of(text, columns - 1))) + "…";
}

std::string wrap(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  for (std::size_t from = 0; from < text.size();) {
    std::size_t to = text.find_first_of(" \n", from);
    if (to == std::string_view::npos) to = text.size();
    std::string_view word = text.substr(from, to - from);
    from = to + 1;
    if (word.empty()) continue;
    if (used > 0 && used + 1 + width(word) > columns) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (used > 0) {
      out += " ";
      ++used;
    }
    while (used + width(word) > columns && columns > indent) {  // longer than a line: a path, an id
      const std::size_t part = bytes_of(word, columns - used);
      out += std::string(word.substr(0, part)) + "\n" + std::string(indent, ' ');
      word.remove_prefix(part);
      used = indent;
    }
    out += word;
    used += width(word);
  }
  return out;
}

std::string hang(std::string_view label, std::string_view text, std::size_t label_columns, std::size_t columns) {
  std::string out = pad_right(label, label_columns - 1) + " ";
  for (const char c : wrap(text, columns - label_columns)) {
    out += c;
    if (c == '\n') out += std::string(label_columns, ' ');
  }
  return out;
}

std::string markdown_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += "\\";
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

std::string name_with_options(const Outcome& outcome) {
  std::vector<std::string> options;
  for (const auto& [key, value] : without_variant(outcome).options) options.push_back(key + "=" + value);
  const std::string name = engine_name(outcome);
  return options.empty() ? name : fmt::format("{} with {}", name, fmt::join(options, ", "));
}

std::string group_title(const Case& c) {
  std::string title = fmt::format("{} · {} · {} thread{} · {}", c.model, c.device, c.threads, c.threads == 1 ? "" : "s",
                                  to_string(c.precision));
  if (!c.cache) title += " · no cache";
  if (is_ensemble(c) && c.combine != "mean") title += " · " + c.combine;
  if (!c.weights.empty()) title += fmt::format(" · weights {}", fmt::join(c.weights, ", "));
  for (const auto& [name, shape] : c.shapes) title += fmt::format(" · {}={}", name, to_string(shape));
  if (c.data.source != "random") title += " · data " + c.data.source;
  return title;
}

const Metric* value_of(const Outcome& outcome, const std::string& tag) {
  const Metric* metric = find_metric(outcome, tag);
  return metric != nullptr && metric->value ? metric : nullptr;
}

std::optional<std::string> unverified(const Outcome& outcome) {
  if (outcome.state != OutcomeState::kMeasured) return std::nullopt;
  const Metric* parity = find_metric(outcome, "parity.error");
  if (parity == nullptr) return "unverified: outputs were not compared";
  if (parity->value) return std::nullopt;
  return parity->remark;
}

}  // namespace assay::report
