#pragma once
// An ensemble's members as they were asked for: what is settled before anything is loaded.

#include <string>
#include <vector>

#include "engine/ensemble/member_board.hpp"
#include "engine/ensemble/wiring.hpp"

namespace assay::engine {

/// A member as it was asked for, its name settled, its file read.
struct Wanted {
  Member member;  ///< the weights in whole parts, where they are decimal fractions
  model::Model model;
  MemberTensors tensors;  ///< as the file has them
  MemberNote note;
};

/// Throws Error for what means nothing, and of a file with the member's name.
std::vector<Wanted> wanted_members(const std::vector<Member>& members);

/// "cpu", "gpu:0": where the member computes.
std::string on_device(const Member& m, const Params& params);

/// One graph is one engine's: what a member asks for of its own must be what all get.
void require_nothing_own(const Member& m, const Params& params);

}  // namespace assay::engine
