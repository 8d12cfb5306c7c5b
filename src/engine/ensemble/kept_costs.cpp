#include "engine/ensemble/kept_costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "core/case.hpp"
#include "core/json.hpp"
#include "engine/cached_open.hpp"

namespace assay::engine {
namespace {

constexpr int kCostsSchema = 1;
constexpr std::uint64_t kLongestCosts = 1U << 20U;

std::filesystem::path costs_file(const std::filesystem::path& cache_folder, const std::string& key) {
  return cache_folder / "costs" / (key + ".costs");
}

bool is_cost(double cost) { return std::isfinite(cost) && cost > 0; }

}  // namespace

KeyParts cost_parts(const std::string& model_hash, const CheckedRequest& asked, std::int64_t samples) {
  const backend::OpenRequest& request = asked.request;
  KeyParts parts = key_parts(model_hash, asked.backend, asked.probe, asked.device, request);
  parts["library"] = asked.probe.library;
  parts["for"] = to_string(request.goal);  // a graph may not depend on these
  parts["in flight"] = std::to_string(request.in_flight);
  parts["cores"] = std::to_string(request.cores);
  for (const auto& [name, value] : request.options) parts["option " + name] = value;
  if (asked.layout) {
    for (const TensorLayout& t : asked.layout->inputs) parts["input " + t.info.name] = to_string(t.with_count(samples));
  }
  return parts;
}

std::optional<std::vector<double>> find_costs(const std::filesystem::path& cache_folder, const KeyParts& parts,
                                              std::size_t members) {
  if (cache_folder.empty()) return std::nullopt;
  const std::string key = key_of(parts);
  const std::filesystem::path file = costs_file(cache_folder, key);
  try {
    const nlohmann::json all = parse_json(read_file(file, kLongestCosts), file.string());
    if (all.at("schema").get<int>() != kCostsSchema || all.at("key").get<std::string>() != key) return std::nullopt;
    auto costs = all.at("costs").get<std::vector<double>>();
    if (costs.size() == members && std::all_of(costs.begin(), costs.end(), is_cost)) return costs;
  } catch (const std::exception&) {  // not there, or not readable: they are measured instead
  }
  return std::nullopt;
}

bool keep_costs(const std::filesystem::path& cache_folder, const KeyParts& parts, const std::vector<double>& costs,
                const LogFunction& log) {
  const std::string key = key_of(parts);
  const std::filesystem::path file = costs_file(cache_folder, key);
  std::string trouble;
  try {
    std::filesystem::create_directories(file.parent_path());
    const nlohmann::json all = {{"schema", kCostsSchema}, {"key", key}, {"costs", costs}};
    write_file_atomically(file, all.dump() + "\n");
    return true;
  } catch (const std::exception& e) {
    trouble = e.what();
  }
  if (log) {
    log(LogLevel::kWarning, fmt::format("what the members cost could not be kept in {}, and is measured again at the "
                                        "next load: {}",
                                        file.parent_path().string(), trouble));
  }
  return false;
}

}  // namespace assay::engine
