// How long things take, on the long side.
#include <algorithm>
#include <cmath>
#include <set>

#include "assay/error.hpp"
#include "runner/probe.hpp"
#include "runner/runner.hpp"
#include "worker/rounded_models.hpp"

namespace assay::runner {
namespace {

using Seconds = std::chrono::duration<double>;

/// What an engine reaches a core, in FLOPs per second: 2 cores of a 2.5 GHz server ran ResNet50 (8.2 GFLOP an image) at
/// 26 images a second; 107 GFLOP/s a core.
constexpr double kFlopsPerThread = 80e9;
/// A GPU in all. None was measured: less than the slowest in use reaches by its maker (a T4: 8 TFLOP/s in f32).
constexpr double kFlopsPerGpu = 4e12;
/// A model without known FLOPs.
constexpr double kUnknownSampleSeconds = 0.05;
/// Starting a process, opening a framework, parity, reading memory, leaving.
constexpr double kProcessSeconds = 0.9;
/// Loading, cold: reading and optimizing weights.
constexpr double kLoadSeconds = 0.2;
constexpr double kLoadBytesPerSecond = 150e6;
/// Calls without which nobody can say that a series is level (measure::is_level).
constexpr double kCallsToJudge = 8;
/// A process that reads memory, of one that measures.
constexpr double kMemoryShare = 0.25;

double sample_seconds(const Case& c, const ModelFacts& facts) {
  if (!facts.flops) return kUnknownSampleSeconds;
  const std::vector<std::string> devices = devices_of(c);  // of several the CPU is the slowest
  const bool on_cpu = std::find(devices.begin(), devices.end(), kCpu) != devices.end();
  const double speed = on_cpu ? kFlopsPerThread * std::max(c.threads, 1) : kFlopsPerGpu;
  return static_cast<double>(*facts.flops) / speed;
}

/// What backends say of themselves, each asked once; of a placed ensemble's, together.
class Probes {
 public:
  Probes(const RunSettings& settings, worker::Launcher& launcher, const std::atomic<bool>& stop)
      : settings_(settings), launcher_(launcher), stop_(stop) {}

  const ProbeAnswer& of(const std::string& backend) {
    if (const auto it = known_.find(backend); it != known_.end()) return it->second;
    const std::vector<std::string> engines = members_of(backend);
    if (engines.size() == 1) {
      return known_[backend] = probe_backend(backend, settings_.library_of(backend), launcher_, stop_);
    }
    std::vector<ProbeAnswer> answers;
    answers.reserve(engines.size());
    for (const std::string& engine : engines) answers.push_back(of(engine));
    return known_[backend] = together(answers);
  }

 private:
  const RunSettings& settings_;
  worker::Launcher& launcher_;
  const std::atomic<bool>& stop_;
  std::map<std::string, ProbeAnswer> known_;
};

/// Whether an engine can compute in a precision depends on the CPU, the model and the engine: it is asked to load the
/// model in it, once for all cases that differ in nothing that matters to that.
class Precisions {
 public:
  Precisions(const RunSettings& settings, worker::Launcher& launcher, const std::atomic<bool>& stop)
      : settings_(settings), launcher_(launcher), stop_(stop) {}

  std::string why_not(const Case& c, const ModelFacts& facts) {
    if (c.precision == Precision::kFloat32) return {};
    worker::Request request;
    request.kind = worker::Request::Kind::kStart;
    request.test_case = c;
    request.test_case.goal = Goal::kLatency;
    request.test_case.batch_size = c.batch_size == 0 ? 0 : 1;
    request.test_case.in_flight = 1;
    request.test_case.cache = false;
    const std::string key = case_key(request.test_case);
    if (const auto it = known_.find(key); it != known_.end()) return it->second;
    request.model = facts.path;
    request.members = facts.members;
    request.library = settings_.library_of(c.backend);
    request.effort = settings_.effort;
    const worker::Exit exit = launcher_.run(request, settings_.limits, [](const worker::Event&) {}, stop_);
    // Another failure may be of this trial alone; the campaign will tell.
    const bool cannot = exit.code == ErrorCode::kUnsupported || exit.code == ErrorCode::kUnavailable;
    return known_[key] = !exit.ok && cannot ? exit.reason : std::string();
  }

