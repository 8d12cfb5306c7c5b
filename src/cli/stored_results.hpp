#pragma once
// What a search need not measure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/bench.hpp"
#include "core/outcome.hpp"
#include "runner/runner.hpp"
#include "store/store.hpp"
#include "tune/place.hpp"

namespace assay::cli {

/// Environment: whose campaign it is, the same for all of a search.
inline constexpr const char* kSearchIdKey = "placed.id";

/// Stored results of this machine, engine, model and Assay as they are now, measured as long as now.
class StoredResults {
 public:
  /// `search`: whose own results are taken as they are; "": of none.
  StoredResults(const runner::RunSettings& settings, const store::Store& store, const Context& context,
                std::string search = "");

  /// The search's own, whatever disturbed it or made it fail: else an interrupted search would never end on a machine
  /// that is busy. Any other's only where it is measured and undisturbed.
  std::optional<Outcome> find(const Case& c);
  /// Of all of these, as `find` has them, where one campaign measured them all; else empty: they are measured again.
  std::vector<Outcome> find_together(const std::vector<Case>& cases);
  /// Whether the search itself measured that, and it failed.
  bool failed_before(const Case& c);
  /// What was found, and what was not for having been disturbed, since this was asked last; "": there is nothing to
  /// say.
  std::string account();
  /// Whether an engine that was asked for by name is not here.
  bool misses_one(const BenchPlan& plan, const tune::PlaceRequest& request);

 private:
  /// `version`: "" where it is not available; `library`: the hash of its file, "" where it has none.
  struct Engine {
    std::string version, library;
  };
  struct Counts {
    std::size_t own = 0, own_disturbed = 0, others = 0, refused = 0;
    void add(const Counts& more);
  };
  /// What there is of a case, and how it counts where it is used.
  struct Lookup {
    std::optional<store::Store::Earlier> earlier;
    Counts counts;
  };

  const Engine& engine_of(const std::string& backend);
  Lookup look_up(const Case& c);
  /// What each engine of the case is now, for the environment to be the same; false where one is not here.
  bool add_engines(const Case& c, std::map<std::string, std::string>& same);
  Lookup look_up_own(const Case& c, std::map<std::string, std::string> same, bool engine_is_here) const;
  Lookup look_up_others(const Case& c, const std::map<std::string, std::string>& same) const;

  const runner::RunSettings& settings_;
  const store::Store& store_;
  const Context& context_;
  std::string search_;
  std::map<std::string, std::string> same_;  ///< environment, by key; "": the key is not there
  std::map<std::string, Engine> engines_;
  Counts counts_;  ///< since `account` was asked last
};

}  // namespace assay::cli
