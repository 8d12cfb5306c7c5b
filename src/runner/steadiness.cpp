// What a campaign finds of the machine: how far it drifts, what disturbed it, and how far identical runs differ.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "assay/error.hpp"
#include "measure/files.hpp"
#include "measure/series.hpp"
#include "measure/statistics.hpp"
#include "runner/campaign_run.hpp"
#include "runner/reference.hpp"

namespace assay::runner {
namespace {

constexpr const char* kControlModel = "tiny-resnet";
/// A batch takes many milliseconds: the time that waking a thread takes, which jumps by a factor of two, is lost in it.
constexpr std::int64_t kControlBatch = 512;
constexpr std::chrono::milliseconds kControlWindow{1000};
constexpr int kControlCalls = 50, kLeastControlCalls = 10;
constexpr double kDriftBound = 0.05;
constexpr const char* kControlKey = "control.latency_ms";  ///< "start 16.1, middle 16.2, end 16.1"

/// Of all sittings of the campaign, ms.
std::vector<double> control_times(const Campaign& campaign) {
  std::vector<double> times;
  const auto all = campaign.environment.find(kControlKey);
  if (all == campaign.environment.end()) return times;
  std::istringstream in(all->second);
  for (std::string one; std::getline(in, one, ',');) {
    if (const auto time = measure::to_number(one.substr(one.rfind(' ') + 1))) times.push_back(*time);
  }
  return times;
}

struct Disturbed {
  int processes = 0, all = 0;
};
/// Of the processes whose figures count, of all sittings of the campaign.
Disturbed disturbed_processes(const Campaign& campaign) {
  Disturbed d;
  for (const Outcome& o : campaign.outcomes) {
    for (const ProcessSamples& p : o.samples) {
      if (!p.kept || !measure::samples_per_second(o.test_case, p.values)) continue;
      ++d.all;
      if (!p.noise.empty()) ++d.processes;
    }
  }
  return d;
}

}  // namespace

void CampaignRun::control(const char* where) {
  const auto probe = probes_.find(kReferenceBackend);
  if (!settings_.control || stop_ || runs_total_ == 0 || probe == probes_.end() || !probe->second.available) return;
  Case c;
  c.model = kControlModel;
  c.backend = kReferenceBackend;
  c.goal = Goal::kLatency;
  c.batch_size = kControlBatch;
  c.threads = campaign_.plan.empty() ? 1 : campaign_.plan.front().threads;
  c.cache = false;
  worker::Request r;
  r.test_case = c;
  r.library = settings_.library_of(kReferenceBackend);
  r.effort = settings_.effort;
  r.effort.until_level = false;
  r.effort.warm_up_needs_both = true;
  r.effort.warm_up_calls = 10;
  r.effort.warm_up_time = std::chrono::milliseconds(300);
  // Of a campaign of short windows it must not be the most.
  const std::chrono::milliseconds window = std::min(kControlWindow, settings_.effort.window);
  r.effort = measure::with_window(r.effort, window);
  r.effort.window_calls = std::max(kLeastControlCalls, static_cast<int>(kControlCalls * window / kControlWindow));
  try {
    r.model = settings_.models(c).path;
  } catch (const Error&) {
    return;
  }
  const worker::Exit exit = launch(r, settings_.limits, nullptr);
  const auto latencies = exit.result.values.find("latency_ns");
  if (!exit.ok || latencies == exit.result.values.end() || latencies->second.empty()) return;
  std::string& all = campaign_.environment[kControlKey];
  fact(kControlKey,
       fmt::format("{}{}{} {:.4f}", all, all.empty() ? "" : ", ", where, measure::median(latencies->second) / 1e6));
}

void CampaignRun::sum_up() {
  const std::vector<double> controls = control_times(campaign_);
  if (controls.size() > 1) {
    const auto [least, most] = std::minmax_element(controls.begin(), controls.end());
    const double drift = *most / *least - 1;
    fact("control.drift", fmt::format("{:.4f}", drift));
    if (drift > kDriftBound) {
      warn({"drift",
            fmt::format("the control case ({} on {}) moved by {:.1f} % during the campaign", kControlModel,
                        kReferenceBackend, 100 * drift),
            "the machine was not steady; trust no difference smaller than that, or run again when it is idle"});
    }
  }
  if (const Disturbed d = disturbed_processes(campaign_); d.processes > 0) {
    warn({"noisy-neighbour",
          fmt::format("{} of {} processes {} disturbed even when run again; their samples say by what (assay results "
                      "export --format bundle)",
                      d.processes, d.all, d.processes == 1 ? "was" : "were"),
          "end other programs, or run with a higher effort"});
  }
  measure_noise_floor();
}

void CampaignRun::measure_noise_floor() {
  // A shorter window scatters by itself, which its own interval says; the floor is of what differs between processes.
  if (settings_.effort.window < measure::effort_by_name("quick").window) return;
  std::vector<std::pair<double, double>> pairs;
  for (const Pending& p : pending_) {
    for (std::size_t i = 0; i < std::min(p.rates.size(), p.twins.size()); ++i) {
      const Rate &a = p.rates[i], &b = p.twins[i];
      if (a.per_second > 0 && b.per_second > 0 && !a.disturbed && !b.disturbed) {
        pairs.emplace_back(a.per_second, b.per_second);
      }
    }
  }
  if (pairs.empty()) return;
  std::string all;
  for (const auto& [a, b] : pairs) all += fmt::format("{}{:.6g}:{:.6g}", all.empty() ? "" : " ", a, b);
  fact(kPairsKey, all);
  if (const auto floor = measure::noise_floor(pairs)) {
    fact("noise.floor", fmt::format("{:.5f}", *floor));
    fact("noise.origin", fmt::format("measured by {} A/A pairs of this campaign", pairs.size()));
  }
}

}  // namespace assay::runner
