#include "worker/gpu_watch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <sstream>

#include "worker/session.hpp"

namespace assay::worker {
namespace {

using nvidia::GpuReading;

// What a process before this one computed is in the utilization for up to a second.
constexpr int kLooksForIdle = 12;

std::uint32_t own_pid() { return static_cast<std::uint32_t>(::getpid()); }

void append(std::string& remark, const std::string& text) {
  if (!text.empty()) remark += (remark.empty() ? "" : "; ") + text;
}

std::optional<GpuReading> read_when_idle(const GpuReader& read) {
  std::optional<GpuReading> reading = read();
  for (int i = 1; i < kLooksForIdle && reading && measure::gpu_is_busy(*reading); ++i) {
    std::this_thread::sleep_for(GpuWatch::kBetweenReadings);
    reading = read();
  }
  return reading;
}

}  // namespace

GpuReader gpu_reader(const std::string& uuid, std::string& why) {
  if (uuid.empty()) {
    why = "the backend does not say which GPU it is (gpu.uuid)";
    return {};
  }
  const nvidia::Nvml* nvml = nvidia::Nvml::open(why);
  if (nvml == nullptr || !nvml->read(uuid, why)) return {};
  return [nvml, uuid] {
    std::string unsaid;  // it could be read before: the device is lost, and the engine will say so
    return nvml->read(uuid, unsaid);
  };
}

std::string gpu_uuid_in(const std::string& identity) {
  static constexpr std::size_t kLength = sizeof("GPU-00000000-0000-0000-0000-000000000000") - 1;
  const std::size_t at = identity.find("GPU-");
  return at == std::string::npos || identity.size() - at < kLength ? "" : identity.substr(at, kLength);
}

GpuWatch::GpuWatch(GpuReader read, std::chrono::milliseconds between) : read_(std::move(read)), between_(between) {}

GpuWatch::~GpuWatch() { join(); }

void GpuWatch::begin() {
  if (!read_ || thread_.joinable()) return;
  add();
  thread_ = std::thread([this] { read_until_ended(); });
}

void GpuWatch::end() {
  if (!thread_.joinable()) return;
  join();
  add();
}

std::chrono::nanoseconds GpuWatch::cpu_time() {
  clockid_t clock{};
  timespec used{};
  if (!thread_.joinable() || ::pthread_getcpuclockid(thread_.native_handle(), &clock) != 0) return {};
  if (::clock_gettime(clock, &used) != 0) return {};
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

void GpuWatch::add() {
  if (const std::optional<GpuReading> reading = read_()) readings_.push_back(*reading);
}

void GpuWatch::read_until_ended() {
  std::unique_lock lock(mutex_);
  while (!ended_changed_.wait_for(lock, between_, [this] { return ended_; })) {
    lock.unlock();
    add();
    lock.lock();
  }
}

void GpuWatch::join() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_one();
  thread_.join();
}

GpuAccount::GpuAccount(const Request& request, const TaskResult& result, Reporter& reporter, Open open)
    : open_(std::move(open)), case_(request.test_case), gpus_(gpus_of(case_)) {
  if (gpus_.empty()) return;
  if (const auto told = result.texts.find("device.uuid"); told != result.texts.end()) {
    std::istringstream text(told->second);
    for (std::string uuid; std::getline(text, uuid, '+');) uuids_.push_back(uuid);
  }
  uuids_.resize(gpus_.size());
  read_ = open_all();
  if (!read_) return;
  before_ = read_when_idle(read_);
  if (!before_) return;
  const std::string names = fmt::format("{}", fmt::join(gpus_, "+"));
  if (const auto warning = measure::gpu_not_idle(names, *before_, own_pid())) reporter.warn(*warning);
}

GpuReader GpuAccount::open_all() {
  std::vector<GpuReader> readers;
  for (const std::string& uuid : uuids_) {
    readers.push_back(open_(uuid, why_not_));
    if (!readers.back()) return {};
  }
  if (readers.size() == 1) return readers.front();
  return [readers]() -> std::optional<GpuReading> {
    std::vector<GpuReading> readings;
    for (const GpuReader& read : readers) {
      const std::optional<GpuReading> reading = read();
      if (!reading) return std::nullopt;
      readings.push_back(*reading);
    }
    return measure::gpus_together(readings);
  };
}

void GpuAccount::loaded(const std::map<std::string, std::string>& in_force) {
  if (gpus_.empty() || read_) return;
  std::map<std::string, std::string> prefixes = {{"", gpus_.front()}};  // of what is said, and of which GPU it is
  if (const auto members = devices_of_members(case_); !members.empty()) {
    prefixes.clear();
    for (const auto& [name, device] : members) prefixes[name + "."] = device;
  }
  bool told = false;
  for (const auto& [prefix, device] : prefixes) {
    const auto uuid = in_force.find(prefix + "gpu.uuid");
    const auto gpu = std::find(gpus_.begin(), gpus_.end(), device);
    if (uuid == in_force.end() || gpu == gpus_.end()) continue;
    uuids_[static_cast<std::size_t>(gpu - gpus_.begin())] = uuid->second;
    told = true;
  }
  if (told) read_ = open_all();
}

void GpuAccount::put_memory(TaskResult& result) const {
  if (gpus_.empty()) return;
  std::string& remark = result.texts["remark.memory.device"];
  if (!read_) {
    remark = why_not_;
    return;
  }
  const measure::DeviceMemory memory = measure::gpu_memory(before_, read_(), own_pid());
  if (memory.bytes) result.values["memory.device"] = {*memory.bytes};
  remark = memory.remark;
}

void GpuAccount::put_window(const GpuWatch& watch, double window_s, double samples, TaskResult& result) const {
  if (gpus_.empty()) return;
  std::string& gross = result.texts["remark.energy.gross"];
  std::string& power = result.texts["remark.power.mean"];
  if (!read_) {
    gross = power = why_not_;
    return;
  }
  const std::optional<double> joules = measure::gpu_energy(watch.readings());
  if (joules && samples > 0 && window_s > 0) {
    result.values["energy.gross"] = {*joules / samples};
    result.values["power.mean"] = {*joules / window_s};
    gross = power = "the GPU's alone, by NVML's counter over the window";
  } else {
    gross = power = "NVML's counter did not move or is not there (it is of Volta and newer GPUs)";
  }
  for (auto& [name, value] : measure::gpu_noise(watch.readings(), own_pid())) result.values[name] = value;
  const std::string clock = measure::gpu_clock_remark(watch.readings());
  if (clock.empty()) return;
  for (const char* text : {"remark.throughput", "remark.latency"}) append(result.texts[text], clock);
}

}  // namespace assay::worker
