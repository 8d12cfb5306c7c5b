#pragma once

#include "store/database.hpp"

namespace assay::store {

/// Version of the tables; docs/results-schema.md.
inline constexpr int kSchemaVersion = 3;
/// PRAGMA application_id of a results file: "ASAY".
inline constexpr int kApplicationId = 0x41534159;

/// Throws Error(kIo) unless the file is empty, or Assay's and of a schema that this version knows. Answers the version;
/// 0: empty.
int check_schema(const Database& database);
/// Brings an empty or older file to kSchemaVersion. Several processes may do so at once.
void migrate(const Database& database);

}  // namespace assay::store
