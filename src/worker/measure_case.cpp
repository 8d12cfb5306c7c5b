// kMeasure: everything about one case in one process, in the order of docs/measurement.md.

#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>

#include "base/file.hpp"
#include "engine/strategies/strategy.hpp"
#include "measure/environment.hpp"
#include "measure/fallback.hpp"
#include "measure/fma_peak.hpp"
#include "measure/launch.hpp"
#include "measure/noise.hpp"
#include "worker/gpu_watch.hpp"
#include "worker/member_totals.hpp"
#include "worker/parity_gate.hpp"
#include "worker/session.hpp"
#include "worker/window.hpp"

namespace assay::worker {
namespace {

// Generated inputs exceed the last-level cache, but no more memory than this goes into them.
constexpr std::uint64_t kMostInputBytes = UINT64_C(1) << 30;
// What handing a batch over between threads may cost before a device that waits is called starved.
constexpr double kHandOver = 500e3;

double cpu_ns() {
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  const auto ns = [](const timeval& t) {
    return 1e9 * static_cast<double>(t.tv_sec) + 1e3 * static_cast<double>(t.tv_usec);
  };
  return ns(own.ru_utime) + ns(own.ru_stime);
}

double ns(std::chrono::nanoseconds t) { return static_cast<double>(t.count()); }

/// A strategy that goes by measured costs computes while it loads, and whoever loads waits for that, unless the cache
/// has them.
void put_cold_load(const Request& request, const Session& session, TaskResult& result) {
  result.values["load.cold"] = {ns(session.load_time())};
  const std::string& strategy = executed_strategy(request.test_case);
  if (request.members.size() < 2 || !engine::strategy_by_name(strategy).by_cost) return;
  result.texts["remark.load.cold"] = fmt::format(
      "{} divides the threads by what two batches of each member take (where inputs have a size), and loads again "
      "where the FLOPs divide them otherwise: both are in it, but not in load.cached: the cache keeps the times",
      strategy);
}

/// Cold, then from the cache; the session that is measured is the one a user would have.
Session load_twice(const Request& request, bool cacheable, Reporter& reporter, TaskResult& result) {
  Session cold = load_session(request, {}, reporter);
  put_cold_load(request, cold, result);
  put_member_loads(member_totals(request, cold), false, result);
  if (!request.test_case.cache || request.cache_folder.empty()) return cold;
  if (!cacheable) {
    result.texts["remark.load.cached"] = result.texts["cache"] = cold.cache_remark();
    return cold;
  }
  {
    const Session gone = std::move(cold);  // one session at a time: memory and threads
  }
  Session cached = load_session(request, request.cache_folder, reporter);
  result.texts["cache"] = cached.cache_remark();  // where it was a miss, why; the load after it knows no more
  if (!cached.from_cache()) {                     // this load filled it
    {
      const Session gone = std::move(cached);
    }
    cached = load_session(request, request.cache_folder, reporter);
  }
  if (cached.from_cache()) {
    result.values["load.cached"] = {ns(cached.load_time())};
  } else {
    result.texts["remark.load.cached"] = cached.cache_remark();
  }
  put_member_loads(member_totals(request, cached), true, result);
  return cached;
}

struct WindowMarks {
  measure::NoiseReading noise;
  double cpu = 0;
  std::map<std::string, MemberTotals> members;
};

void check_little(const WindowObserver& observer, double in_flight, bool overlap, TaskResult& result) {
  const measure::LittleCheck check = observer.little(overlap ? in_flight : 1, !overlap);
  result.values["little.observed"] = {check.observed};
  if (check.ok) return;
  const double per_batch = observer.window_ns() / std::max(1.0, observer.throughput().completions);
  const std::string found = fmt::format(
      "throughput x latency says {:.2f} batches were outstanding, the case says {:.0f}", check.observed, check.stated);
  // One batch after another, each timed by itself: that the loop was held up between two takes nothing from their
  // latencies.
  if (!overlap && check.observed < check.stated) {
    result.texts["remark.latency"] = found + ": something held the measuring loop up between two batches";
    return;
  }
  // Too few: between one batch and the next a place was empty. Short batches cannot hide the hand-over.
  const double empty = per_batch * (check.stated - check.observed);
  if (check.observed < check.stated && empty < kHandOver) {
    result.texts["remark.throughput"] =
        fmt::format("{}: a batch of {:.0f} us is too short to hide the hand-over", found, per_batch / 1000);
    return;
  }
  throw Error(ErrorCode::kInternal, "Invalid: " + found + " (Little's law, bound 5 %)");
}

void measure_window(const Request& request, Session& session, const Inputs& inputs, const GpuAccount& gpu,
                    Reporter& reporter, TaskResult& result) {
  WindowMarks begin;
  WindowMarks end;
  const bool overlap = request.test_case.goal == Goal::kThroughput || session.in_flight() > 1;
  GpuWatch watch(gpu.reader());
  WindowObserver observer(
      request.effort, overlap ? session.in_flight() : 1,
      [&] {
        watch.begin();
        begin = {measure::read_noise(), cpu_ns() - ns(watch.cpu_time()), member_totals(request, session)};
      },
      [&] {
        end = {measure::read_noise(), cpu_ns() - ns(watch.cpu_time()), member_totals(request, session)};
        watch.end();
      });
  bool said_warm = false;
  engine::run_stream(session,
                     {.samples = -1,
                      .stop =
                          [&](std::int64_t) {
                            if (observer.warm() && !said_warm) reporter.phase("window");
                            said_warm = said_warm || observer.warm();
                            reporter.progress(observer.progress());
                            return observer.finished();
                          },
                      .observer = [&](const engine::BatchRecord& record) { observer.observe(record); },
                      .overlap = overlap},
                     inputs.fill, {});
  result.values.merge(observer.values());
  const double window_s = observer.window_ns() / 1e9;
  const double samples = observer.throughput().completions * result.values["batch_size"].front();
  result.values["cpu.time"] = {(end.cpu - begin.cpu) / samples};
  for (auto& [name, value] : measure::noise_between(begin.noise, end.noise, window_s)) {
    result.values[name] = value;
  }
  put_member_window(begin.members, end.members, request.test_case.goal, result.values["batch_size"].front(), result);
  const measure::WarmUpCriterion& warm_up = observer.warm_up();
  result.values["warm_up.calls"] = {static_cast<double>(warm_up.calls())};
  result.values["warm_up.level"] = {warm_up.level() ? 1.0 : 0.0};
  const bool never = request.effort.until_level && !warm_up.level();
  result.texts["warm_up"] =
      never ? fmt::format("never became level in {} calls", warm_up.calls()) : fmt::format("{} calls", warm_up.calls());
  check_little(observer, session.in_flight(), overlap, result);
  gpu.put_window(watch, window_s, samples, result);
}

/// A device that waits for what the host launches is measured at the host's pace.
void say_launch_bound(const Request& request, const std::map<std::string, std::string>& in_force, Reporter& reporter,
                      TaskResult& result) {
  const auto compute = result.values.find("compute_ns");
  const auto ahead = result.values.find("ahead_ns");
  if (compute == result.values.end() || ahead == result.values.end()) return;
  const auto bound = measure::launch_bound(compute->second, ahead->second);
  if (!bound) return;
  const auto graph = in_force.find("cuda_graph");
  result.texts["remark.time.compute"] = measure::launch_remark(*bound);
  reporter.warn(measure::launch_warning(request.test_case, graph != in_force.end() && graph->second == "true"));
}

/// What "peak.effective" needs; after all measuring.
void measure_peak(const Request& request, const ModelRead& model, TaskResult& result) {
  if (request.test_case.device == kCpu && request.test_case.goal == Goal::kThroughput) {
    const measure::FmaPeak peak = measure::measure_fma_peak(std::max(1, request.test_case.threads));
    result.values["machine.fma_peak"] = {peak.flops_per_second};
    result.texts["machine.fma_kernel"] = peak.kernel;
  }
  if (model.flops) result.values["model.flops"] = {static_cast<double>(*model.flops)};
}

/// Not every engine has one: the figures stand without it.
void keep_profile(const Request& request, Session& session, Reporter& reporter) {
  if (request.profile_file.empty()) return;
  std::string profile;
  try {
    profile = session.report("profile");
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kUnsupported) throw;
    reporter.warn({"no-profile", fmt::format("{}: no profile was kept: {}", describe(request.test_case), e.what()),
                   "the figures stand; for a profile take an engine that keeps one"});
    return;
  }
  write_file_atomically(request.profile_file, profile);
}

/// "a" of "a.device"; "" of "device".
std::string member_in(const std::string& key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

/// What an engine says of the nodes that made it another device; `key`: "device", or a member's.
std::string nodes_elsewhere(const std::map<std::string, std::string>& in_force, const std::string& key) {
  const std::string member = member_in(key);
  const auto nodes = in_force.find(member.empty() ? "nodes.cpu" : member + ".nodes.cpu");
  return nodes == in_force.end() ? "" : fmt::format("; nodes on the CPU: {}", nodes->second);
}

}  // namespace

void require_as_asked(const Case& c, const std::map<std::string, std::string>& in_force) {
  const std::pair<std::string, std::string> asked[] = {{"device", c.device}, {"precision", to_string(c.precision)}};
  const std::map<std::string, std::string> own_devices = devices_of_members(c);
  for (const auto& [what, of_case] : asked) {
    for (const auto& [key, met] : in_force) {
      if (key != what && !key.ends_with("." + what)) continue;
      const auto own = what == "device" ? own_devices.find(member_in(key)) : own_devices.end();
      const std::string& wanted = own == own_devices.end() ? of_case : own->second;
      if (met == wanted) continue;
      // f32 is "as the model is": of a model in float16 or int8 an engine reads that back.
      if (wanted == to_string(Precision::kFloat32) && met != to_string(Precision::kBFloat16)) continue;
      throw Error(
          ErrorCode::kFramework,
          fmt::format("the {} {} was asked for, and {} reads back {} as {}: it would be measured under a wrong name{}",
                      what, wanted, c.backend, key, met, what == "device" ? nodes_elsewhere(in_force, key) : ""));
    }
  }
}

TaskResult measure_case(const Request& request, Reporter& reporter) {
  TaskResult result;
  MemoryMarks marks;
  reporter.phase(kOpenPhase);
  marks.start = measure::read_process_memory();
  open_library(request, result);
  marks.library = measure::read_process_memory();
  GpuAccount gpu(request, result, reporter);
  const ModelRead model = read_through(request);

  Session session = load_twice(request, model.cacheable, reporter, result);
  describe_session(session, result);
  reporter.phase("first");
  result.values["first"] = {time_one_batch(session, parity_inputs(request, session))};
  describe_session(session, result);  // again: what is known only after a batch
  require_as_asked(request.test_case, session.in_force());
  if (const auto left = measure::fallback_warning(request.test_case, session.in_force())) reporter.warn(*left);
  gpu.loaded(session.in_force());
  reporter.phase("parity");
  check_parity(request, session, result);

  reporter.phase("warm-up");
  const std::uint64_t cache = std::min(measure::last_level_cache_bytes(), kMostInputBytes);
  marks.before_inputs = measure::read_process_memory();
  const Inputs inputs = make_inputs(request, session, cache);
  result.texts["input.remark"] = inputs.remark;
  measure_window(request, session, inputs, gpu, reporter, result);
  describe_session(session, result);  // again: a slot may capture a graph only when it has run
  say_launch_bound(request, session.in_force(), reporter, result);
  if (!request.effort.memory_apart) {
    marks.now = measure::read_process_memory();
    put_memory(marks, inputs.bytes, result);
    gpu.put_memory(result);
    for (const char* tag : {"memory.peak", "memory.resting", "memory.model"}) {
      result.texts[std::string("remark.") + tag] = "in the measuring process (quick), generated inputs left out";
    }
  }
  keep_profile(request, session, reporter);
  reporter.phase("unload");
  {
    const auto begin = steady_clock().now();
    {
      const Session gone = std::move(session);
    }
    result.values["unload"] = {ns(steady_clock().now() - begin)};
  }
  measure_peak(request, model, result);
  return result;
}

}  // namespace assay::worker
