// assay cache: optimized graphs and the like that were kept, so that loading is fast.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>
#include <system_error>
#include <vector>

#include "assay/assay.hpp"
#include "assay/error.hpp"
#include "cli/cache_rows.hpp"
#include "cli/cli.hpp"
#include "engine/graph_cache.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

std::filesystem::path folder_of(const std::string& given) {
  return given.empty() ? default_cache_folder() : std::filesystem::path(given);
}

/// What a cache folder is known by; docs/adr/0002.
constexpr std::array kFolders = {"costs", "graphs", "hashes", "references", "verified", "zoo"};

/// Files beside the graphs, which are made again where they are missing.
struct KeptFiles {
  const char* folder;
  const char* extension;
  const char* plural;
};
constexpr std::array kKept = {KeptFiles{"references", ".reference", "reference answers"},
                              KeptFiles{"costs", ".costs", "ensembles' measured costs"}};

/// Throws Error(kInvalidArgument) where the folder holds things, and none of a cache's. The user's own may not be there
/// yet.
void require_cache(const std::string& given) {
  const std::filesystem::path folder = folder_of(given);
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) {
    if (given.empty()) return;
    throw Error(ErrorCode::kInvalidArgument, "there is no such folder; give that of --cache, or of ASSAY_CACHE", given);
  }
  const bool known = std::any_of(kFolders.begin(), kFolders.end(), [&](const char* name) {
    std::error_code ignored;
    return std::filesystem::is_directory(folder / name, ignored);
  });
  if (known || (std::filesystem::is_directory(folder, error) && std::filesystem::is_empty(folder, error))) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("this is no cache of Assay: it has none of the folders {}; give that of --cache, or of "
                          "ASSAY_CACHE",
                          fmt::join(kFolders, ", ")),
              folder.string());
}

std::vector<std::filesystem::directory_entry> files_of(const KeptFiles& kind, const std::filesystem::path& cache) {
  std::vector<std::filesystem::directory_entry> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(cache / kind.folder, error)) {
    if (entry.path().extension() == kind.extension) files.push_back(entry);
  }
  return files;
}

double bytes_of(const std::vector<std::filesystem::directory_entry>& files) {
  double bytes = 0;
  for (const auto& file : files) {
    std::error_code error;
    const auto size = file.file_size(error);
    if (!error) bytes += static_cast<double>(size);
  }
  return bytes;
}

int list(const std::string& folder, bool json, Context& context) {
  require_cache(folder);
  const auto graphs = engine::list_graphs(folder_of(folder));
  const auto unfinished = engine::list_unfinished(folder_of(folder));
  if (json) {
    nlohmann::json all = nlohmann::json::array();
    for (const auto& g : graphs) {
      all.push_back({{"key", g.key},
                     {"bytes", g.bytes},
                     {"last_used", static_cast<std::int64_t>(g.last_used)},
                     {"in_use", g.in_use},
                     {"made_from", g.parts}});
    }
    nlohmann::json others = nlohmann::json::array();
    for (const auto& g : unfinished) {
      others.push_back({{"bytes", g.bytes},
                        {"since", static_cast<std::int64_t>(g.since)},
                        {"being_filled", g.being_filled},
                        {"made_from", g.parts}});
    }
    *context.out << nlohmann::json{{"schema", 1},
                                   {"folder", folder_of(folder).string()},
                                   {"graphs", all},
                                   {"unfinished", others}}
                        .dump(2)
                 << "\n";
    return kOk;
  }
  double total = 0;
  for (const auto& g : graphs) total += static_cast<double>(g.bytes);
  const std::time_t now = std::time(nullptr);
  for (const std::string& row : rows_of(graphs, now)) *context.out << row << "\n";
  for (const std::string& row : rows_of(unfinished, now)) *context.out << row << "\n";
  *context.out << report::wrap(
                      fmt::format("{} graphs, {:.1f} MiB of at most {:.0f} in {}", graphs.size(), total / kMiB,
                                  static_cast<double>(engine::cache_limit()) / kMiB, folder_of(folder).string()),
                      report::kColumns, 2)
               << "\n";
  for (const KeptFiles& kind : kKept) {
    const auto files = files_of(kind, folder_of(folder));
    if (files.empty()) continue;
    *context.out << fmt::format("{} {}, {:.1f} MiB\n", files.size(), kind.plural, bytes_of(files) / kMiB);
  }
  return kOk;
}

