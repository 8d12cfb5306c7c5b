#pragma once
// Which of the ensemble's tensors are which of its members'. Pure.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "assay/ensemble.hpp"
#include "core/case.hpp"
#include "model/model.hpp"

namespace assay::engine {

/// A member's side of the wiring, as its session tells it.
struct MemberTensors {
  std::string name;
  int input_group = 0;  ///< Member::input_group
  std::vector<TensorInfo> inputs, outputs;
};

struct Wiring {
  std::vector<TensorInfo> inputs, outputs;         ///< the ensemble's
  std::vector<std::vector<std::size_t>> input_of;  ///< member, its input → the ensemble's input
  /// Member, its output → the ensemble's output: several members' are combined in one.
  std::vector<std::vector<std::size_t>> output_of;
};

/// Throws Error(kInvalidArgument) naming both where outputs do not fit together, or names are not distinct.
Wiring wire(std::span<const MemberTensors> members, Combine combine);

/// Throws Error(kInvalidArgument) where a member's answer is not of one value for each of two classes or more, so that
/// there is nothing to vote for. Of an unknown rank nothing is said.
void require_votes(const std::string& member, const TensorInfo& output);

/// What the members are called: as they were named, else by their files.
std::vector<std::string> member_names(std::span<const Member> members);
using assay::member_names;  // of files alone

/// The ensemble's inputs as the files tell, before anything is loaded. Throws as `wire` where outputs do not fit.
std::vector<TensorInfo> ensemble_inputs(std::span<const model::Model> models, Combine combine = Combine::kMembers);

/// What is said of the ensemble's inputs, by name (shapes, batch axes), as member `m` names them.
template <class Value>
std::map<std::string, Value> for_member(const std::map<std::string, Value>& given, const Wiring& wiring,
                                        const MemberTensors& member, std::size_t m) {
  std::map<std::string, Value> result;
  for (std::size_t i = 0; i < member.inputs.size(); ++i) {
    const auto it = given.find(wiring.inputs[wiring.input_of[m][i]].name);
    if (it != given.end()) result[member.inputs[i].name] = it->second;
  }
  return result;
}

/// What the ensemble calls a member's output; `first`: the member whose names are those of the combined.
std::string output_name(const MemberTensors& first, const MemberTensors& member, const TensorInfo& output,
                        Combine combine);

/// As for_member, of what is said of the ensemble's outputs.
template <class Value>
std::map<std::string, Value> for_member_outputs(const std::map<std::string, Value>& given, const MemberTensors& first,
                                                const MemberTensors& member, Combine combine) {
  std::map<std::string, Value> result;
  for (const TensorInfo& output : member.outputs) {
    const auto it = given.find(output_name(first, member, output, combine));
    if (it != given.end()) result[output.name] = it->second;
  }
  return result;
}

}  // namespace assay::engine
