#include "turns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "base/file.hpp"
#include "child.hpp"
#include "measure/environment.hpp"
#include "measure/noise.hpp"
#include "measure/series.hpp"
#include "runner/facts.hpp"
#include "worker/launcher.hpp"
#include "worker/session.hpp"
#include "worker/window.hpp"

namespace assay::bench {
namespace {

constexpr int kWindowBatches = 2;  ///< at least

struct Reading {
  measure::NoiseReading noise;
  std::chrono::nanoseconds at{};
};
Reading read_now() { return {measure::read_noise(), engine::now()}; }

/// A session from the cache, one batch or all places in flight once, a window.
Turn measure_here(const worker::Request& request) {
  worker::Reporter reporter([](const worker::Event&) {});
  worker::TaskResult result;
  Session session = worker::load_session(request, request.cache_folder, reporter);
  worker::describe_session(session, result);
  const worker::Inputs inputs = worker::make_inputs(request, session, measure::last_level_cache_bytes());
  const bool overlap = request.test_case.goal == Goal::kThroughput;
  Reading begin;
  Reading end;
  worker::WindowObserver observer(
      request.effort, overlap ? session.in_flight() : 1, [&] { begin = read_now(); }, [&] { end = read_now(); });
  engine::run_stream(session,
                     {.samples = -1,
                      .stop = [&](std::int64_t) { return observer.finished(); },
                      .observer = [&](const engine::BatchRecord& record) { observer.observe(record); },
                      .overlap = overlap},
                     inputs.fill, {});
  result.values.merge(observer.values());
  const double seconds = std::chrono::duration<double>(end.at - begin.at).count();
  return {measure::samples_per_second(request.test_case, result.values).value_or(0),
          measure::noise_verdict(measure::noise_between(begin.noise, end.noise, seconds))};
}

/// In a child process.
template <class Measure>
Turn turn_of(const Measure& measure, std::chrono::milliseconds most) {
  const Reply reply = in_a_child(
      [&] {
        const Turn turn = measure();
        return fmt::format("{} {}", turn.rate, turn.why);
      },
      most);
  if (!reply.ok) return {0, reply.text};
  return {std::stod(reply.text), reply.text.substr(reply.text.find(' ') + 1)};
}

}  // namespace

Turn undisturbed(const std::function<Turn()>& take) {
  constexpr int kTries = 3;
  Turn turn;
  for (int i = 0; i < kTries; ++i) {
    Turn next = take();
    if (next.rate == 0 && turn.rate > 0) break;  // what was disturbed is more than nothing
    turn = std::move(next);
    if (turn.rate == 0 || turn.why.empty()) break;
  }
  return turn;
}

double turn_seconds(const Case& c, double batch_seconds, double load_seconds, std::chrono::milliseconds window) {
  constexpr double kProcessSeconds = 0.5;
  const double window_seconds = std::max(static_cast<double>(window.count()) * 1e-3, kWindowBatches * batch_seconds);
  // A batch to warm up; and those that are under way at the window's end.
  const int more = c.goal == Goal::kThroughput ? 3 : 1;
  return kProcessSeconds + load_seconds + window_seconds + more * batch_seconds;
}

std::optional<double> above_the_library(const std::map<std::string, std::vector<double>>& values) {
  for (const char* name : {"memory.peak", "memory.resting", "memory.model"}) {
    if (!values.contains(name)) return std::nullopt;
  }
  // A worker that has opened the library and nothing else: its own start and the library.
  const double empty = values.at("memory.resting").front() - values.at("memory.model").front();
  return values.at("memory.peak").front() - empty;
}

Turns::Turns(std::filesystem::path cache, std::chrono::milliseconds window, std::chrono::milliseconds most)
    : cache_(std::move(cache)), window_(window), most_(most), models_(runner::model_lookup(default_cache_folder())) {}

worker::Request Turns::request(const Case& c, std::chrono::milliseconds window) {
  const runner::ModelFacts facts = models_(c);
  worker::Request r;
  r.test_case = c;
  r.model = facts.path;
  r.members = facts.members;
  r.cache_folder = cache_;
  r.effort.warm_up_calls = 1;
  r.effort.warm_up_time = std::chrono::milliseconds(0);
  r.effort.window = window;
  r.effort.window_calls = kWindowBatches;
  return r;
}

Turn Turns::take(const Case& c, std::chrono::milliseconds window) {
  const worker::Request r = request(c, window);
  return undisturbed([&] { return turn_of([&] { return measure_here(r); }, most_); });
}

double Turns::estimate(const Case& c, std::chrono::milliseconds window, Load load) {
  // ResNet50 and VGG19 reach some 100 GFLOP/s a core of a Zen 4 server on ONNX Runtime and OpenVINO (docs/figures.md).
  constexpr double kFlopsPerThread = 100e9, kColdBytesPerSecond = 150e6, kCachedBytesPerSecond = 600e6;
  constexpr double kUnknownSample = 0.05;
  const runner::ModelFacts facts = models_(c);
  const double sample =
      facts.flops ? static_cast<double>(*facts.flops) / (kFlopsPerThread * c.threads) : kUnknownSample;
  const double bytes_per_second = load == Load::kCold ? kColdBytesPerSecond : kCachedBytesPerSecond;
  return turn_seconds(c, sample * static_cast<double>(c.batch_size),
                      static_cast<double>(facts.weight_bytes) / bytes_per_second, window);
}

double Turns::load_seconds(const Case& c, Load load) {
  const worker::Request r = request(c, window_);
  const auto seconds = [&]() -> Turn {
    worker::Reporter reporter([](const worker::Event&) {});
    (void)worker::read_through(r);
    const auto cache = load == Load::kCached ? r.cache_folder : std::filesystem::path();
    const Session session = worker::load_session(r, cache, reporter);
    if (load == Load::kCached && !session.from_cache()) return {0, session.cache_remark()};
    return {std::chrono::duration<double>(session.load_time()).count(), ""};
  };
  const Turn taken = turn_of(seconds, most_);
  if (taken.rate == 0) std::fprintf(stderr, "%s on %s: %s\n", c.model.c_str(), c.backend.c_str(), taken.why.c_str());
  return taken.rate;
}

Turn Turns::peak_mebibytes(const Case& c) {
  worker::Request r = request(c, window_);
  r.kind = worker::Request::Kind::kMemory;
  const std::atomic<bool> stop{false};
  worker::Limits limits;
  limits.timeout = most_;
  limits.silence = most_;
  const worker::Exit exit = worker::process_launcher()->run(r, limits, {}, stop);
  if (!exit.ok) return {0, exit.reason};
  constexpr double kMebibyte = 1024.0 * 1024.0;
  const std::optional<double> bytes = above_the_library(exit.result.values);
  if (!bytes) return {0, "this machine does not tell"};
  return {*bytes / kMebibyte, ""};
}

}  // namespace assay::bench
