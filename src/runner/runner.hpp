#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "core/campaign.hpp"
#include "measure/effort.hpp"
#include "runner/plan.hpp"
#include "worker/launcher.hpp"

namespace assay::runner {

/// Progress of a campaign, for whoever shows it.
struct Progress {
  enum class Kind { kPlanned, kCaseStarted, kPhase, kCaseFinished, kWarning, kNote };
  Kind kind = Kind::kPhase;
  int runs_done = 0, runs_total = 0;  ///< worker processes
  std::chrono::seconds estimated_left{0};
  const Case* test_case = nullptr;
  const Outcome* outcome = nullptr;  ///< kCaseFinished
  std::string text;                  ///< phase, warning or note
  double phase_progress = 0;
};
using ProgressListener = std::function<void(const Progress&)>;

/// What a finished case is handed to; the store, in the program. Called in the order cases finish.
using OutcomeSink = std::function<void(const Outcome&)>;

struct RunSettings {
  measure::Effort effort;
  std::uint64_t seed = 1;
  std::filesystem::path cache_folder;
  worker::Limits limits;
  std::map<std::string, std::filesystem::path> libraries;  ///< backend → explicit path
  bool profile = false;
  double noise_floor = 0.03;  ///< relative; of the machine's store, else the stated default
};

/// Runs every case of campaign.plan that has no outcome yet. A case never takes the campaign down. Outcomes and
/// warnings are appended to `campaign` as well as handed to `sink`. Returns false when `stop` ended it early.
bool run(Campaign& campaign, const RunSettings& settings, worker::Launcher& launcher, Clock& clock,
         const OutcomeSink& sink, const ProgressListener& listener, const std::atomic<bool>& stop);

/// How long the plan takes on this machine, from stored campaigns of the same cases where there are any, else from the
/// models' FLOPs. Deliberately on the long side.
std::chrono::seconds estimate(const std::vector<Case>& plan, const measure::Effort& effort);

/// Names the set that cannot be told from the best, by throughput, and the command that would decide.
Recommendation recommend(const Campaign& campaign, double noise_floor);

}  // namespace assay::runner
