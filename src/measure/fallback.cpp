#include "measure/fallback.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/case.hpp"

namespace assay::measure {
namespace {

constexpr const char* kNodes = "nodes.cpu";

/// "4 (Gather 3, Shape 1)"; of a member with its name before.
std::string fallen_back(const std::map<std::string, std::string>& in_force, const std::string& key) {
  const std::string& nodes = in_force.at(key);
  const std::string count = nodes.substr(0, nodes.find(':'));
  const auto operators = in_force.find(key + ".operators");
  const std::string member = key.substr(0, key.size() - std::string(kNodes).size());
  return fmt::format("{}{}{} ({})", member.substr(0, member.find_last_of('.')), member.empty() ? "" : ": ", count,
                     operators != in_force.end() ? operators->second : nodes);
}

}  // namespace

std::optional<Warning> fallback_warning(const Case& c, const std::map<std::string, std::string>& in_force) {
  const std::vector<std::string> gpus = gpus_of(c);
  if (gpus.empty()) return std::nullopt;
  std::string all;
  for (const auto& [key, nodes] : in_force) {
    if ((key != kNodes && !key.ends_with(std::string(".") + kNodes)) || nodes == "0") continue;
    all += (all.empty() ? "" : "; ") + fallen_back(in_force, key);
  }
  if (all.empty()) return std::nullopt;
  return Warning{
      "cpu-fallback",
      fmt::format("{}: nodes were computed on the CPU and not on {}: {}", describe(c), fmt::join(gpus, "+"), all),
      "the figures are of both devices; `assay results show --json` names the nodes (nodes.cpu). An engine "
      "that has these operators on the GPU, or a model without them, stays there"};
}

}  // namespace assay::measure
