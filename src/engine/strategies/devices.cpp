// Members on several devices: each device is a resource of its own, beside which the others work.
#include <algorithm>
#include <map>

#include "engine/strategies/strategy.hpp"

namespace assay::engine {
namespace {

/// Lanes and set-ups of some of the members, as those of all.
void add_lanes(const Schedule& some, const std::vector<std::size_t>& members, Schedule& all) {
  for (const std::vector<std::size_t>& lane : some.lanes) {
    std::vector<std::size_t>& here = all.lanes.emplace_back();
    for (const std::size_t m : lane) here.push_back(members[m]);
  }
  for (std::size_t m = 0; m < members.size(); ++m) all.members[members[m]] = some.members[m];
  // A device that is quicker than another waits for it: the slowest has as many batches as it needs.
  all.in_flight = std::max(all.in_flight, some.in_flight);
}

}  // namespace

bool on_several_devices(const Workload& workload) {
  const std::vector<std::string>& devices = workload.devices;
  return std::any_of(devices.begin(), devices.end(), [&](const std::string& d) { return d != devices.front(); });
}

Schedule schedule_by_device(const Workload& workload, Schedule (*schedule)(const Workload&), int lanes_elsewhere) {
  std::map<std::string, std::vector<std::size_t>> by_device;
  for (std::size_t m = 0; m < workload.devices.size(); ++m) by_device[workload.devices[m]].push_back(m);
  Schedule all;
  all.members.resize(workload.costs.size());
  for (const auto& [device, members] : by_device) {
    Workload there{{}, workload.threads, workload.goal};
    if (device != kCpu) there.threads = lanes_elsewhere > 0 ? lanes_elsewhere : static_cast<int>(members.size());
    for (const std::size_t m : members) {
      there.costs.push_back(workload.costs[m]);
      if (!workload.own_threads.empty()) there.own_threads.push_back(workload.own_threads[m]);
    }
    add_lanes(schedule(there), members, all);
  }
  return all;
}

}  // namespace assay::engine
