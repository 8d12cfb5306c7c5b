#include "cli/cache_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "base/sha256.hpp"
#include "engine/ensemble/merged.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

constexpr double kBytesOfMiB = 1024.0 * 1024.0;
constexpr std::size_t kHashShown = 8, kKeyShown = 12, kValueShown = 32;

std::string part(const engine::KeyParts& parts, const std::string& name) {
  const auto it = parts.find(name);
  return it == parts.end() ? "?" : it->second;
}

/// "4 h", "12 d": in the largest unit of which there are two, or as many as there are.
std::string age(std::time_t since, std::time_t now) {
  const std::time_t seconds = std::max<std::time_t>(now - since, 0);
  constexpr std::time_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  if (seconds >= 2 * kDay) return fmt::format("{} d", seconds / kDay);
  if (seconds >= 2 * kHour) return fmt::format("{} h", seconds / kHour);
  return fmt::format("{} min", seconds / kMinute);
}

/// Long values, and the plugin's state, say nothing to a reader but whether they are the same.
std::string text_of_part(const std::string& name, const std::string& value) {
  constexpr std::string_view kOption = "option ", kShape = "shape ";
  const bool hashed = name == "plugin" || value.size() > kValueShown;
  const std::string shown = hashed ? sha256_of(value).substr(0, kHashShown) : value;
  if (name == "model") return "model " + value.substr(0, kHashShown);
  if (name == "batch size") return value == "0" ? "any batch" : "batch " + value;
  if (name == "threads") return value + (value == "1" ? " thread" : " threads");
  if (name == "in flight") return value + " in flight";
  if (name == "precision" || name == "device") return shown;
  for (const std::string_view prefix : {kOption, kShape}) {
    if (name.starts_with(prefix)) return fmt::format("{}={}", name.substr(prefix.size()), shown);
  }
  return fmt::format("{} {}", name, shown);
}

/// What of a graph one looks for: those of one title are told apart.
std::string title_of(const engine::KeyParts& parts) {
  if (part(parts, "backend") == engine::kMergedBackend) return "merged, " + part(parts, "members");
  const std::string version = part(parts, "version");
  return fmt::format("{} {}, model {}", part(parts, "backend"), version.substr(0, version.find('-')),
                     part(parts, "model").substr(0, kHashShown));
}

/// By title, the parts that are not the same in all graphs of it.
using Differing = std::map<std::string, std::set<std::string>>;

Differing differing_parts(const std::vector<engine::CachedGraph>& graphs) {
  Differing differing;
  std::map<std::string, const engine::KeyParts*> first;
  for (const engine::CachedGraph& g : graphs) {
    const std::string title = title_of(g.parts);
    const engine::KeyParts& one = *first.emplace(title, &g.parts).first->second;
    for (const auto& [name, value] : g.parts) {
      if (const auto it = one.find(name); it == one.end() || it->second != value) differing[title].insert(name);
    }
    for (const auto& [name, value] : one) {
      if (!g.parts.contains(name)) differing[title].insert(name);
    }
  }
  return differing;
}

std::string description(const engine::KeyParts& parts, std::set<std::string> shown) {
  if (parts.empty()) return "unknown";
  shown.insert("batch size");
  std::string text = title_of(parts);
  for (const auto& [name, value] : parts) {
    if (shown.contains(name)) text += ", " + text_of_part(name, value);
  }
  return text;
}

std::string row(const std::string& name, std::uint64_t bytes, const std::string& age, const std::string& what) {
  const std::string head =
      fmt::format("{:<{}}  {:7.1f} MiB  {:<11} ", name, kKeyShown, static_cast<double>(bytes) / kBytesOfMiB, age);
  const std::string stand_in(head.size(), '.');  // a wrapped text keeps no column
  return head + report::wrap(stand_in + " " + what, report::kColumns, kKeyShown + 2).substr(head.size());
}

}  // namespace

std::vector<std::string> rows_of(const std::vector<engine::CachedGraph>& graphs, std::time_t now) {
  Differing differing = differing_parts(graphs);
  std::vector<std::string> rows;
  for (const engine::CachedGraph& g : graphs) {
    rows.push_back(row(g.key.substr(0, kKeyShown), g.bytes, age(g.last_used, now) + " ago",
                       description(g.parts, differing[title_of(g.parts)]) + (g.in_use ? " (in use)" : "")));
  }
  return rows;
}

std::vector<std::string> rows_of(const std::vector<engine::UnfinishedGraph>& graphs, std::time_t now) {
  std::vector<std::string> rows;
  for (const engine::UnfinishedGraph& g : graphs) {
    const std::string of = description(g.parts, {});
    rows.push_back(g.being_filled ? row("being filled", g.bytes, "for " + age(g.since, now), of)
                                  : row("unfinished", g.bytes, age(g.since, now) + " ago",
                                        of + "; its process is gone: `assay cache clear` removes it"));
  }
  return rows;
}

}  // namespace assay::cli
