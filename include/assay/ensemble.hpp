#pragma once
// Several models that answer together, as one Session.
//
//   auto session = assay::load({"resnet50.onnx", "densenet201.onnx"}, {.batch_size = 8});        // the mean of both
//   auto session = assay::load(Ensemble{.members = {{.model = "a.onnx", .weight = 2}, {.model = "b.onnx"}},
//                                       .strategy = "sequential"});

#include <initializer_list>
#include <string>
#include <vector>

#include "assay/assay.hpp"

namespace assay {

/// How the members' outputs become the ensemble's. All but kMembers want them of one type (float32, float64) and shape.
enum class Combine {
  kMean,     ///< Σ wᵢ yᵢ / Σ wᵢ; with the default weights of 1 the mean
  kVote,     ///< along the one axis besides the batch's that is longer than 1: the share, by weight, of the members
             ///< whose largest value is there
  kMembers,  ///< none: outputs are "member.output"
};

/// "mean", "vote", "members"; the inverse throws Error(kInvalidArgument).
ASSAY_API const char* to_string(Combine combine);
ASSAY_API Combine combine_from_string(const std::string& text);

/// One of an ensemble. What is left open here is as the Params say.
struct Member {
  std::filesystem::path model;
  std::string name{};     ///< in errors, outputs and reports; "": the file's, "resnet50"
  double weight = 1;      ///< from a millionth to a million; only ratios count
  std::string backend{};  ///< "": Params::backend
  std::string device{};   ///< "cpu", "gpu:0"; "": that of the Params
  /// Of all its batches at once, each of which takes one at least; 0: the strategy's. All members together have no more
  /// at once than Params::threads. On another device than the CPU they limit no batches.
  int threads = 0;
  std::int64_t batch_size = 0;                   ///< samples at once of this member; 0: the ensemble's batch whole
  std::map<std::string, std::string> options{};  ///< of this member's backend; empty: Params::options
  /// Members share inputs with those of the same number only. Where images are prepared in several ways, each way has a
  /// number, and those of another than 0 have "member.input", even where type and shape are another member's.
  int input_group = 0;
};

struct Ensemble {
  std::vector<Member> members;
  Combine combine = Combine::kMean;
  std::string strategy = "pipelined";  ///< one of strategy_names()
};

/// Who runs when: docs/ensembles.md.
ASSAY_API std::vector<std::string> strategy_names();

/// All members load side by side, on threads of their own; when they have, the heap's free pages are given back to the
/// system (glibc's malloc_trim), the whole process's. Throws Error, of a member's own with its name, of strategy
/// "merged"'s one graph with all.
ASSAY_API Session load(const Ensemble& ensemble, const Params& params = {});
/// Their mean, pipelined.
ASSAY_API Session load(std::initializer_list<std::filesystem::path> members, const Params& params = {});

}  // namespace assay