int verify(const std::string& folder, Context& context) {
  require_cache(folder);
  const auto count = engine::list_graphs(folder_of(folder)).size();
  const auto findings = engine::verify_graphs(folder_of(folder));
  for (const auto& f : findings) {
    *context.out << fmt::format("{}: {}{}\n", f.key.substr(0, 12), f.what, f.removed ? "; removed" : "; not removed");
  }
  *context.out << fmt::format("{} graphs, {} damaged\n", count, findings.size());
  return findings.empty() ? kOk : kFailed;
}

void remove_files(const KeptFiles& kind, const std::filesystem::path& cache, Context& context) {
  const auto files = files_of(kind, cache);
  const double freed = bytes_of(files);
  for (const auto& file : files) {
    if (std::error_code error; !std::filesystem::remove(file.path(), error) && error) {
      throw Error(ErrorCode::kIo, "a file of the cache could not be removed: " + error.message(), file.path().string());
    }
  }
  if (files.empty()) return;
  *context.out << fmt::format("{} {} removed, {:.1f} MiB freed\n", files.size(), kind.plural, freed / kMiB);
}

int clear(const std::string& folder, Context& context) {
  require_cache(folder);
  const engine::Cleared cleared = engine::clear_graphs(folder_of(folder));
  *context.out << fmt::format("{} graphs removed, {:.1f} MiB freed{}\n", cleared.removed,
                              static_cast<double>(cleared.bytes) / kMiB,
                              cleared.in_use > 0 ? fmt::format("; {} are in use and stay", cleared.in_use) : "");
  if (cleared.unfinished.removed > 0) {
    *context.out << fmt::format("{} unfinished ones of processes that are gone removed, {:.1f} MiB freed\n",
                                cleared.unfinished.removed, static_cast<double>(cleared.unfinished.bytes) / kMiB);
  }
  for (const KeptFiles& kind : kKept) remove_files(kind, folder_of(folder), context);
  return kOk;
}

}  // namespace

void add_cache(CLI::App& app, Action& action) {
  CLI::App* cache = app.add_subcommand("cache", "graphs, answers and costs that were kept: list, verify, clear");
  cache->footer(
      "In $ASSAY_CACHE or ~/.cache/assay. Graphs are those that engines optimized, and\n"
      "those that --strategy merged made; ASSAY_CACHE_LIMIT bounds them together.\n"
      "Answers are references that engines are compared with; costs divide the threads\n"
      "of --strategy concurrent. Both are made again where they are missing.");
  cache->require_subcommand(1);
  struct Options {
    std::string folder;
    bool json = false;
  };
  const auto o = std::make_shared<Options>();
  CLI::App* list_command = cache->add_subcommand("list", "what is kept, the last used first, and what is being filled");
  list_command->add_flag("--json", o->json, "as JSON");
  list_command->callback([&action, o] { action = [o](Context& c) { return list(o->folder, o->json, c); }; });
  CLI::App* verify_command = cache->add_subcommand("verify", "compare every checksum; what is damaged is removed");
  verify_command->callback([&action, o] { action = [o](Context& c) { return verify(o->folder, c); }; });
  CLI::App* clear_command = cache->add_subcommand("clear", "remove all that is not in use or being filled");
  clear_command->callback([&action, o] { action = [o](Context& c) { return clear(o->folder, c); }; });
  for (CLI::App* command : {list_command, verify_command, clear_command}) {
    command->add_option("--cache", o->folder, "DIR: another folder than the user's");
  }
}

}  // namespace assay::cli
