#pragma once
// Where the members of an ensemble run best: a search over what each was measured to do alone. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/case.hpp"

namespace assay::tune {

/// One way to run a member, as measured alone.
struct Way {
  std::string backend;
  std::int64_t batch_size = 1;
  /// Seconds a sample where every thread computes a batch of its own, and where all threads compute one.
  double spread = 0, whole = 0;
  double memory = 0;  ///< the host's bytes of the model, without the framework
  /// Seconds a sample where so many of the threads compute one batch, between one and all, as far as measured.
  std::map<int, double> on_threads{};
  std::string device = kCpu;
  double device_memory = 0;  ///< bytes on a device that is not the CPU
};

struct Problem {
  std::vector<std::vector<Way>> members;  ///< at least one way each
  int threads = 1;
  double memory_limit = 0;                                ///< bytes of the host; 0: none
  std::map<std::string, double> device_limits{};          ///< bytes of another device, where it has a limit
  std::vector<std::pair<std::string, double>> libraries;  ///< backend → bytes of the framework, counted once
  std::vector<std::size_t> same_as;  ///< of each member the first that is the same model; empty: all differ
  /// [i][j]: how many times longer member i takes while j computes beside it, over i beside itself; NaN: it could not
  /// be measured; empty: 1.
  std::vector<std::vector<double>> slowdown;
  /// Where each member was then: what was measured holds of two members that are there, of others nothing is known. Of
  /// two that were on different devices: how many times longer member i takes beside itself while the other computes
  /// there, over without.
  std::vector<std::string> slowdown_devices{};
};

/// A way for each member, and the strategy that executes them.
struct Plan {
  std::string strategy;
  std::vector<std::size_t> ways;  ///< by member, into Problem::members
  double seconds = 0;             ///< a sample of the ensemble, predicted
  double memory = 0;              ///< the host's
  std::vector<int> threads{};     ///< by member, for a batch of it; empty: not said
};

/// Threads that compute a batch of each member. "sequential": all. "pipelined": one. "concurrent": its lane's. Where
/// there are more threads than members each has a lane of its own, and theirs are divided so that the last is done as
/// early as can be: threads that make nobody quicker are left to none, nor those which would make one of two that are
/// the same model, in the same way, quicker without making the last earlier. Of members on several devices those on the
/// CPU share the threads, and the others have 0: no core computes them.
std::vector<int> member_threads(const Problem& problem, const std::string& strategy,
                                const std::vector<std::size_t>& ways);

/// Whether that is a choice of the plan's, which its strategy would not make by itself.
bool divides_threads(const Problem& problem, const std::string& strategy, const std::vector<std::size_t>& ways);

/// Seconds a sample of the ensemble. "sequential": Σ whole. "pipelined": Σ spread, each slowed by what is beside it in
/// the mean. "concurrent": of the lane that is last to finish, lanes as the engine's strategy has them, a member on
/// some of the threads as measured, and as Amdahl's law has it between two counts that were. On several devices, which
/// compute side by side, but for "sequential": of the device that is last. Another than the CPU does no more than when
/// it is kept busy (Σ spread), and in "concurrent" no member less than alone (whole).
double predicted_seconds(const Problem& problem, const std::string& strategy, const std::vector<std::size_t>& ways);

/// The `count` best plans that fit into the memory of the host and of each device, the best first; none where nothing
/// fits. Every combination is tried where there are at most `exact` of them; beyond, local search from the members'
/// best ways, and where these do not fit, or devices are several, from the best on each set of engines, too (an engine
/// on two devices is two; of more than eight engines the small sets): the way of one member, or of two, is changed for
/// as long as that helps.
std::vector<Plan> best_plans(const Problem& problem, std::size_t count, std::size_t exact = 100'000);

}  // namespace assay::tune
