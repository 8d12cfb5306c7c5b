#pragma once
// An ensemble as the pipeline sees it: a session of a backend, written with the plugin kit.

#include <memory>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"
#include "assay/ensemble.hpp"
#include "engine/ensemble/executor.hpp"
#include "engine/ensemble/member_board.hpp"
#include "engine/ensemble/wiring.hpp"

namespace assay::engine {

/// A member, loaded.
struct OpenMember {
  MemberTensors tensors;
  double weight = 1;
  std::shared_ptr<Session> session;  ///< of several members where they are the same model with the same settings
  MemberNote note;
};

/// All that an ensemble is. `strategy` names it for people.
struct OpenEnsemble {
  std::vector<OpenMember> members;
  Wiring wiring;
  Combine combine = Combine::kMean;
  std::string strategy;
  Schedule schedule;
  /// How the members' sessions were set up: members that share one have threads and streams of all its lanes.
  std::vector<MemberSetup> setups;
  /// What became of the costs that were measured as it was loaded, which the cache did not have; "": none were.
  std::string tried{};
};

/// Reports "plan": the lanes, and the sessions' setups; "members": what each did so far; "profile": by member its
/// session's, null where its engine keeps none.
std::unique_ptr<kit::Session> make_ensemble_session(OpenEnsemble ensemble);

}  // namespace assay::engine
