#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/outcome.hpp"

namespace assay {

/// Something about the machine or the run that bears on trust. `kind` is stable: "noisy-neighbour", "throttling",
/// "cpu-quota", "governor", "drift", "quick-memory" …
struct Warning {
  std::string kind;
  std::string message;
  std::string advice;
};

/// One invocation of bench: what was planned, where, and what came of it.
struct Campaign {
  std::string id;                                  ///< 8 hex digits
  std::string version;                             ///< of Assay
  std::string command;                             ///< as typed
  std::string effort;                              ///< "quick", "standard", "rigorous"
  std::string started;                             ///< UTC, ISO 8601
  std::string finished;                            ///< "" while it runs, or when it was interrupted
  std::uint64_t seed = 1;                          ///< of the order of the cases
  std::map<std::string, std::string> environment;  ///< "cpu.model", "cpu.flags", "memory.total", "kernel" …
  std::vector<Warning> warnings;
  std::vector<Case> plan;  ///< in the order of the axes
  std::vector<Outcome> outcomes;
};

/// An outcome that a recommendation speaks of, and the goal by which it judges it there.
struct NamedOutcome {
  std::size_t index = 0;  ///< into outcomes
  Goal judged_by = Goal::kThroughput;
};

/// Which engine and settings to use: those that cannot be told from the best.
struct Recommendation {
  std::vector<std::size_t> set;       ///< indices into outcomes, best first
  std::string because;                ///< one sentence
  std::string binding_constraint;     ///< "" where none
  std::vector<NamedOutcome> named{};  ///< by `because`, in its order
};

}  // namespace assay
