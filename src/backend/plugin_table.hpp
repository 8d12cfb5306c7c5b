#pragma once

#include <filesystem>

#include "assay/backend_abi.h"

namespace assay::backend {

/// Throws Error(kUnavailable), saying what does not match, unless this host can use `table`, which `file` answered.
void check_table(const assay_backend_table* table, const std::filesystem::path& file);

}  // namespace assay::backend
