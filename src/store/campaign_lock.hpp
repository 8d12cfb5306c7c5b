#pragma once

#include <filesystem>
#include <string>

namespace assay::store {

/// Held by the process that runs a campaign: a file beside the results file, locked by the kernel and so free again
/// whenever and however the process ends.
class CampaignLock {
 public:
  /// Throws Error(kInvalidArgument) where another process runs the campaign, Error(kIo) where there can be no file.
  CampaignLock(const std::filesystem::path& results_file, const std::string& campaign_id);
  ~CampaignLock();
  CampaignLock(const CampaignLock&) = delete;
  CampaignLock& operator=(const CampaignLock&) = delete;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace assay::store
