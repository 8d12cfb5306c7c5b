#pragma once
// The plugin's options, and what a request makes of them.

#include <span>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"

namespace assay::mlir_backend {

struct Settings {
  int streams = 1;  ///< batches computed side by side, each by a team of its own
  int threads_of_stream = 1;
  bool spin = false;
  std::string target;
  int autotune_s = 0;   ///< seconds
  std::string without;  ///< passes
  bool strict = false;  ///< no Winograd
  /// EITHER: what is less work by the time that compiling took.
  assay_short_batch short_batch = ASSAY_SHORT_BATCH_EITHER;
  std::string dump;  ///< a folder, or empty
};

std::span<const assay_option> option_table();
/// Throws Failure: ASSAY_UNSUPPORTED for a precision that is not computed, ASSAY_INVALID_ARGUMENT for a folder that
/// nothing can be written to.
Settings settings_of(const kit::OpenRequest& request);

}  // namespace assay::mlir_backend
