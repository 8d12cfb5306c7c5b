#pragma once
// The null backend's settings: the table that the host shows and checks, and the values of one session.

#include <cstdint>
#include <span>
#include <string>

#include "assay/backend_kit.hpp"

namespace assay::null_backend {

struct Settings {
  std::string io, fail_at, hang_at, crash_at, reads_back;
  double compute_ms = 0, open_ms = 0, jitter = 0, copy_in_gb_s = 0, copy_out_gb_s = 0, launch_ms = 0;
  assay_status fail_as = ASSAY_FRAMEWORK;
  int crash_signal = 0, useful_slots = 0;
  std::uint32_t alignment = 0;
  std::uint64_t memory_mb = 0, device_memory_mb = 0, noise_seed = 0, values_seed = 0, held_by = 0, held_batches = 0;
  bool pad = false, computes_in_wait = false;
  bool tells_copy_in = true, tells_compute = true, tells_copy_out = true;
};

std::span<const assay_option> option_table();
/// What was set, and the table's defaults.
Settings read_settings(const kit::OpenRequest& request);
const char* precision_name(assay_precision precision);

}  // namespace assay::null_backend
