#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/error.hpp"
#include "core/campaign.hpp"

namespace assay::store {

/// One row of `results list`.
struct CampaignSummary {
  std::string id, started, finished, version, command, effort;
  std::string placed_step;  ///< of a search for a placement (docs/results-schema.md); "": it is of none
  int planned = 0, measured = 0, skipped = 0, failed = 0;
};

/// What one worker process of a case observed, while the case is not finished.
struct PendingProcess {
  std::string case_key;
  bool twin = false;  ///< of the A/A pair: for the noise floor alone
  ProcessSamples samples;
  std::map<std::string, std::string> texts;  ///< of its result
};

/// The file takes nothing more, whatever it is given: a full disk, a failing or a read-only one.
class Unwritable : public Error {
 public:
  using Error::Error;
};

/// A results file: SQLite, WAL, several processes at once. docs/results-schema.md describes the tables. An object is
/// for one thread. Every call throws Error(kIo) with path, reason and what to do.
class Store {
 public:
  enum class Access {
    kRead,   ///< the file must be there; nothing of it is changed but an older schema, where it can be written
    kWrite,  ///< opens or creates; migrates an older schema
  };
  /// Refuses a newer schema, files that are not SQLite, and SQLite files that are not Assay's.
  explicit Store(const std::filesystem::path& file, Access access = Access::kWrite);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] const std::filesystem::path& file() const;
  /// All but the outcomes is written; the id must be new.
  void begin(const Campaign& campaign);
  /// One process of a case that goes on; kept until the case has an outcome.
  void add_process(const std::string& campaign_id, const PendingProcess& process);
  /// One finished case: outcome, metrics and samples in one transaction. A case has one outcome.
  void add(const std::string& campaign_id, const Outcome& outcome);
  void add_warning(const std::string& campaign_id, const Warning& warning);
  /// Sets or replaces one entry of the environment: what is learnt while it runs.
  void set_environment(const std::string& campaign_id, const std::string& key, const std::string& value);
  void finish(const std::string& campaign_id, const std::string& when);

  /// Newest first.
  [[nodiscard]] std::vector<CampaignSummary> list() const;
  /// A campaign by id or unambiguous beginning of one; "" the newest. Throws Error(kInvalidArgument) listing near ones.
  [[nodiscard]] Campaign load(const std::string& id) const;
  /// Processes of cases without an outcome, in the order in which they ran.
  [[nodiscard]] std::vector<PendingProcess> pending(const std::string& campaign_id) const;
  /// The newest campaign that was not finished, if any.
  [[nodiscard]] std::optional<std::string> newest_unfinished() const;
  /// A campaign read from a bundle; refused if its id is there with other content, left alone if it is there as it is.
  /// Answers whether it was added.
  bool import(const Campaign& campaign);

  /// What an earlier campaign measured.
  struct Earlier {
    Outcome outcome;  ///< without its samples
    std::string campaign_id;
  };
  /// kSound: measured, and no process that counts was disturbed; kAny: failed and skipped ones, too.
  enum class Quality { kSound, kAny };
  /// The newest outcome of the case in campaigns whose environment has all of `same` (a value "": the key is not there)
  /// and that this version of Assay ran ("": any).
  [[nodiscard]] std::optional<Earlier> newest(const std::string& case_key,
                                              const std::map<std::string, std::string>& same,
                                              const std::string& version = "", Quality quality = Quality::kSound) const;
  /// Medians of `sample` ("process.wall" …) over the newest processes that ran the case; empty: never ran.
  [[nodiscard]] std::optional<double> typical(const std::string& case_key, const std::string& sample) const;
  /// The values of `key` in campaigns whose `same_key` is `same_value` (same machine, say), the newest first.
  [[nodiscard]] std::vector<std::string> environments(const std::string& key, const std::string& same_key,
                                                      const std::string& same_value) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// $ASSAY_DB, or results.db in the user's data folder.
std::filesystem::path default_results_file();

}  // namespace assay::store
