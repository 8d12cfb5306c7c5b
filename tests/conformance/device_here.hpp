#pragma once

#include <string>

#include "backend/backend.hpp"

namespace assay::conformance {

/// Why `backend` cannot be tested on `device`, as it says itself; "" where it can.
inline std::string why_not_here(const std::string& backend, const backend::Probe& probe, const std::string& device) {
  if (!probe.available) return backend + " is not available: " + probe.reason;
  std::string there;
  for (const backend::Device& d : probe.devices) {
    if (d.name == device) return "";
    there += (there.empty() ? "" : ", ") + d.name;
  }
  return backend + " has no device '" + device + "' here; it has " + (there.empty() ? "none" : there) +
         (probe.absent.empty() ? "" : "; " + probe.absent);
}

}  // namespace assay::conformance
