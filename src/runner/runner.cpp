#include "runner/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/error.hpp"
#include "measure/noise.hpp"
#include "measure/series.hpp"
#include "runner/campaign_run.hpp"
#include "runner/order.hpp"

namespace assay::runner {
namespace {

constexpr int kMaxReruns = 2;
/// How a worker begins to say that its figures contradict each other (Little's law).
constexpr const char* kInvalid = "Invalid";
constexpr const char* kInvalidAdvice =
    "; it was measured again, and so again: something held batches up; end other programs, or measure for longer "
    "(--duration 10s)";
/// A quick run keeps its promise of time: one more try.
constexpr int kMaxRerunsOfOneProcess = 1;

int max_reruns(const measure::Effort& effort) { return effort.processes == 1 ? kMaxRerunsOfOneProcess : kMaxReruns; }

/// Whether more was asked for than the model on the CPU in f32 (members as one graph, too): that may be impossible, and
/// the case is skipped. That an engine cannot run the model itself is a failure.
bool asks_for_more(const Case& c) {
  return c.precision != Precision::kFloat32 || c.device != kCpu || !c.options.empty() || c.strategy == kMerged;
}

}  // namespace

CampaignRun::CampaignRun(Campaign& campaign, const RunSettings& settings, worker::Launcher& launcher, Clock& clock,
                         Recorder& recorder, const ProgressListener& listener, const std::atomic<bool>& stop)
    : campaign_(campaign),
      settings_(settings),
      launcher_(launcher),
      clock_(clock),
      recorder_(recorder),
      listener_(listener),
      stop_(stop) {}

bool CampaignRun::run() {
  find_pending();
  skip_unavailable();
  read_models();
  skip_unreadable();
  skip_too_large();
  make_references();
  if (ending()) return tell_refusal(), false;
  choose_twins();
  for (Pending& p : pending_) {
    if (p.closed) continue;
    const int extras = 1 + memory_processes(case_of(p), settings_.effort);
    const int wanted = settings_.effort.processes * (p.has_twin ? 2 : 1);
    const int measured = wanted - static_cast<int>(p.rates.size() + (p.has_twin ? p.twins.size() : 0));
    p.left = measured + extras;
    runs_total_ += p.left;
    p.estimated_left_s = p.estimated.count() * measured;
    estimated_total_s_ += p.estimated_left_s;
  }
  foreseen_ = runs_total_;
  tell(Progress::Kind::kPlanned, nullptr);
  control("start");
  const bool all = measure_all();
  if (all) {
    control("end");
    sum_up();
  }
  tell_refusal();
  return all && !stop_ && refusal_.empty();
}

std::vector<CampaignRun::Turn> CampaignRun::block(int number) const {
  const std::uint64_t seed = settings_.seed + static_cast<std::uint64_t>(number) * 0x9e3779b97f4a7c15U;
  // Of the whole plan: resumed, a curve is climbed on from where it was left.
  const std::vector<Case>& plan = campaign_.plan;
  const auto order = number == 0 ? first_block(plan, seed) : interleaved_order(plan.size(), 1, seed);
  std::vector<Turn> turns;
  for (const std::size_t planned : order) {
    const auto it = pending_of_.find(planned);
    if (it == pending_of_.end() || pending_[it->second].closed) continue;
    turns.push_back({it->second, false});
    if (pending_[it->second].has_twin) turns.push_back({it->second, true});
  }
  // Which of the two comes first must not be fixed.
  for (std::size_t i = 1; i < turns.size(); ++i) {
    if (turns[i].twin && (number % 2) == 1) std::swap(turns[i - 1], turns[i]);
  }
  return turns;
}

bool CampaignRun::needs(const Pending& p, bool twin) const {
  const std::size_t has = twin ? p.twins.size() : p.rates.size();
  return !p.closed && has < static_cast<std::size_t>(settings_.effort.processes);
}

bool CampaignRun::measure_all() {
  find_ladders();
  for (Pending& p : pending_) {  // resumed with nothing left but its last passes
    if (!p.closed && !ending()) finish_if_done(p);
  }
  bool middle = false;
  for (int number = 0; number < settings_.effort.processes; ++number) {
    const std::vector<Turn> turns = block(number);
    std::deque<Turn> queue(turns.begin(), turns.end());
    while (!queue.empty()) {
      if (ending()) return false;
      const Turn turn = queue.front();
      queue.pop_front();
      if (!needs(pending_[turn.pending], turn.twin)) continue;
      if (!take_turn(turn)) queue.push_back(turn);
      // Of what is left to run now: cases that fail or are cut take their runs with them.
      if (!middle && 2 * runs_done_ >= runs_total_) {
        middle = true;
        control("middle");
      }
    }
  }
  return !ending();
}

bool CampaignRun::take_turn(const Turn& turn) {
  Pending& p = pending_[turn.pending];
  tell(Progress::Kind::kCaseStarted, &case_of(p));
  const Nanoseconds before = clock_.now();
  worker::Exit exit = launch(request(p, worker::Request::Kind::kMeasure), limits(p), &case_of(p));
  const double wall_ns = static_cast<double>((clock_.now() - before).count());
  if (stop_ && !exit.ok) return true;
  ran(p);
  spent(p, wall_ns * 1e-9);
  const bool invalid = !exit.ok && exit.reason.starts_with(kInvalid);
  if (invalid && p.reruns < max_reruns(settings_.effort)) {
    again(p, exit.reason);
    return false;
  }
  if (!exit.ok) {
    const bool cannot =
        exit.code == ErrorCode::kUnavailable || (exit.code == ErrorCode::kUnsupported && asks_for_more(case_of(p)));
    const std::string reason = invalid ? exit.reason + kInvalidAdvice : exit.reason;
    cannot ? skipped(p, exit.phase, reason) : failed(p, exit.phase, reason);
    return true;
  }
  if (!keep(p, turn, exit, wall_ns)) return false;
  if (!turn.twin) cut_flat_curves(p.index);
  finish_if_done(p);
  return true;
}

void CampaignRun::count_rerun(Pending& p) {
  ++p.reruns;
  ++p.left;
  ++runs_total_;
  ++repeats_;
}

/// A measurement that contradicts itself was disturbed: it runs again by the same rule.
void CampaignRun::again(Pending& p, const std::string& why) {
  ProcessSamples samples;
  samples.process = static_cast<int>(p.samples.size());
  samples.kept = false;
  samples.noise = why;
  p.samples.push_back(std::move(samples));
  count_rerun(p);
  keep_process(p, false);
}

void CampaignRun::keep_process(const Pending& p, bool twin) {
  try {
    recorder_.process({case_key(case_of(p)), twin, p.samples.back(), p.texts});
  } catch (const store::Unwritable& e) {
    refused(e.what());  // the case ends with this process, if it was its last
  } catch (const std::exception& e) {
    tell(Progress::Kind::kNote, &case_of(p), fmt::format("a process was not recorded: {}", e.what()));
  }
}

bool CampaignRun::keep(Pending& p, const Turn& turn, worker::Exit& exit, double wall_ns) {
  ProcessSamples samples;
  samples.process = static_cast<int>(p.samples.size());
  samples.values = std::move(exit.result.values);
  samples.values["process.wall"] = {wall_ns};
  if (exit.peak_bytes > 0) samples.values["process.peak_resident"] = {static_cast<double>(exit.peak_bytes)};
  samples.noise = measure::noise_verdict(samples.values);
  for (auto& [key, text] : exit.result.texts) {
    const bool known_better = key == "parity" && p.reference.empty() && p.texts.contains(key);  // why there is none
    if (!known_better) p.texts[key] = text;
  }
  const bool noisy = !samples.noise.empty();
  const bool repeat = noisy && p.reruns < max_reruns(settings_.effort);
  const std::optional<double> rate = measure::samples_per_second(case_of(p), samples.values);
  if (repeat) {
    samples.kept = false;
    count_rerun(p);
  } else if (turn.twin) {
    samples.kept = false;
    samples.noise += std::string(noisy ? "; " : "") + kTwinNote;
    p.twins.push_back({rate.value_or(0), noisy});
  } else {
    p.rates.push_back({rate.value_or(0), noisy});
  }
  p.samples.push_back(std::move(samples));
  keep_process(p, turn.twin);
  return !repeat;
}

void CampaignRun::finish_if_done(Pending& p) {
  const auto wanted = static_cast<std::size_t>(settings_.effort.processes);
  if (p.closed || p.rates.size() < wanted || (p.has_twin && p.twins.size() < wanted)) return;
  if (settings_.effort.memory_apart) measure_memory(p);
  if (!stop_) measure_start(p);
  if (!stop_) measured(p);
}

void CampaignRun::find_ladders() {
  ladders_.clear();
  for (const Ladder& ladder : ladders(campaign_.plan)) {
    if (ladder.size() >= kLongLadder) ladders_.push_back(ladder);
  }
}

std::optional<double> CampaignRun::rate_at(std::size_t planned) const {
  if (const auto it = finished_rates_.find(planned); it != finished_rates_.end()) return it->second;
  const auto it = pending_of_.find(planned);
  if (it == pending_of_.end() || pending_[it->second].rates.empty()) return std::nullopt;
  return pending_[it->second].rates.front().per_second;
}

void CampaignRun::cut_flat_curves(std::size_t planned) {
  const auto batch = [&](std::size_t index) { return campaign_.plan[index].batch_size; };
  for (const std::vector<std::size_t>& ladder : ladders_) {
    if (std::find(ladder.begin(), ladder.end(), planned) == ladder.end()) continue;
    std::vector<double> rates;
    std::size_t rung = 0;
    for (; rung < ladder.size(); ++rung) {
      const std::optional<double> rate = rate_at(ladder[rung]);
      if (!rate) break;
      if (rung > 0 && batch(ladder[rung]) < 2 * batch(ladder[rung - 1])) rates.clear();
      rates.push_back(*rate);
    }
    if (!measure::flat_for_three_doublings(rates, settings_.noise_floor)) continue;
    const std::string why = fmt::format(
        "the curve is flat: from batch {} to {} the rate stays within {:.1f} %, so larger ones were not "
        "measured; ask for this batch alone to measure it",
        batch(ladder[rung - 4]), batch(ladder[rung - 1]), 100 * settings_.noise_floor);
    for (; rung < ladder.size(); ++rung) {
      const auto it = pending_of_.find(ladder[rung]);
      if (it == pending_of_.end()) continue;
      Pending& p = pending_[it->second];
      if (!p.closed && p.samples.empty()) skipped(p, "plan", why);
    }
  }
}

bool run(Campaign& campaign, const RunSettings& settings, worker::Launcher& launcher, Clock& clock, Recorder& recorder,
         const ProgressListener& listener, const std::atomic<bool>& stop) {
  return CampaignRun(campaign, settings, launcher, clock, recorder, listener, stop).run();
}

}  // namespace assay::runner
