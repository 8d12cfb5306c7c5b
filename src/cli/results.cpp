// assay results: what was measured before.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "cli/bench.hpp"
#include "cli/cli.hpp"
#include "report/exporters.hpp"
#include "report/format.hpp"
#include "runner/runner.hpp"
#include "store/store.hpp"

namespace assay::cli {
namespace {

constexpr std::uint64_t kMaxBundleBytes = UINT64_C(1) << 30;

std::filesystem::path results_file(const std::string& given) {
  return given.empty() ? store::default_results_file() : std::filesystem::path(given);
}

nlohmann::json list_entry(const store::CampaignSummary& c) {
  return {{"id", c.id},           {"started", c.started}, {"finished", c.finished},      {"version", c.version},
          {"command", c.command}, {"effort", c.effort},   {"planned", c.planned},        {"measured", c.measured},
          {"skipped", c.skipped}, {"failed", c.failed},   {"placed_step", c.placed_step}};
}

std::string list_line(const store::CampaignSummary& c) {
  std::string counts = fmt::format("{} of {} measured", c.measured, c.planned);
  if (c.skipped > 0) counts += fmt::format(", {} skipped", c.skipped);
  if (c.failed > 0) counts += fmt::format(", {} failed", c.failed);
  if (c.finished.empty()) counts += ", not finished";
  // The campaigns of a search have one command.
  if (!c.placed_step.empty()) counts += ", a search's " + (c.placed_step == "alone" ? "members" : c.placed_step);
  return fmt::format("{}  {}  {}  {}", c.id, c.started, c.effort, counts);
}

/// A command is on one line, as it can be copied: cut only where it would not fit the terminal.
void print_list(const std::vector<store::CampaignSummary>& campaigns, Context& context) {
  constexpr std::size_t kIndent = 2;
  const std::size_t room = context.columns > kIndent ? context.columns - kIndent : context.columns;
  bool any_cut = false;
  for (const store::CampaignSummary& c : campaigns) {
    const bool too_long = room > 0 && report::width(c.command) > room;
    any_cut = any_cut || too_long;
    *context.out << list_line(c) << "\n"
                 << std::string(kIndent, ' ') << (too_long ? report::cut(c.command, room) : c.command) << "\n";
  }
  if (any_cut) *context.out << "…: assay results show ID has the command whole\n";
}

int list(const std::string& db, bool json, Context& context) {
  const store::Store store(results_file(db), store::Store::Access::kRead);
  if (!json) {
    print_list(store.list(), context);
    return kOk;
  }
  nlohmann::json all = nlohmann::json::array();
  for (const store::CampaignSummary& c : store.list()) all.push_back(list_entry(c));
  *context.out << nlohmann::json{{"schema", 1}, {"campaigns", all}}.dump(2) << "\n";
  return kOk;
}

/// `campaign` must outlive it.
report::Document whole_document(const Campaign& campaign) {
  report::Document document = document_of(campaign);
  document.every_reason = true;
  return document;
}

int write(const std::string& db, const std::string& id, const std::string& format, const std::string& file,
          Context& context) {
  const report::Exporter& exporter = report::exporter_by_name(format);
  const Campaign campaign = store::Store(results_file(db), store::Store::Access::kRead).load(id);
  const report::Document document = whole_document(campaign);
  if (file.empty()) {
    exporter.write(document, *context.out);
    return kOk;
  }
  std::ostringstream text;
  exporter.write(document, text);
  write_file_atomically(file, text.str());
  *context.out << file << "\n";
  return kOk;
}

/// As bench printed it, with the command that was typed then.
int show(const std::string& db, const std::string& id, bool json, Context& context) {
  const Campaign campaign = store::Store(results_file(db), store::Store::Access::kRead).load(id);
  const report::Document document = whole_document(campaign);
  report::exporter_by_name(json ? "json" : "table").write(document, *context.out);
  if (!json) *context.out << fmt::format("\nCampaign {}: {}\n", campaign.id, campaign.command);
  return kOk;
}

int import(const std::string& db, const std::string& file, Context& context) {
  const Campaign campaign = report::read_bundle(read_file(file, kMaxBundleBytes), file);
  store::Store store(results_file(db));
  const bool added = store.import(campaign);
  *context.out << fmt::format("{} {} {}\n", campaign.id, added ? "is now in" : "was there already, in",
                              store.file().string());
  return kOk;
}

struct Options {
  std::string db, id, format, file;
  bool json = false;
};

void add_db(CLI::App* command, const std::shared_ptr<Options>& o) {
  command->add_option("--db", o->db, "the results file (or ASSAY_DB)");
}

}  // namespace

void add_results(CLI::App& app, Action& action) {
  CLI::App* results = app.add_subcommand("results", "what was measured before: list, show, export, import");
  results->footer(
      "ID is a campaign's id or its beginning; without one, the newest.\n"
      "Examples:\n  assay results show\n  assay results export 1a2b --format csv -o r.csv\n"
      "  assay results export 1a2b --format bundle -o r.json     for another machine\n"
      "  assay results import r.json");
  results->require_subcommand(1);
  const auto o = std::make_shared<Options>();

  CLI::App* list_command = results->add_subcommand("list", "all campaigns, the newest first");
  add_db(list_command, o);
  list_command->add_flag("--json", o->json, "as JSON");
  list_command->callback([&action, o] { action = [o](Context& c) { return list(o->db, o->json, c); }; });

  CLI::App* show_command = results->add_subcommand("show", "a campaign as bench printed it");
  add_db(show_command, o);
  show_command->add_option("ID", o->id, "of the campaign");
  show_command->add_flag("--json", o->json, "as JSON");
  show_command->callback([&action, o] { action = [o](Context& c) { return show(o->db, o->id, o->json, c); }; });

  CLI::App* export_command = results->add_subcommand("export", "a campaign as a file");
  add_db(export_command, o);
  export_command->add_option("ID", o->id, "of the campaign");
  export_command->add_option("--format", o->format, "csv, json, md, bundle or table")->required();
  export_command->add_option("-o,--output", o->file, "the file; without it, standard output");
  export_command->callback(
      [&action, o] { action = [o](Context& c) { return write(o->db, o->id, o->format, o->file, c); }; });

  CLI::App* import_command = results->add_subcommand("import", "a bundle into the results file");
  add_db(import_command, o);
  import_command->add_option("FILE", o->file, "a bundle")->required();
  import_command->callback([&action, o] { action = [o](Context& c) { return import(o->db, o->file, c); }; });
}

}  // namespace assay::cli
