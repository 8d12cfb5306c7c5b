#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "assay/assay.hpp"

namespace assay {

/// What a case's inputs are made of.
struct DataSpec {
  std::string source = "random";  ///< "random", or a path
  std::uint64_t seed = 1;
  /// Integers of an input are drawn from [first, second]; default [0, 1] for bool, [0, 255] for uint8, else [0, 9].
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> ranges;
};

/// One point of a plan: a model on a backend with settings. A value: its JSON form is what identifies it.
struct Case {
  std::string model;  ///< as the user named it: a zoo name or a path
  std::string backend;
  std::string device = "cpu";
  Goal goal = Goal::kThroughput;
  std::int64_t batch_size = 1;  ///< 0: the graph runs whole ("model")
  int in_flight = 0;            ///< 0: "auto"
  int threads = 0;              ///< resolved by the plan: never 0 in a stored case
  Precision precision = Precision::kFloat32;
  std::string strategy = "single";  ///< how an ensemble is run; "single" for one model
  bool cache = true;                ///< optimized graphs may be kept
  std::map<std::string, Shape> shapes;
  std::map<std::string, int> batch_axis;
  std::map<std::string, std::string> options;  ///< the backend's own, without its name
  DataSpec data;
};

/// "throughput", "latency"; the inverse throws Error(kInvalidArgument).
const char* to_string(Goal goal);
Goal goal_from_string(const std::string& text);
/// "f32", "bf16", "f16", "int8".
const char* to_string(Precision precision);
Precision precision_from_string(const std::string& text);

/// "resnet50 · onnxruntime · throughput · batch 8": for people.
std::string describe(const Case& c);
/// Stable over runs and versions: SHA-256 (first 16 hex digits) of the case's canonical JSON.
std::string case_key(const Case& c);

}  // namespace assay
