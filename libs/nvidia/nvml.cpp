#include "nvidia/nvml.hpp"

#include <dlfcn.h>
#include <nvml.h>

#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "assay/backend_kit_framework.hpp"

namespace assay::nvidia {

// Spelt out, since the header's declarations of some are marked as deprecated, and drivers have them all the same.
struct Nvml::Table {
  nvmlReturn_t (*init)() = nullptr;
  nvmlReturn_t (*shutdown)() = nullptr;
  const char* (*error_string)(nvmlReturn_t) = nullptr;
  nvmlReturn_t (*driver_version)(char*, unsigned) = nullptr;
  nvmlReturn_t (*device_count)(unsigned*) = nullptr;
  nvmlReturn_t (*by_index)(unsigned, nvmlDevice_t*) = nullptr;
  nvmlReturn_t (*by_uuid)(const char*, nvmlDevice_t*) = nullptr;
  nvmlReturn_t (*uuid)(nvmlDevice_t, char*, unsigned) = nullptr;
  // What an older driver may lack is left out of a reading.
  nvmlReturn_t (*memory)(nvmlDevice_t, nvmlMemory_v2_t*) = nullptr;
  nvmlReturn_t (*energy)(nvmlDevice_t, unsigned long long*) = nullptr;
  nvmlReturn_t (*clock)(nvmlDevice_t, nvmlClockType_t, unsigned*) = nullptr;
  nvmlReturn_t (*max_clock)(nvmlDevice_t, nvmlClockType_t, unsigned*) = nullptr;
  nvmlReturn_t (*temperature)(nvmlDevice_t, nvmlTemperatureSensors_t, unsigned*) = nullptr;
  nvmlReturn_t (*utilization)(nvmlDevice_t, nvmlUtilization_t*) = nullptr;
  nvmlReturn_t (*clock_reasons)(nvmlDevice_t, unsigned long long*) = nullptr;
  nvmlReturn_t (*compute_processes)(nvmlDevice_t, unsigned*, nvmlProcessInfo_t*) = nullptr;

  std::mutex handles_mutex;
  std::map<std::string, nvmlDevice_t> handles;  // by UUID: to find one NVML may ask every GPU
};

namespace {

constexpr const char* kLibrary = "libnvidia-ml.so.1";
// Of processes that come between asking how many there are and asking which.
constexpr unsigned kRoomForNewProcesses = 16;

/// Bits of nvmlDeviceGetCurrentClocksEventReasons, see "NvmlClocksEventReasons" in NVML's reference. That a GPU is idle
/// (bit 0) holds nothing down.
constexpr std::pair<unsigned long long, const char*> kReasons[] = {
    {0x2, "clocks set"},   {0x4, "power cap"},          {0x8, "hardware slow-down"},
    {0x10, "sync boost"},  {0x20, "thermal slow-down"}, {0x40, "hardware thermal slow-down"},
    {0x80, "power brake"}, {0x100, "display clocks"}};

std::string advice_of(nvmlReturn_t status) {
  switch (status) {
    case NVML_ERROR_DRIVER_NOT_LOADED:
      return "no NVIDIA driver is loaded: install it, or give the container its devices (docker run --gpus all)";
    case NVML_ERROR_LIB_RM_VERSION_MISMATCH:
      return "the driver in the kernel and its library are of different versions: reboot, or load the driver again";
    case NVML_ERROR_NO_PERMISSION:
      return "the driver's devices (/dev/nvidia*) may not be opened by this user";
    default:
      return "see whether nvidia-smi works";
  }
}

/// A value of a function that the driver may lack or this GPU may not support.
template <class Value, class Function, class... Arguments>
std::optional<Value> ask(Function function, nvmlDevice_t device, Arguments... arguments) {
  Value value{};
  if (function == nullptr || function(device, arguments..., &value) != NVML_SUCCESS) return std::nullopt;
  return value;
}

}  // namespace

Nvml::Nvml() : table_(std::make_unique<Table>()) {}

Nvml::~Nvml() {
  if (table_->shutdown != nullptr) table_->shutdown();
}

const Nvml* Nvml::open(std::string& why) {
  static std::mutex mutex;
  static const Nvml* opened = nullptr;  // for as long as the process lives
  const std::lock_guard lock(mutex);
  if (opened == nullptr) opened = load(kLibrary, why).release();
  return opened;
}

std::unique_ptr<const Nvml> Nvml::load(const std::string& library, std::string& why) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    why = "NVML (" + library +
          ", part of NVIDIA's driver) cannot be opened: " + (reason != nullptr ? reason : "no reason given") +
          "; install the driver to have the GPU's readings";
    return nullptr;
  }
  std::unique_ptr<Nvml> nvml(new Nvml);
  Table& t = *nvml->table_;
  kit::Symbols symbols(handle);
  decltype(t.shutdown) shutdown = nullptr;
  symbols.find("nvmlInit_v2", t.init);
  symbols.find("nvmlShutdown", shutdown);
  symbols.find("nvmlErrorString", t.error_string);
  symbols.find("nvmlSystemGetDriverVersion", t.driver_version);
  symbols.find("nvmlDeviceGetCount_v2", t.device_count);
  symbols.find("nvmlDeviceGetHandleByIndex_v2", t.by_index);
  symbols.find("nvmlDeviceGetHandleByUUID", t.by_uuid);
  symbols.find("nvmlDeviceGetUUID", t.uuid);
  symbols.find("nvmlDeviceGetMemoryInfo_v2", t.memory, false);
  symbols.find("nvmlDeviceGetTotalEnergyConsumption", t.energy, false);
  symbols.find("nvmlDeviceGetClockInfo", t.clock, false);
  symbols.find("nvmlDeviceGetMaxClockInfo", t.max_clock, false);
  symbols.find("nvmlDeviceGetTemperature", t.temperature, false);
  symbols.find("nvmlDeviceGetUtilizationRates", t.utilization, false);
  symbols.find("nvmlDeviceGetCurrentClocksEventReasons", t.clock_reasons, false);
  if (t.clock_reasons == nullptr) {  // its name before driver 535
    symbols.find("nvmlDeviceGetCurrentClocksThrottleReasons", t.clock_reasons, false);
  }
  symbols.find("nvmlDeviceGetComputeRunningProcesses_v3", t.compute_processes, false);
  if (!symbols.missing().empty()) {
    why = "NVML (" + library + ") lacks " + symbols.missing() + "; update the NVIDIA driver";
    return nullptr;
  }
  if (const nvmlReturn_t status = t.init(); status != NVML_SUCCESS) {
    why = "NVML (" + library + ") says " + t.error_string(status) + " (" + std::to_string(status) +
          "): " + advice_of(status);
    return nullptr;
  }
  t.shutdown = shutdown;
  return nvml;
}

