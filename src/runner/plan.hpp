#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/campaign.hpp"
#include "measure/effort.hpp"

namespace assay::runner {

/// The axes of a sweep; cases are their product, in this order of nesting.
struct Axes {
  std::vector<std::string> models;
  std::vector<std::string> backends;  ///< "all" expanded by the caller
  std::vector<std::string> devices = {"cpu"};
  std::vector<Goal> goals = {Goal::kThroughput, Goal::kLatency};
  std::vector<std::int64_t> batch_sizes = {1};  ///< 0: "model"
  std::vector<int> in_flight = {0};
  std::vector<int> threads;  ///< empty: the allowed cores
  std::vector<Precision> precisions = {Precision::kFloat32};
  std::map<std::string, Shape> shapes;
  std::map<std::string, int> batch_axis;
  std::map<std::string, std::map<std::string, std::string>> options;  ///< backend ("" all) → key → value
  DataSpec data;
  bool cache = true;
};

/// "1,8,32", "1..1024" (powers of two), "model". Throws Error(kInvalidArgument).
std::vector<std::int64_t> parse_batch_sizes(const std::string& text);

/// Every case, in the order of the axes. Throws Error(kInvalidArgument) on an empty axis or a value out of range.
std::vector<Case> expand(const Axes& axes);
/// Axes from a plan file's JSON (docs/cli.md), or the built-in "paper". Throws Error.
Axes read_plan(const std::string& file_or_paper);

/// Indices into `cases`, `processes` times over, in randomised blocks: each block holds every case once, shuffled by a
/// generator seeded with `seed` (the same order on every machine).
std::vector<std::size_t> interleaved_order(std::size_t cases, int processes, std::uint64_t seed);

}  // namespace assay::runner
