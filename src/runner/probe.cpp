#include "runner/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/json.hpp"

namespace assay::runner {
namespace {

constexpr std::chrono::milliseconds kProbeTimeout{20'000};

std::string text(const worker::Event& event, const std::string& name) {
  const auto it = event.texts.find(name);
  return it == event.texts.end() ? std::string() : it->second;
}

/// Why the case's device is not that of its members; "" where it is. A member of which nothing is said would be
/// computed on the first of several.
std::string why_elsewhere(const Case& c) {
  const std::vector<std::string> devices = devices_of(c);
  const std::vector<Placement::Seat>& seats = c.placement.seats;
  const bool one = devices.size() == 1;
  if (one && seats.empty()) return {};
  std::set<std::string> met;
  for (const Placement::Seat& seat : seats) met.insert(one && seat.device.empty() ? c.device : seat.device);
  const bool all_sit = one || seats.size() == members_of(c.model).size();
  if (all_sit && met == std::set<std::string>(devices.begin(), devices.end())) return {};
  return fmt::format(
      "the case is on {}, and its placement does not say just that of its members: on several devices "
      "each member has one of its own",
      c.device);
}

}  // namespace

ProbeAnswer probe_backend(const std::string& backend, const std::filesystem::path& library, worker::Launcher& launcher,
                          const std::atomic<bool>& stop) {
  ProbeAnswer answer;
  try {
    worker::Request request;
    request.kind = worker::Request::Kind::kProbe;
    request.test_case.backend = backend;
    request.library = library;
    const worker::Exit exit =
        launcher.run(request, {kProbeTimeout, kProbeTimeout, 0, {}}, [](const worker::Event&) {}, stop);
    if (!exit.ok) {
      answer.reason = exit.reason;
      return answer;
    }
    const auto available = exit.result.values.find("available");
    answer.available = available != exit.result.values.end() && !available->second.empty() && available->second[0] != 0;
    const auto formats = exit.result.values.find("model_formats");
    if (formats != exit.result.values.end() && !formats->second.empty()) {
      answer.model_formats = static_cast<std::uint32_t>(formats->second[0]);
    }
    answer.reason = text(exit.result, "reason");
    answer.version = text(exit.result, "version");
    answer.library = text(exit.result, "library");
    answer.origin = text(exit.result, "origin");
    answer.absent = text(exit.result, "absent");
    const std::string devices = text(exit.result, "devices");
    if (!devices.empty()) {
      for (const auto& d : parse_json(devices, "the worker's list of devices")) {
        answer.devices.push_back(
            {d.value("name", ""), d.value("description", ""), d.value("memory_bytes", std::uint64_t{0})});
      }
    }
  } catch (const std::exception& e) {
    answer.available = false;
    answer.reason = e.what();
  }
  return answer;
}

ProbeAnswer together(const std::vector<ProbeAnswer>& answers) {
  ProbeAnswer all = answers.front();
  for (std::size_t i = 1; i < answers.size(); ++i) {
    const ProbeAnswer& one = answers[i];
    if (all.available && !one.available) all.reason = one.reason;
    all.available = all.available && one.available;
    all.version += "+" + one.version;
    all.library += "+" + one.library;
    all.model_formats &= one.model_formats;
    if (all.absent.empty()) all.absent = one.absent;
    std::erase_if(all.devices, [&](const ProbeAnswer::Device& d) {
      return std::none_of(one.devices.begin(), one.devices.end(),
                          [&](const ProbeAnswer::Device& other) { return other.name == d.name; });
    });
  }
  return all;
}

std::string why_unavailable(const ProbeAnswer& answer, const std::string& backend, const std::string& device) {
  if (!answer.available) return fmt::format("{} is not available: {}", backend, answer.reason);
  const auto has = [&](const ProbeAnswer::Device& d) { return d.name == device; };
  if (std::any_of(answer.devices.begin(), answer.devices.end(), has)) return {};
  std::vector<std::string> names;
  for (const auto& d : answer.devices) names.push_back(d.name);
  return fmt::format("{} {} has no device '{}' here; it has {}{}", backend, answer.version, device,
                     names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")),
                     answer.absent.empty() ? "" : "; " + answer.absent);
}

std::string why_unavailable(const Case& c, const ProbeLookup& probe) {
  const ProbeAnswer& all = probe(c.backend);
  if (!all.available) return why_unavailable(all, c.backend, c.device);
  if (const std::string why = why_elsewhere(c); !why.empty()) return why;
  if (devices_of(c).size() == 1) return why_unavailable(all, c.backend, c.device);
  for (std::size_t m = 0; m < c.placement.seats.size(); ++m) {
    const std::string& backend = c.placement.seats[m].backend;
    if (const std::string why = why_unavailable(probe(backend), backend, device_of(c, m)); !why.empty()) return why;
  }
  return {};
}

std::uint64_t memory_of(const std::string& device, const std::vector<std::string>& engines, const ProbeLookup& probe) {
  std::uint64_t least = 0;
  for (const std::string& engine : engines) {
    for (const ProbeAnswer::Device& d : probe(engine).devices) {
      if (d.name != device || d.memory_bytes == 0) continue;
      least = least == 0 ? d.memory_bytes : std::min(least, d.memory_bytes);
    }
  }
  return least;
}

}  // namespace assay::runner