 private:
  const RunSettings& settings_;
  worker::Launcher& launcher_;
  const std::atomic<bool>& stop_;
  std::map<std::string, std::string> known_;
};

}  // namespace

int memory_processes(const Case& c, const measure::Effort& effort) {
  if (!effort.memory_apart) return 0;
  return has_members(c) ? 2 : 1;
}

Seconds estimate_process(const Case& c, const measure::Effort& effort, const ModelFacts& facts,
                         const History& history) {
  const double samples = static_cast<double>(std::max<std::int64_t>(c.batch_size, 1));
  const double one = sample_seconds(c, facts);
  const double batch = history.batch_ns ? *history.batch_ns * 1e-9 : samples * one;
  const double load = history.load_ns ? *history.load_ns * 1e-9
                                      : kLoadSeconds + static_cast<double>(facts.weight_bytes) / kLoadBytesPerSecond;
  const double warm_time = Seconds(effort.warm_up_time).count();
  const double warm_calls = effort.warm_up_calls * batch;
  double warm = effort.warm_up_needs_both ? std::max(warm_time, warm_calls) : std::min(warm_time, warm_calls);
  if (effort.until_level) warm = 2 * std::max(warm, kCallsToJudge * batch);
  const double window = std::max(Seconds(effort.window).count(), effort.window_calls * batch) + batch;
  const double parity = std::max(samples, static_cast<double>(effort.parity_samples)) * batch / samples;
  const double loads = c.cache ? 1.5 * load : load;
  const double start = (load + kProcessSeconds + batch) / effort.processes;
  return Seconds(kProcessSeconds + loads + batch + parity + warm + window + start);
}

std::chrono::seconds estimate(const std::vector<Case>& plan, const measure::Effort& effort, const ModelLookup& models,
                              const HistoryLookup& history) {
  constexpr double kControlSeconds = 3 * 2.5;
  constexpr double kReferenceSeconds = 2;
  double total = 0;
  double runs = 0;
  std::set<std::pair<std::string, std::string>> referenced;  // model, what its weights are rounded to
  for (const Case& c : plan) {
    try {
      const ModelFacts facts = models(c);
      const Seconds one = estimate_process(c, effort, facts, history ? history(c) : History{});
      total += one.count() * effort.processes;
      ++runs;
      total += one.count() * kMemoryShare * memory_processes(c, effort);
      const std::string rounded = worker::is_reduced(c.precision) ? to_string(c.precision) : "";
      for (const std::string& weights : std::set<std::string>{"", rounded}) {
        if (!referenced.emplace(facts.hash, weights).second) continue;
        total += kReferenceSeconds + effort.parity_samples * sample_seconds(c, facts);
      }
    } catch (const Error&) {
      continue;
    }
  }
  if (runs > 0 && effort.processes > 1) {  // A/A twins; which cases get them is drawn by lot
    total *= 1 + std::max(1.0, effort.a_a_share * runs) / runs;
  }
  if (total > 0) total += kControlSeconds;
  return std::chrono::seconds(std::llround(total));
}

std::vector<Preview> preview(const std::vector<Case>& plan, const RunSettings& settings, worker::Launcher& launcher,
                             const HistoryLookup& history, const std::atomic<bool>& stop) {
  Probes probes(settings, launcher, stop);
  Precisions precisions(settings, launcher, stop);
  std::vector<Preview> previews;
  for (const Case& c : plan) {
    Preview p{c, {}, Seconds(0)};
    if (stop) return previews;
    const ProbeAnswer& answer = probes.of(c.backend);
    p.skipped = why_unavailable(c, [&](const std::string& b) -> const ProbeAnswer& { return probes.of(b); });
    if (p.skipped.empty()) {
      try {
        const ModelFacts facts = settings.models(c);
        p.skipped = model::why_not_read(c.backend, answer.model_formats, facts.format);
        if (p.skipped.empty()) p.skipped = why_no_signature(c, facts);
        if (p.skipped.empty()) p.skipped = why_too_large(c, facts, settings.machine_memory);
        if (p.skipped.empty()) p.skipped = precisions.why_not(c, facts);
        const Seconds one = estimate_process(c, settings.effort, facts, history ? history(c) : History{});
        p.estimated = one * (settings.effort.processes + kMemoryShare * memory_processes(c, settings.effort));
      } catch (const Error& e) {
        p.skipped = e.what();
      }
    }
    previews.push_back(std::move(p));
  }
  return previews;
}

}  // namespace assay::runner
