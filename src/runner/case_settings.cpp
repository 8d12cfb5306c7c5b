#include "runner/case_settings.hpp"

#include <fmt/format.h>

#include <array>

namespace assay::runner {
namespace {

Words shape_words(const Case& c) {
  Words words;
  for (const auto& [name, shape] : c.shapes) words.push_back(fmt::format("{}={}", name, to_string(shape)));
  return words;
}

Words axis_words(const Case& c) {
  Words words;
  for (const auto& [name, axis] : c.batch_axis) {
    words.push_back(axis < 0 ? name + "=none" : fmt::format("{}={}", name, axis));
  }
  return words;
}

Words weight_words(const Case& c) {
  if (c.weights.empty()) return {};
  return {fmt::format("{}", fmt::join(c.weights, ","))};
}

Words option_words(const Case& c) {
  Words words;
  for (const auto& [key, value] : c.options) words.push_back(fmt::format("{}.{}={}", c.backend, key, value));
  return words;
}

Words range_words(const Case& c) {
  Words words;
  for (const auto& [name, range] : c.data.ranges) {
    words.push_back(fmt::format("{}={}:{}", name, range.first, range.second));
  }
  return words;
}

std::string joined(const Words& words) { return fmt::format("{}", fmt::join(words, ", ")); }

constexpr std::array<CaseSetting, 14> kTable = {{
    {"--backend", true, false, "", [](const Case& c) { return Words{c.backend}; }, nullptr},
    {"--device", true, false, kCpu, [](const Case& c) { return Words{c.device}; }, nullptr},
    {"--batch-size", true, true, "", [](const Case& c) { return Words{batch_word(c)}; }, nullptr},
    {"--in-flight", true, false, "auto",
     [](const Case& c) { return Words{c.in_flight == 0 ? "auto" : std::to_string(c.in_flight)}; },
     [](const Case& c) { return c.in_flight == 0 ? "in flight auto" : fmt::format("{} in flight", c.in_flight); }},
    {"--threads", true, false, "0", [](const Case& c) { return Words{std::to_string(c.threads)}; },
     [](const Case& c) { return fmt::format("{} thread{}", c.threads, c.threads == 1 ? "" : "s"); }},
    {"--precision", true, false, "f32", [](const Case& c) { return Words{to_string(c.precision)}; },
     [](const Case& c) { return std::string(to_string(c.precision)); }},
    {"--strategy", true, false, "single", [](const Case& c) { return Words{c.strategy}; },
     [](const Case& c) { return c.placement.seats.empty() ? c.strategy : describe_placement(c); }},
    {"--combine", false, false, "mean", [](const Case& c) { return Words{c.combine}; },
     [](const Case& c) { return c.combine; }},
    {"--weights", false, false, "", weight_words, [](const Case& c) { return "weights " + joined(weight_words(c)); }},
    {"--shape", false, false, "", shape_words, [](const Case& c) { return joined(shape_words(c)); }},
    {"--batch-axis", false, false, "", axis_words, [](const Case& c) { return joined(axis_words(c)); }},
    {"--option", false, false, "", option_words,
     [](const Case& c) {
       Words words;
       for (const auto& [key, value] : c.options) words.push_back(fmt::format("{}={}", key, value));
       return joined(words);
     }},
    {"--data", false, false, "random", [](const Case& c) { return Words{c.data.source}; },
     [](const Case& c) { return "data " + c.data.source; }},
    {"--range", false, false, "", range_words, [](const Case& c) { return joined(range_words(c)); }},
}};

}  // namespace

std::string batch_word(const Case& c) { return c.batch_size == 0 ? "model" : std::to_string(c.batch_size); }

std::string quoted(const std::string& word) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,:=/+%@";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::span<const CaseSetting> case_settings() { return kTable; }

}  // namespace assay::runner
