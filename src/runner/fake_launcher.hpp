#pragma once
// The runner's test doubles: workers that answer at once, and a recorder that remembers.

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "assay/error.hpp"
#include "base/clock.hpp"
#include "runner/runner.hpp"
#include "worker/launcher.hpp"

namespace assay::runner {

using Kind = worker::Request::Kind;

/// What a worker that measured `rate` samples a second would report: ten completions, no noise.
inline worker::Exit good(const worker::Request& request, double rate) {
  worker::Exit exit;
  exit.ok = true;
  exit.result.kind = worker::Event::Kind::kResult;
  auto& values = exit.result.values;
  const double batch = static_cast<double>(std::max<std::int64_t>(request.test_case.batch_size, 1));
  const double interval = 1e9 * batch / rate;
  for (int i = 1; i <= 10; ++i) {
    values["finish_ns"].push_back(i * interval);
    values["latency_ns"].push_back(interval);
  }
  values["window"] = {10 * interval};
  values["batch_size"] = {batch};
  values["in_flight"] = {1};
  values["stride"] = {1};
  exit.result.texts["in_force.threads"] = "2";
  return exit;
}

inline worker::Exit bad(ErrorCode code, const std::string& phase, const std::string& reason) {
  worker::Exit exit;
  exit.phase = phase;
  exit.code = code;
  exit.reason = reason;
  return exit;
}

/// Every backend is there with a CPU, every worker succeeds at 100 samples a second; `measure` may say otherwise.
class FakeLauncher final : public worker::Launcher {
 public:
  explicit FakeLauncher(FakeClock& clock) : clock_(clock) {}

  worker::Exit run(const worker::Request& request, const worker::Limits& limits, const worker::EventListener& listener,
                   const std::atomic<bool>& /*stop*/) override {
    const std::lock_guard lock(mutex_);
    requests.push_back(request);
    if (on_run) on_run(request);
    last_limits = limits;
    clock_.advance(std::chrono::seconds(1));
    switch (request.kind) {
      case Kind::kProbe:
        return probe(request);
      case Kind::kReference:
        return reference ? reference(request) : good(request, 1);
      case Kind::kMeasure: {
        worker::Event event;
        event.phase = "window";
        listener(event);
        for (const worker::Event& said : says) listener(said);
        if (request.test_case.model == "tiny-resnet") return control ? control() : good(request, 1000);
        return measure ? measure(request) : good(request, 100);
      }
      default: {
        if (extra) return extra(request);
        worker::Exit exit = good(request, 1);
        exit.result.values.clear();
        if (request.kind == Kind::kStart) exit.result.values["start"] = {5e6};
        return exit;
      }
    }
  }

  [[nodiscard]] int count(Kind kind) const {
    int n = 0;
    for (const worker::Request& r : requests) n += r.kind == kind ? 1 : 0;
    return n;
  }
  /// Batch sizes of the measuring processes, in their order; the control case left out.
  [[nodiscard]] std::vector<std::int64_t> measured_batches() const {
    std::vector<std::int64_t> batches;
    for (const worker::Request& r : requests) {
      if (r.kind == Kind::kMeasure && r.test_case.model != "tiny-resnet") batches.push_back(r.test_case.batch_size);
    }
    return batches;
  }

  std::function<void(const worker::Request&)> on_run;
  std::function<worker::Exit(const worker::Request&)> measure, reference, extra;
  std::function<worker::Exit()> control;
  std::vector<worker::Event> says;                                       ///< by every process that measures
  std::string version = "1.2.3";                                         ///< of every backend
  std::string devices = R"([{"name": "cpu", "description": "a CPU"}])";  ///< of every backend
  std::map<std::string, std::string> devices_of;                         ///< of one backend, in place of these
  std::string library;                                                   ///< of every backend
  std::string absent;             ///< why devices are not there, of every backend
  std::set<std::string> missing;  ///< backends that are not available
  std::vector<worker::Request> requests;
  worker::Limits last_limits;

 private:
  worker::Exit probe(const worker::Request& request) const {
    worker::Exit exit;
    exit.ok = true;
    const std::string& name = request.test_case.backend;
    const bool available = !missing.contains(name) && name.find('+') == std::string::npos;  // "x+y" is no plugin
    exit.result.values["available"] = {available ? 1.0 : 0.0};
    if (name == "tensorflow") exit.result.values["model_formats"] = {7.0};
    const auto own = devices_of.find(name);
    exit.result.texts = {{"version", version}, {"devices", own == devices_of.end() ? devices : own->second}};
    exit.result.texts["library"] = library;
    exit.result.texts["absent"] = absent;
    if (!available) exit.result.texts["reason"] = "its library was not found";
    return exit;
  }

  FakeClock& clock_;
  std::mutex mutex_;
};

class FakeRecorder final : public Recorder {
 public:
  void outcome(const Outcome& outcome) override {
    if (full_from >= 0 && attempts++ >= full_from) throw store::Unwritable(ErrorCode::kIo, "the disk is full");
    if (on_outcome) on_outcome(outcome);
    outcomes.push_back(outcome);
  }
  void process(const store::PendingProcess& process) override { processes.push_back(process); }
  void warning(const Warning& warning) override { warnings.push_back(warning); }
  void fact(const std::string& key, const std::string& value) override { facts[key] = value; }

  std::function<void(const Outcome&)> on_outcome;
  int full_from = -1, attempts = 0;  ///< from which attempt on the disk is full
  std::vector<Outcome> outcomes;
  std::vector<store::PendingProcess> processes;
  std::vector<Warning> warnings;
  std::map<std::string, std::string> facts;
};

}  // namespace assay::runner
