#pragma once
// One campaign under way; runner.cpp drives it.

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <set>

#include "base/file.hpp"
#include "runner/probe.hpp"
#include "runner/runner.hpp"

namespace assay::runner {

/// What a process that counts found.
struct Rate {
  double per_second = 0;  ///< samples
  bool disturbed = false;
};

/// A case that is not finished.
struct Pending {
  std::size_t index = 0;  ///< into the plan
  ModelFacts facts;
  std::filesystem::path reference;             ///< "": unverified
  std::filesystem::path rounded_reference;     ///< of weights rounded to the case's precision; "": none
  std::chrono::duration<double> estimated{0};  ///< one process
  std::vector<ProcessSamples> samples;
  std::map<std::string, std::string> texts;
  std::vector<Rate> rates;  ///< per process kept
  std::vector<Rate> twins;  ///< the same of its A/A twin
  bool has_twin = false;
  int reruns = 0;
  double estimated_left_s = 0;
  int left = 0;         ///< processes that it still needs
  bool closed = false;  ///< its outcome is recorded
};

/// What the samples of an A/A twin carry in `noise`.
inline constexpr const char* kTwinNote = "the A/A twin: for the noise floor alone";

class CampaignRun {
 public:
  CampaignRun(Campaign& campaign, const RunSettings& settings, worker::Launcher& launcher, Clock& clock,
              Recorder& recorder, const ProgressListener& listener, const std::atomic<bool>& stop);
  bool run();

 private:
  struct Turn {
    std::size_t pending = 0;
    bool twin = false;
  };

  // Before anything is measured (preflight.cpp).
  void find_pending();
  void take_up(Pending& p, const store::PendingProcess& process);
  /// Refuses where it is not what the campaign was begun with.
  void fact_that_stays(const std::string& key, const std::string& value, const std::string& what);
  const ProbeAnswer& probe(const std::string& backend);
  ProbeLookup prober() { return std::bind_front(&CampaignRun::probe, this); }
  void skip_unavailable();
  void read_models();
  void skip_unreadable();
  void skip_too_large();
  void make_references();
  /// A reference's file; "" and why there is none.
  struct MadeReference {
    std::filesystem::path file;
    std::string why_not;
  };
  const MadeReference& reference_of(const Pending& p, Precision weights_rounded_to);
  MadeReference make_reference(const Pending& p, worker::Request request);
  std::filesystem::path reference_folder();
  void choose_twins();

  /// Whether no other case is begun.
  [[nodiscard]] bool ending() const { return stop_ || !refusal_.empty(); }

  // Measuring.
  bool measure_all();
  std::vector<Turn> block(int number) const;
  /// False: the process was noisy, and is to run again.
  bool take_turn(const Turn& turn);
  bool keep(Pending& p, const Turn& turn, worker::Exit& exit, double wall_ns);
  void again(Pending& p, const std::string& why);
  void count_rerun(Pending& p);
  void finish_if_done(Pending& p);
  void measure_memory(Pending& p);
  /// One process, whose metrics are `tags`.
  void read_memory(Pending& p, worker::Request::Kind kind, const std::vector<std::string>& tags);
  void measure_start(Pending& p);
  /// Whether so many of the case at once may fit into the memory of every device, as far as that is known.
  [[nodiscard]] bool may_fit(const Pending& p, std::uint64_t times);
  void start_together(Pending& p, const worker::Request& request);
  void find_ladders();
  [[nodiscard]] std::optional<double> rate_at(std::size_t planned) const;
  void cut_flat_curves(std::size_t planned);
  void keep_process(const Pending& p, bool twin);
  [[nodiscard]] bool needs(const Pending& p, bool twin) const;
  void control(const char* where);
  void sum_up();
  void measure_noise_floor();

  // Outcomes.
  void measured(Pending& p);
  void skipped(Pending& p, const std::string& phase, const std::string& reason);
  void failed(Pending& p, const std::string& phase, const std::string& reason);
  void close(Pending& p, Outcome outcome);
  void record(Outcome outcome);
  void record_failure_of(Outcome& outcome, const std::string& why);
  void refused(const std::string& why);
  void tell_refusal();
  void warn(Warning warning);
  void fact(const std::string& key, const std::string& value);

  [[nodiscard]] const Case& case_of(const Pending& p) const { return campaign_.plan[p.index]; }
  [[nodiscard]] worker::Request request(const Pending& p, worker::Request::Kind kind) const;
  [[nodiscard]] worker::Limits limits(const Pending& p) const;
  worker::Exit launch(const worker::Request& request, const worker::Limits& limits, const Case* for_case);
  void tell(Progress::Kind kind, const Case* c, const std::string& text = {}, const Outcome* outcome = nullptr,
            double phase_progress = 0) const;
  /// One more process of the case has run.
  void ran(Pending& p);
  void spent(Pending& p, double wall_s);

  Campaign& campaign_;
  const RunSettings& settings_;
  worker::Launcher& launcher_;
  Clock& clock_;
  Recorder& recorder_;
  const ProgressListener& listener_;
  const std::atomic<bool>& stop_;

  std::vector<Pending> pending_;
  std::map<std::size_t, std::size_t> pending_of_;    ///< from an index into the plan to one into pending_
  std::map<std::size_t, double> finished_rates_;     ///< by index into the plan: what an earlier run measured
  std::vector<std::vector<std::size_t>> ladders_;    ///< curves that may be cut short, as indices into the plan
  std::map<std::string, MadeReference> references_;  ///< by name
  std::unique_ptr<TemporaryFolder> own_references_;  ///< where the cache cannot be written
  std::map<std::string, ProbeAnswer> probes_;
  int runs_done_ = 0, runs_total_ = 0;  ///< that ran; with those that are still to run
  int foreseen_ = 0, repeats_ = 0;      ///< runs_total_ as it was planned; what noise added to it
  double estimated_done_s_ = 0, estimated_total_s_ = 0, spent_s_ = 0;
  std::set<std::string> said_;  ///< by workers: each once
  std::string refusal_;         ///< why nothing can be recorded any more; "": it can
  std::size_t unrecorded_ = 0;  ///< outcomes
};

}  // namespace assay::runner
