#pragma once
// What store.cpp (writing) and store_read.cpp (reading) share.

#include "store/database.hpp"
#include "store/store.hpp"

namespace assay::store {

struct Store::Impl {
  Impl(const std::filesystem::path& file, Database::Access access) : database(file, access) {}
  Database database;

  void insert_campaign(const Campaign& campaign) const;
  void insert_outcome(const std::string& campaign_id, const Outcome& outcome) const;
  void insert_warning(const std::string& campaign_id, const Warning& warning) const;
  [[nodiscard]] std::string full_id(const std::string& beginning) const;
  [[nodiscard]] Campaign read_campaign(const std::string& id) const;
};

}  // namespace assay::store
