#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/campaign.hpp"

namespace assay::runner {

/// The axes of a sweep; cases are their product, in this order of nesting.
struct Axes {
  std::vector<std::string> models;
  std::vector<std::string> backends;  ///< "all" expanded by the caller
  std::vector<std::string> devices = {kCpu};
  std::vector<Goal> goals = {Goal::kThroughput, Goal::kLatency};
  bool goals_given = false;
  std::vector<std::int64_t> batch_sizes = {1};  ///< 0: "model"
  std::vector<int> in_flight = {0};
  std::vector<int> threads;  ///< the caller fills in the allowed cores where it is empty
  std::vector<Precision> precisions = {Precision::kFloat32};
  std::vector<std::string> strategies = {kPipelined};  ///< of ensembles
  std::string combine = "mean";                        ///< of ensembles
  std::vector<double> weights;                         ///< of an ensemble's members; empty: all alike
  std::map<std::string, Shape> shapes;
  std::map<std::string, int> batch_axis;
  std::map<std::string, std::map<std::string, std::string>> options;  ///< backend ("" all) → key → value
  DataSpec data;
  bool seeded = false;  ///< the seed was given: it is that of the order, too
  bool cache = true;
};

/// One axis or setting as people write it: on the command line after "--", in a plan file as a member. The same words
/// in both.
struct Setting {
  const char* name;  ///< "batch-size"
  const char* form;  ///< "N,…|1..1024|model"
  const char* meaning;
  bool repeatable;  ///< each value is one whole entry (NAME=…); else values are lists separated by commas
  void (*apply)(Axes& axes, const std::vector<std::string>& values);  ///< throws Error(kInvalidArgument)
};

/// The table of all settings.
std::span<const Setting> settings();
/// Applies one by name; the message of an error begins with the name.
void apply_setting(Axes& axes, const Setting& setting, const std::vector<std::string>& values);

/// "1,8,32", "1..1024" (doubling from the first), "model"; without repetitions. Throws Error(kInvalidArgument).
std::vector<std::int64_t> parse_batch_sizes(const std::string& text);

/// Every case, in the order of the axes, each once. Throws Error(kInvalidArgument) on an empty axis, or too many cases.
std::vector<Case> expand(const Axes& axes);

/// From a plan's JSON (docs/user-guide.md): an object is one sweep, a list of objects is several, whose cases are one
/// campaign. Throws Error(kInvalidArgument).
std::vector<Axes> parse_plan(const std::string& json, const std::string& context);
/// The same from a file, or the built-in "paper". Throws Error.
std::vector<Axes> read_plan(const std::string& file_or_paper);

}  // namespace assay::runner
