#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "assay/assay.hpp"

namespace assay {

/// What a case's inputs are made of.
struct DataSpec {
  std::string source = "random";  ///< "random", or a path
  std::uint64_t seed = 1;
  /// Integers of an input are drawn from [first, second]; default [0, 1] for bool, [0, 255] for uint8, else [0, 9].
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> ranges;
};

/// Strategies of ensembles: one member after the other (the study's way), side by side, interleaved.
inline constexpr const char* kSequential = "sequential";
inline constexpr const char* kConcurrent = "concurrent";
inline constexpr const char* kPipelined = "pipelined";
/// The strategy that makes one graph of all members: nothing is known of each of them.
inline constexpr const char* kMerged = "merged";
/// The strategy that is searched for: each member where it runs best.
inline constexpr const char* kPlaced = "placed";

/// Among devices.
inline constexpr const char* kCpu = "cpu";

/// Where an ensemble's members run, as a search found it: the strategy that executes it, and each member's engine,
/// device, batch and threads.
struct Placement {
  struct Seat {
    std::string backend;
    std::int64_t batch_size = 0;  ///< 0: the ensemble's whole
    int threads = 0;              ///< 0: the strategy's
    std::string device{};         ///< "": the case's, which is one then
    bool operator==(const Seat&) const = default;
  };
  std::string strategy;     ///< "": there is none
  std::vector<Seat> seats;  ///< by member
};

/// One point of a plan: a model on a backend with settings. A value: its JSON form is what identifies it.
struct Case {
  std::string model;          ///< as the user named it: a zoo name or a path; "a+b+c": an ensemble
  std::string backend;        ///< "x+y": of a placed ensemble, all that take part
  std::string device = kCpu;  ///< "cpu+gpu:0": the same
  Goal goal = Goal::kThroughput;
  std::int64_t batch_size = 1;  ///< 0: the graph runs whole ("model")
  int in_flight = 0;            ///< 0: "auto"
  int threads = 0;              ///< resolved by the plan: never 0 in a stored case
  Precision precision = Precision::kFloat32;
  std::string strategy = "single";  ///< how an ensemble is run; "single" for one model
  std::string combine = "mean";     ///< how an ensemble's members answer together
  std::vector<double> weights;      ///< of its members; empty: all alike
  Placement placement;              ///< of strategy "placed"
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

/// What is wrong with a member's weight; "": nothing. So bounded, no weighted sum overflows, and none vanishes.
std::string trouble_with_weight(double weight);
/// The same ratios in whole parts, where these are decimal fractions of six places at most; else as they are. Sums of
/// whole parts are exact, so that votes that are even are even.
std::vector<double> whole_parts(std::span<const double> weights);

/// The members of "a+b+c"; one name, or the path of a file that is there, is its own only member. A '+' within a name
/// is written twice: "c++++.onnx+b" are c++.onnx and b. Throws Error(kInvalidArgument) for an empty member, and where a
/// '+' was written once and a file is there that has it in its name.
std::vector<std::string> members_of(const std::string& model);
/// The inverse.
std::string joined_members(const std::vector<std::string>& members);
/// What members are called, by their files: "resnet50", the second of them "resnet50#2". A number that is another
/// file's own name is passed over.
std::vector<std::string> member_names(const std::vector<std::string>& members);
inline bool is_ensemble(const Case& c) { return c.strategy != "single"; }
/// Whether something is known of each member: of an ensemble that is not one graph.
inline bool has_members(const Case& c) { return is_ensemble(c) && c.strategy != kMerged; }

/// What schedules the members: of a placed plan, its own strategy.
const std::string& executed_strategy(const Case& c);

/// The devices of a case: of one model, and of a plain strategy, one.
std::vector<std::string> devices_of(const Case& c);
/// Those besides the CPU.
std::vector<std::string> gpus_of(const Case& c);
/// Where member `m` of the case computes.
std::string device_of(const Case& c, std::size_t m);
/// A seat's engine, and its device where that is its own: "openvino gpu:0".
std::string engine_of(const Placement::Seat& seat);
/// Of a placed ensemble: "pipelined: resnet50 on openvino, vgg19 on onnxruntime in batches of 4".
std::string describe_placement(const Case& c);

/// "resnet50 · onnxruntime · throughput · batch 8": for people.
std::string describe(const Case& c);
/// Stable over runs and versions: SHA-256 (first 16 hex digits) of the case's canonical JSON.
std::string case_key(const Case& c);

}  // namespace assay
