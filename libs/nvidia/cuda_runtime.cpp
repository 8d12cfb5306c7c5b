#include "nvidia/cuda_runtime.hpp"

#include <dlfcn.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <string_view>

#include "assay/backend_kit_framework.hpp"
#include "nvidia/cuda_errors.hpp"
#include "nvidia/cuda_table.hpp"
#include "nvidia/nvml.hpp"

namespace assay::nvidia {
namespace {

constexpr const char* kInstall =
    "Install CUDA's runtime of version 12 or 13: `pip install nvidia-cuda-runtime`, or NVIDIA's CUDA packages.";
// Bytes of "0000:17:00.0", and room for longer domains.
constexpr int kBusIdRoom = 32;

/// Where one root may hold the library, the newest first.
constexpr std::array kInRoot = {"nvidia/cu13/lib/libcudart.so.13", "nvidia/cuda_runtime/lib/libcudart.so.12",
                                "libcudart.so.13", "libcudart.so.12"};
constexpr std::array kByLoader = {"libcudart.so.13", "libcudart.so.12"};

/// Files that are there; then names for the loader.
std::vector<std::string> candidates(const std::vector<kit::SearchRoot>& roots) {
  std::vector<std::string> paths;
  std::error_code none;
  for (const auto& [folder, origin] : roots) {
    for (const char* file : kInRoot) {
      std::filesystem::path path = std::filesystem::path(folder) / file;
      if (std::filesystem::exists(path, none)) paths.push_back(path.string());
    }
  }
  paths.insert(paths.end(), kByLoader.begin(), kByLoader.end());
  return paths;
}

std::string where_looked(const std::vector<kit::SearchRoot>& roots) {
  std::string text;
  for (const auto& [folder, origin] : roots) text += (text.empty() ? "" : ", ") + folder + " (" + origin + ")";
  return text + (text.empty() ? "" : ", ") + "the loader's own folders";
}

/// A runtime may write more than this header's struct holds, since the struct grew and shrank at its end; the fields
/// that are read (name, uuid, totalGlobalMem) have been the first ones, in this order, since CUDA 10.
union DeviceProperties {
  cudaDeviceProp known;
  std::array<std::byte, 4096> room;
};

/// As NVML and nvidia-smi write it: "GPU-", then 16 bytes as 8-4-4-4-12 hexadecimal digits.
std::string uuid_text(const cudaUUID_t& uuid) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(uuid.bytes[i]);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

}  // namespace

std::string cuda_version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

CudaRuntime::CudaRuntime() : table_(std::make_unique<Table>()) {}
CudaRuntime::~CudaRuntime() = default;

const CudaRuntime& CudaRuntime::open(const std::vector<kit::SearchRoot>& roots) {
  static std::mutex mutex;
  static const CudaRuntime* opened = nullptr;  // for as long as the process lives: slots may outlast everything else
  const std::lock_guard lock(mutex);
  if (opened == nullptr) opened = load(roots).release();
  return *opened;
}

std::unique_ptr<const CudaRuntime> CudaRuntime::load(const std::vector<kit::SearchRoot>& roots) {
  std::string refused;
  for (const std::string& path : candidates(roots)) {
    try {
      std::unique_ptr<CudaRuntime> runtime(new CudaRuntime);
      runtime->open_file(path);
      return runtime;
    } catch (const kit::Failure& e) {
      // That a name is unknown to the loader is no news; a file that is there and cannot be used is.
      if (path.find('/') != std::string::npos || std::string(e.what()).find("No such file") == std::string::npos) {
        refused += std::string(refused.empty() ? "" : "; ") + e.what();
      }
    }
  }
  const std::string found = refused.empty() ? "none was found" : "none could be used: " + refused;
  throw kit::Failure(ASSAY_UNAVAILABLE, "CUDA's runtime library (libcudart.so.13 or .12) is needed, and " + found +
                                            ". Looked in " + where_looked(roots) + ". " + kInstall);
}

void CudaRuntime::open_file(const std::string& path) {
  kit::Symbols symbols(kit::open_library(path));
  for_each_symbol(*table_, [&](const char* symbol, auto& function) { symbols.find(symbol, function); });
  // CUDA 12 has today's struct under this name and an older one under the plain name; CUDA 13 the plain name alone.
  symbols.find("cudaGetDeviceProperties_v2", table_->get_device_properties, false);
  if (table_->get_device_properties == nullptr) {
    symbols.find("cudaGetDeviceProperties", table_->get_device_properties);
  }
  if (!symbols.missing().empty()) {
    throw kit::Failure(ASSAY_UNAVAILABLE, path + " lacks " + symbols.missing());
  }
  Dl_info info{};
  library_ = ::dladdr(reinterpret_cast<void*>(table_->runtime_get_version), &info) != 0 && info.dli_fname != nullptr
                 ? info.dli_fname
                 : path;
  if (runtime_version() < kOldest) {
    throw kit::Failure(ASSAY_UNAVAILABLE, library_ + " is CUDA " + cuda_version_text(runtime_version()) + ", and " +
                                              cuda_version_text(kOldest) + " or later is needed");
  }
}

const std::string& CudaRuntime::library() const { return library_; }
const CudaRuntime::Table& CudaRuntime::table() const { return *table_; }

int CudaRuntime::runtime_version() const {
  int version = 0;
  check(table_->runtime_get_version(&version), "ask for the runtime's version");
  return version;
}

int CudaRuntime::driver_version() const {
  int version = 0;
  return table_->driver_get_version(&version) == cudaSuccess ? version : 0;
}

std::string CudaRuntime::driver() const {
  const int newest = driver_version();
  if (newest == 0) return "none";
  const std::string serves = cuda_version_text(newest);
  std::string why;
  const Nvml* nvml = Nvml::open(why);
  const std::string exact = nvml == nullptr ? "" : nvml->driver_version();
  return exact.empty() ? "of CUDA " + serves : exact + " (CUDA " + serves + ")";
}

int CudaRuntime::device_count() const {
  int count = 0;
  const cudaError_t status = table_->get_device_count(&count);
  if (status == cudaSuccess) return count;
  table_->get_last_error();
  if (status == cudaErrorNoDevice) return 0;
  const int driver = driver_version();
  const std::string words = std::string(table_->get_error_name(status)) + " (" + std::to_string(status) + ": " +
                            table_->get_error_string(status) + ")";
  if (driver == 0) {
    throw kit::Failure(
        ASSAY_UNAVAILABLE,
        library_ + " finds no NVIDIA driver: " + words +
            ". Install the driver of the GPU; a container needs to be given it (docker run --gpus all).");
  }
  if (status == cudaErrorInsufficientDriver) {
    throw kit::Failure(ASSAY_UNAVAILABLE,
                       "the NVIDIA driver serves CUDA " + cuda_version_text(driver) + " at the most, and " + library_ +
                           " is CUDA " + cuda_version_text(runtime_version()) +
                           ": update the driver, or install a runtime that is as old. CUDA says " + words);
  }
  throw kit::Failure(ASSAY_UNAVAILABLE,
                     "the NVIDIA driver does not tell its GPUs: " + words + ". " + meaning_of(status).advice);
}

DeviceFacts CudaRuntime::facts(int device) const {
  const std::string asked = "ask what gpu:" + std::to_string(device) + " is";
  DeviceProperties properties{};
  check(table_->get_device_properties(&properties.known, device), asked);
  DeviceFacts facts{};
  const auto* name = &properties.known.name[0];
  facts.name.assign(name, ::strnlen(name, sizeof properties.known.name));
  facts.uuid = uuid_text(properties.known.uuid);
  facts.memory_bytes = properties.known.totalGlobalMem;
  std::array<char, kBusIdRoom> bus{};
  check(table_->device_get_pci_bus_id(bus.data(), kBusIdRoom, device), asked);
  facts.bus_id = bus.data();
  const auto attribute = [&](cudaDeviceAttr which) {
    int value = 0;
    check(table_->device_get_attribute(&value, which, device), asked);
    return value;
  };
  facts.major = attribute(cudaDevAttrComputeCapabilityMajor);
  facts.minor = attribute(cudaDevAttrComputeCapabilityMinor);
  facts.integrated = attribute(cudaDevAttrIntegrated) != 0;
  return facts;
}

std::vector<kit::Device> CudaRuntime::devices() const {
  std::vector<kit::Device> devices;
  const int count = device_count();
  for (int i = 0; i < count; ++i) {
    const DeviceFacts f = facts(i);
    const std::string rest =
        "compute capability " + std::to_string(f.major) + "." + std::to_string(f.minor) + ", driver " + driver();
    devices.push_back({"gpu:" + std::to_string(i), f.name + " (" + size_text(f.memory_bytes) + ", " + rest + ")",
                       f.uuid + ", " + rest, f.memory_bytes});
  }
  return devices;
}

std::vector<std::pair<std::string, std::string>> CudaRuntime::in_force(int device) const {
  const DeviceFacts f = facts(device);
  return {{"gpu.uuid", f.uuid}, {"gpu.name", f.name}, {"driver", driver()}};
}

int CudaRuntime::index_of(const std::string& device) const {
  static constexpr std::string_view kPrefix = "gpu:";
  const int count = device_count();
  int index = -1;
  if (device.starts_with(kPrefix)) {
    const char* end = device.data() + device.size();
    const auto [stop, error] = std::from_chars(device.data() + kPrefix.size(), end, index);
    if (error != std::errc() || stop != end) index = -1;
  }
  if (index >= 0 && index < count) return index;
  std::string there;
  for (int i = 0; i < count; ++i) {
    there += (i == 0 ? "" : ", ") + std::string("gpu:") + std::to_string(i) + " (" + facts(i).name + ")";
  }
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  throw kit::Failure(
      ASSAY_UNAVAILABLE,
      "asked for the device " + device + ", and CUDA sees " + (there.empty() ? "no GPU" : there) +
          (visible == nullptr ? std::string() : std::string(" (CUDA_VISIBLE_DEVICES is \"") + visible + "\")") +
          ": name one of those, or run on the CPU");
}

void CudaRuntime::set_device(int device) const {
  const cudaError_t status = table_->set_device(device);
  if (status != cudaSuccess) check(status, "use gpu:" + std::to_string(device));
}

int CudaRuntime::current_device() const {
  int device = 0;
  check(table_->get_device(&device), "ask which GPU is the thread's");
  return device;
}

std::optional<int> CudaRuntime::device_of(const void* data) const {
  cudaPointerAttributes attributes{};
  check(table_->pointer_get_attributes(&attributes, data), "ask which GPU memory lies on");
  if (attributes.type != cudaMemoryTypeDevice) return std::nullopt;
  return attributes.device;
}

void CudaRuntime::synchronize() const {
  const cudaError_t status = table_->device_synchronize();
  if (status != cudaSuccess) check(status, "wait for the GPU");
}

void CudaRuntime::check(cudaError_t status, const std::string& what) const {
  if (status == cudaSuccess) return;
  table_->get_last_error();
  const ErrorMeaning meaning = meaning_of(status);
  const std::string advice = meaning.advice;
  throw kit::Failure(meaning.code, "cannot " + what + ": CUDA says " + table_->get_error_name(status) + " (" +
                                       std::to_string(status) + ": " + table_->get_error_string(status) + ")" +
                                       (advice.empty() ? "" : ". " + advice));
}

}  // namespace assay::nvidia
