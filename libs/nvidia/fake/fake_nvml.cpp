// A libnvidia-ml of ours: settings in ASSAY_FAKE_NVML or by assay_fake_set (script.hpp). Beside errors:
//   devices=1  version=580.65.06  used_mib=512 (+ used_step_mib a reading)  energy_mj=1000 (+ energy_step_mj a reading)
//   clock=1500  max_clock=1980  temperature=50  utilization=0  reasons=0 (bits, decimal)
//   processes=100:50,200:-   pid:MiB, "-": not told, "self": the caller's own

#include <nvml.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "nvidia/fake/script.hpp"

using assay::nvidia::fake::Script;

namespace {

constexpr unsigned long long kMebi = 1ULL << 20U;
constexpr long kTotalMib = 1024;
constexpr long kReservedMib = 24;

Script& script() {
  static Script script("ASSAY_FAKE_NVML");
  return script;
}

nvmlReturn_t answer(const char* function) { return static_cast<nvmlReturn_t>(script().called(function)); }

/// The last byte is that of the fake libcudart's.
std::string uuid_of(unsigned index) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "GPU-00000000-0000-0000-0000-0000000000%02x", 0xA0 + index);
  return text.data();
}

/// A handle is the index and one.
nvmlDevice_t handle_of(unsigned index) {
  return reinterpret_cast<nvmlDevice_t>(static_cast<std::uintptr_t>(index) + 1);
}
unsigned index_of(nvmlDevice_t device) { return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(device) - 1); }

nvmlReturn_t put(const char* function, const char* name, long fallback, unsigned* value) {
  const nvmlReturn_t status = answer(function);
  if (status == NVML_SUCCESS) *value = static_cast<unsigned>(script().number(name, fallback));
  return status;
}

/// `name` as set, and `step` more each time it is asked for.
unsigned long long growing(const char* name, long fallback, const char* step, std::atomic<long>& asked) {
  return static_cast<unsigned long long>(script().number(name, fallback) + script().number(step, 0) * asked++);
}

std::atomic<long> energy_asked{0};
std::atomic<long> memory_asked{0};

std::vector<nvmlProcessInfo_t> processes() {
  std::vector<nvmlProcessInfo_t> all;
  std::istringstream words(script().text("processes", ""));
  for (std::string word; std::getline(words, word, ',');) {
    const std::size_t colon = word.find(':');
    const std::string memory = word.substr(colon + 1);
    nvmlProcessInfo_t info{};
    info.pid = word.starts_with("self") ? static_cast<unsigned>(::getpid())
                                        : static_cast<unsigned>(std::stoul(word.substr(0, colon)));
    info.usedGpuMemory = memory == "-" ? ~0ULL : std::stoull(memory) * kMebi;
    all.push_back(info);
  }
  return all;
}

}  // namespace

extern "C" {

void assay_fake_set(const char* settings) {
  script().set(settings);
  energy_asked = 0;
  memory_asked = 0;
}
const char* assay_fake_log() {
  static thread_local std::string text;
  text = script().log();
  return text.c_str();
}
long assay_fake_held() { return script().held(); }

nvmlReturn_t nvmlInit_v2() {
  const nvmlReturn_t status = answer("nvmlInit_v2");
  if (status == NVML_SUCCESS) script().made(&energy_asked);
  return status;
}
nvmlReturn_t nvmlShutdown() {
  script().gone(&energy_asked);
  return answer("nvmlShutdown");
}
const char* nvmlErrorString(nvmlReturn_t /*status*/) { return "as the fake was told"; }
nvmlReturn_t nvmlSystemGetDriverVersion(char* text, unsigned size) {
  const nvmlReturn_t status = answer("nvmlSystemGetDriverVersion");
  if (status == NVML_SUCCESS) std::snprintf(text, size, "%s", script().text("version", "580.65.06").c_str());
  return status;
}
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned* count) { return put("nvmlDeviceGetCount_v2", "devices", 1, count); }
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t* device) {
  *device = handle_of(index);
  return answer("nvmlDeviceGetHandleByIndex_v2");
}
nvmlReturn_t nvmlDeviceGetHandleByUUID(const char* uuid, nvmlDevice_t* device) {
  if (const nvmlReturn_t status = answer("nvmlDeviceGetHandleByUUID"); status != NVML_SUCCESS) return status;
  for (unsigned i = 0; i < static_cast<unsigned>(script().number("devices", 1)); ++i) {
    *device = handle_of(i);
    if (uuid_of(i) == uuid) return NVML_SUCCESS;
  }
  return NVML_ERROR_NOT_FOUND;
}
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char* text, unsigned size) {
  std::snprintf(text, size, "%s", uuid_of(index_of(device)).c_str());
  return answer("nvmlDeviceGetUUID");
}
nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t /*device*/, nvmlMemory_v2_t* memory) {
  if (memory->version != nvmlMemory_v2) return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
  const unsigned long long used = growing("used_mib", 512, "used_step_mib", memory_asked) * kMebi;
  memory->total = kTotalMib * kMebi;
  memory->reserved = kReservedMib * kMebi;
  memory->free = memory->total - memory->reserved - used;
  memory->used = used + memory->reserved;  // as some drivers count
  return answer("nvmlDeviceGetMemoryInfo_v2");
}
nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t /*device*/, unsigned long long* millijoules) {
  *millijoules = growing("energy_mj", 1000, "energy_step_mj", energy_asked);
  return answer("nvmlDeviceGetTotalEnergyConsumption");
}
nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t /*device*/, nvmlClockType_t type, unsigned* mhz) {
  if (type != NVML_CLOCK_SM) return NVML_ERROR_INVALID_ARGUMENT;
  return put("nvmlDeviceGetClockInfo", "clock", 1500, mhz);
}
nvmlReturn_t nvmlDeviceGetMaxClockInfo(nvmlDevice_t /*device*/, nvmlClockType_t /*type*/, unsigned* mhz) {
  return put("nvmlDeviceGetMaxClockInfo", "max_clock", 1980, mhz);
}
nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t /*device*/, nvmlTemperatureSensors_t /*type*/, unsigned* celsius) {
  return put("nvmlDeviceGetTemperature", "temperature", 50, celsius);
}
nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t /*device*/, nvmlUtilization_t* utilization) {
  utilization->memory = 0;
  return put("nvmlDeviceGetUtilizationRates", "utilization", 0, &utilization->gpu);
}
nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t /*device*/, unsigned long long* reasons) {
  *reasons = static_cast<unsigned long long>(script().number("reasons", 0));
  return answer("nvmlDeviceGetCurrentClocksEventReasons");
}
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t /*device*/, unsigned* count,
                                                     nvmlProcessInfo_t* infos) {
  const std::vector<nvmlProcessInfo_t> all = processes();
  const unsigned room = std::exchange(*count, static_cast<unsigned>(all.size()));
  if (const nvmlReturn_t status = answer("nvmlDeviceGetComputeRunningProcesses_v3"); status != NVML_SUCCESS)
    return status;
  if (all.size() > room) return NVML_ERROR_INSUFFICIENT_SIZE;
  if (!all.empty()) std::memcpy(infos, all.data(), all.size() * sizeof(nvmlProcessInfo_t));
  return NVML_SUCCESS;
}

}  // extern "C"
