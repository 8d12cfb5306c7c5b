#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "core/campaign.hpp"
#include "measure/effort.hpp"
#include "runner/facts.hpp"
#include "store/store.hpp"
#include "worker/launcher.hpp"

namespace assay::runner {

/// Progress of a campaign, for whoever shows it.
struct Progress {
  enum class Kind { kPlanned, kCaseStarted, kPhase, kCaseFinished, kWarning, kNote };
  Kind kind = Kind::kPhase;
  /// Worker processes, of those foreseen when the campaign was planned: a total that stays. Those that turn out not to
  /// be needed count as done.
  int runs_done = 0, runs_total = 0;
  int repeats = 0;  ///< processes that were disturbed and had, or have, to run again
  std::chrono::seconds estimated_left{0};
  const Case* test_case = nullptr;
  const Outcome* outcome = nullptr;  ///< kCaseFinished
  std::string text;                  ///< phase, warning or note
  double phase_progress = 0;
};
using ProgressListener = std::function<void(const Progress&)>;

/// Where what is learnt goes as soon as it is known: the store, in the program. May throw: store::Unwritable ends the
/// run after the case under way, with anything else it goes on.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void outcome(const Outcome& outcome) = 0;
  /// A process of a case that goes on.
  virtual void process(const store::PendingProcess& process) = 0;
  virtual void warning(const Warning& warning) = 0;
  /// An entry of the campaign's environment, new or replaced.
  virtual void fact(const std::string& key, const std::string& value) = 0;
};

/// Environment: the rates of undisturbed A/A pairs, "10.1:10.2 9.9:10", in windows that are no shorter than quick's.
/// (Old results files have "noise.pairs", of which nobody knows what disturbed them.)
inline constexpr const char* kPairsKey = "noise.pairs.undisturbed";

struct RunSettings {
  measure::Effort effort;
  std::uint64_t seed = 1;                  ///< of the order
  std::filesystem::path cache_folder;      ///< of optimized graphs
  std::filesystem::path hash_folder;       ///< where hashes of files are remembered; "": nowhere
  std::filesystem::path reference_folder;  ///< of the answers that others are compared with
  /// Resumed: what processes of cases without an outcome observed before.
  std::vector<store::PendingProcess> pending;
  worker::Limits limits;  ///< timeout and silence grow with what a batch of the case may take, unless `limits_fixed`
  bool limits_fixed = false;
  std::map<std::string, std::filesystem::path> libraries;  ///< backend → explicit path
  /// "" where none was given.
  [[nodiscard]] std::filesystem::path library_of(const std::string& backend) const {
    const auto it = libraries.find(backend);
    return it == libraries.end() ? std::filesystem::path() : it->second;
  }
  std::filesystem::path profile_folder;  ///< where profiles go, <case key>.json; "": none are made
  double noise_floor = 0.03;             ///< relative; of the machine's store, else the stated default
  std::uint64_t machine_memory = 0;      ///< bytes; 0: not known, and no case is skipped for its memory
  ModelLookup models;
  bool control = true;  ///< the control case at start, middle and end
};

/// Runs every case of campaign.plan that has no outcome yet. A case never takes the campaign down. Outcomes, warnings
/// and facts are added to `campaign` as well as handed to `recorder`. Answers false when `stop` ended it early; every
/// case that was finished is recorded. Answers false, too, when the recorder could not be written any more: a warning
/// "not-recorded" says so, and what was measured and not recorded is an outcome with the phase kNotStored. Throws
/// Error(kInvalidArgument) before anything is measured where the campaign was begun with another model or engine: its
/// figures would not belong together.
bool run(Campaign& campaign, const RunSettings& settings, worker::Launcher& launcher, Clock& clock, Recorder& recorder,
         const ProgressListener& listener, const std::atomic<bool>& stop);

/// What stored campaigns tell of a case.
struct History {
  std::optional<double> batch_ns;  ///< one batch
  std::optional<double> load_ns;
};
using HistoryLookup = std::function<History(const Case&)>;

/// Processes of a case that read memory, beside those that measure: one; of an ensemble another, in which one member is
/// loaded after the other. None where memory is read in a process that measures.
int memory_processes(const Case& c, const measure::Effort& effort);

/// How long one process of a case takes, from stored campaigns where there are any, else from the model's FLOPs.
std::chrono::duration<double> estimate_process(const Case& c, const measure::Effort& effort, const ModelFacts& facts,
                                               const History& history);
/// The whole plan: on the long side. Cases whose model cannot be read count nothing.
std::chrono::seconds estimate(const std::vector<Case>& plan, const measure::Effort& effort, const ModelLookup& models,
                              const HistoryLookup& history);

/// What a dry run shows of a case.
struct Preview {
  Case test_case;
  std::string skipped;                         ///< why it would be; "" where it would run
  std::chrono::duration<double> estimated{0};  ///< all its processes
};
/// Where `stop` ends it, those seen so far.
std::vector<Preview> preview(const std::vector<Case>& plan, const RunSettings& settings, worker::Launcher& launcher,
                             const HistoryLookup& history, const std::atomic<bool>& stop);

/// Per model, names the set that cannot be told from the best, by throughput (by latency where only that was measured),
/// and the command that would decide.
Recommendation recommend(const Campaign& campaign);
/// The command that measures these cases of one model again, with the next effort; "" where there is none above the
/// campaign's.
std::string deciding_command(const Campaign& campaign, const std::vector<Case>& cases);
/// Why a winner by `ratio` over the next best should not be trusted yet, to be put before the sentence's end; "" where
/// nothing speaks against it.
std::string reserve(const Campaign& campaign, const Outcome& best, const Outcome& next, double ratio);

}  // namespace assay::runner
