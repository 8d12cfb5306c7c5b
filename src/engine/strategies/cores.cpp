// What a schedule's lanes make of the CPU's cores.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "engine/strategies/strategy.hpp"

namespace assay::engine {
namespace {

/// Six lanes with a sixth of seven threads each are seven, and in doubles a little more: less than this, of which
/// nobody has anything.
constexpr double kRounding = 1e-9;

double rounded_where_whole(double threads) {
  const double whole = std::round(threads);
  return std::abs(threads - whole) < kRounding ? whole : threads;
}

bool is_on_cpu(const std::vector<std::string>& devices, std::size_t member) {
  return devices.empty() || devices[member] == kCpu;
}

/// The lanes on it.
std::vector<std::vector<std::size_t>> lanes_on_cpu(const Schedule& schedule, const std::vector<std::string>& devices) {
  std::vector<std::vector<std::size_t>> lanes;
  for (const std::vector<std::size_t>& lane : schedule.lanes) {
    std::vector<std::size_t> here;
    std::copy_if(lane.begin(), lane.end(), std::back_inserter(here),
                 [&](std::size_t m) { return is_on_cpu(devices, m); });
    if (!here.empty()) lanes.push_back(std::move(here));
  }
  return lanes;
}

}  // namespace

void keep_own_threads(const Workload& workload, Schedule& schedule) {
  for (std::size_t m = 0; m < workload.own_threads.size(); ++m) {
    const int own = workload.own_threads[m];
    if (own <= 0) continue;
    MemberSetup& setup = schedule.members[m];
    setup.threads = own;
    if (is_on_cpu(workload.devices, m)) setup.streams = std::min(setup.streams, own);
  }
}

assay_core_use core_use(const Schedule& schedule, std::span<const std::size_t> session_of,
                        const std::vector<std::string>& devices) {
  const auto lanes = lanes_on_cpu(schedule, devices);
  if (schedule.members.size() < 2 || lanes.empty()) return ASSAY_CORES_OWN;
  if (lanes.size() > 1) return ASSAY_CORES_SHARED;
  std::set<std::size_t> sessions;
  for (const std::size_t m : lanes.front()) sessions.insert(session_of[m]);
  return sessions.size() > 1 ? ASSAY_CORES_IN_TURN : ASSAY_CORES_OWN;
}

double threads_at_once(const Schedule& schedule, const std::vector<MemberSetup>& setups,
                       const std::vector<std::string>& devices) {
  double sum = 0;
  for (const std::vector<std::size_t>& lane : lanes_on_cpu(schedule, devices)) {
    double most = 0;
    for (const std::size_t m : lane) most = std::max(most, static_cast<double>(setups[m].threads) / setups[m].streams);
    sum += most;
  }
  return rounded_where_whole(sum);
}

}  // namespace assay::engine
