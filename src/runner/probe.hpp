#pragma once
// What a backend said of itself in a worker process of its own.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "worker/launcher.hpp"

namespace assay::runner {

struct ProbeAnswer {
  bool available = false;
  std::string reason;  ///< why not
  std::string version, library, origin;
  struct Device {
    std::string name, description;
    std::uint64_t memory_bytes = 0;  ///< 0: not told
  };
  std::vector<Device> devices;
  std::string absent;               ///< why devices that it can have elsewhere are not here
  std::uint32_t model_formats = 1;  ///< bits of model::Format; ONNX where it does not say
};

/// Asks a backend: is its framework there, in which version, with which devices? Never throws: a worker that dies makes
/// the backend unavailable, with its last words as the reason.
ProbeAnswer probe_backend(const std::string& backend, const std::filesystem::path& library, worker::Launcher& launcher,
                          const std::atomic<bool>& stop);

/// Of engines that work together: available where all are, with the devices that all have.
ProbeAnswer together(const std::vector<ProbeAnswer>& answers);

/// What an engine said; of engines that work together ("x+y"), together.
using ProbeLookup = std::function<const ProbeAnswer&(const std::string&)>;

/// Why a case on `device` cannot run; "" when it can.
std::string why_unavailable(const ProbeAnswer& answer, const std::string& backend, const std::string& device);
/// The same of a case, whose members may each want their own engine's device; it cannot run, either, where it is on
/// other devices than its members.
std::string why_unavailable(const Case& c, const ProbeLookup& probe);

/// Bytes of memory of a device besides the CPU: the least that one of these engines tells; 0: none does.
std::uint64_t memory_of(const std::string& device, const std::vector<std::string>& engines, const ProbeLookup& probe);

}  // namespace assay::runner
