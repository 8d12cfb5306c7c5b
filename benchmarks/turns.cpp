#include "turns.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/file.hpp"
#include "measure/environment.hpp"
#include "measure/noise.hpp"
#include "measure/series.hpp"
#include "runner/facts.hpp"
#include "worker/launcher.hpp"
#include "worker/session.hpp"
#include "worker/window.hpp"

namespace assay::bench {
namespace {

constexpr int kTries = 3;

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

/// "NUMBER why", which a child writes; the number is 0 where it failed.
template <class Measure>
std::string text_of(const Measure& measure) {
  try {
    const auto [number, why] = measure();
    return std::to_string(number) + " " + why;
  } catch (const std::exception& e) {
    return std::string("0 ") + e.what();
  }
}

std::string read_to_end(int file) {
  std::string text;
  char part[512];
  for (ssize_t n = 0; (n = ::read(file, part, sizeof part)) != 0;) {
    if (n < 0 && errno != EINTR) break;
    if (n > 0) text.append(part, static_cast<std::size_t>(n));
  }
  return text;
}

/// This process opens no framework, so a child of it is as good as a new one.
template <class Measure>
Turn in_a_child(const Measure& measure) {
  int ends[2];
  if (::pipe(ends) != 0) return {0, std::strerror(errno)};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const std::string text = text_of(measure);
    const bool written = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  const std::string text = child < 0 ? "" : read_to_end(ends[0]);
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return {0, "the process ended without an answer"};
  return {std::stod(text), text.substr(space + 1)};
}

}  // namespace

Turns::Turns(std::filesystem::path cache, std::chrono::milliseconds window)
    : cache_(std::move(cache)), window_(window), models_(runner::model_lookup(default_cache_folder())) {}

worker::Request Turns::request(const Case& c) {
  const runner::ModelFacts facts = models_(c);
  worker::Request r;
  r.test_case = c;
  r.model = facts.path;
  r.members = facts.members;
  r.cache_folder = cache_;
  r.effort.warm_up_calls = 1;
  r.effort.warm_up_time = std::chrono::milliseconds(0);
  r.effort.window = window_;
  r.effort.window_calls = 2;
  return r;
}

Turn Turns::take(const Case& c) {
  const worker::Request r = request(c);
  Turn turn;
  for (int i = 0; i < kTries; ++i) {
    turn = in_a_child([&] { return measure_here(r); });
    if (turn.rate == 0 || turn.why.empty()) break;
  }
  return turn;
}

double Turns::load_seconds(const Case& c, Load load) {
  const worker::Request r = request(c);
  const auto seconds = [&]() -> Turn {
    worker::Reporter reporter([](const worker::Event&) {});
    (void)worker::read_through(r);
    const auto cache = load == Load::kCached ? r.cache_folder : std::filesystem::path();
    const Session session = worker::load_session(r, cache, reporter);
    if (load == Load::kCached && !session.from_cache()) return {0, session.cache_remark()};
    return {std::chrono::duration<double>(session.load_time()).count(), ""};
  };
  const Turn taken = in_a_child(seconds);
  if (taken.rate == 0) std::fprintf(stderr, "%s on %s: %s\n", c.model.c_str(), c.backend.c_str(), taken.why.c_str());
  return taken.rate;
}

std::optional<double> Turns::peak_mebibytes(const Case& c) {
  worker::Request r = request(c);
  r.kind = worker::Request::Kind::kMemory;
  const std::atomic<bool> stop{false};
  const worker::Exit exit = worker::process_launcher()->run(r, {}, {}, stop);
  const auto peak = exit.result.values.find("memory.peak");
  const auto library = exit.result.values.find("memory.library");
  if (!exit.ok || peak == exit.result.values.end() || library == exit.result.values.end()) return std::nullopt;
  constexpr double kMebibyte = 1024.0 * 1024.0;
  return (peak->second.front() - library->second.front()) / kMebibyte;
}

}  // namespace assay::bench