std::string Nvml::driver_version() const {
  std::array<char, NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE> text{};
  return table_->driver_version(text.data(), text.size()) == NVML_SUCCESS ? text.data() : "";
}

std::string Nvml::known_uuids() const {
  unsigned count = 0;
  table_->device_count(&count);
  std::string all;
  for (unsigned i = 0; i < count; ++i) {
    nvmlDevice_t device = nullptr;
    std::array<char, NVML_DEVICE_UUID_V2_BUFFER_SIZE> text{};
    if (table_->by_index(i, &device) != NVML_SUCCESS) continue;
    if (table_->uuid(device, text.data(), text.size()) != NVML_SUCCESS) continue;
    all += (all.empty() ? "" : ", ") + std::string(text.data());
  }
  return all.empty() ? "none" : all;
}

void* Nvml::handle_of(const std::string& uuid, std::string& why) const {
  static constexpr std::string_view kGpu = "GPU-";
  Table& t = *table_;
  const std::lock_guard lock(t.handles_mutex);
  if (const auto known = t.handles.find(uuid); known != t.handles.end()) return known->second;
  nvmlDevice_t device = nullptr;
  nvmlReturn_t status = t.by_uuid(uuid.c_str(), &device);
  if (status == NVML_ERROR_NOT_FOUND && uuid.starts_with(kGpu)) {  // CUDA gives a part of a GPU (MIG) the same form
    status = t.by_uuid(("MIG-" + uuid.substr(kGpu.size())).c_str(), &device);
  }
  if (status != NVML_SUCCESS) {
    why = "NVML was asked for the GPU " + uuid + " and says " + t.error_string(status) + " (" + std::to_string(status) +
          "); it has " + known_uuids();
    return nullptr;
  }
  t.handles[uuid] = device;
  return device;
}

std::optional<GpuReading> Nvml::read(const std::string& uuid, std::string& why) const {
  const Table& t = *table_;
  auto* const device = static_cast<nvmlDevice_t>(handle_of(uuid, why));
  if (device == nullptr) return std::nullopt;
  GpuReading reading;
  nvmlMemory_v2_t memory{};
  memory.version = nvmlMemory_v2;
  if (t.memory != nullptr && t.memory(device, &memory) == NVML_SUCCESS) {
    // Not `used`: whether the reserved memory is in it is told differently of different drivers.
    const unsigned long long others = memory.free + memory.reserved;
    reading.memory_used_bytes = memory.total > others ? memory.total - others : 0;
  }
  reading.energy_mj = ask<unsigned long long>(t.energy, device);
  reading.sm_clock_mhz = ask<unsigned>(t.clock, device, NVML_CLOCK_SM);
  reading.max_sm_clock_mhz = ask<unsigned>(t.max_clock, device, NVML_CLOCK_SM);
  reading.temperature_c = ask<unsigned>(t.temperature, device, NVML_TEMPERATURE_GPU);
  if (const auto use = ask<nvmlUtilization_t>(t.utilization, device)) reading.utilization_percent = use->gpu;
  const unsigned long long in_force = ask<unsigned long long>(t.clock_reasons, device).value_or(0);
  for (const auto& [bit, name] : kReasons) {
    if ((in_force & bit) != 0) reading.throttle_reasons.emplace_back(name);
  }
  reading.processes = processes(device);
  return reading;
}

std::vector<GpuProcess> Nvml::processes(void* device) const {
  const auto handle = static_cast<nvmlDevice_t>(device);
  std::vector<GpuProcess> processes;
  if (table_->compute_processes == nullptr) return processes;
  unsigned count = 0;
  if (table_->compute_processes(handle, &count, nullptr) != NVML_ERROR_INSUFFICIENT_SIZE) return processes;
  count += kRoomForNewProcesses;
  std::vector<nvmlProcessInfo_t> infos(count);
  if (table_->compute_processes(handle, &count, infos.data()) != NVML_SUCCESS) return processes;
  infos.resize(count);
  for (const nvmlProcessInfo_t& info : infos) {
    GpuProcess process{.pid = info.pid, .memory_bytes = {}};
    // NVML_VALUE_NOT_AVAILABLE, which the header writes as a signed number.
    if (info.usedGpuMemory != ~0ULL) process.memory_bytes = info.usedGpuMemory;
    processes.push_back(process);
  }
  return processes;
}

}  // namespace assay::nvidia
