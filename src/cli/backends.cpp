// assay backends: what is here, and why the rest is not.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "assay/error.hpp"
#include "backend/backend.hpp"
#include "backend/left_out.hpp"
#include "cli/cli.hpp"
#include "report/format.hpp"
#include "runner/probe.hpp"

namespace assay::cli {
namespace {

struct Row {
  std::string name;
  runner::ProbeAnswer answer;
  std::vector<backend::Option> options;
};

/// Options are the plugin's own: asked here, without the framework. One that cannot be loaded says why in its row.
void ask_options(Row& row) {
  try {
    row.options = backend::load_backend(row.name).options();
  } catch (const Error& e) {
    row.answer.available = false;
    if (row.answer.reason.empty()) row.answer.reason = e.what();
  }
}

/// Each in a worker of its own, since frameworks do not share a process; all at once, since they take their time. What
/// this build left out comes last.
std::vector<Row> ask_all(Context& context) {
  std::vector<Row> rows;
  const std::vector<std::string> names = context.backend_names();
  for (const std::string& name : names) rows.push_back({name, {}, {}});
  std::vector<std::thread> threads;
  for (Row& row : rows) {
    threads.emplace_back([&] { row.answer = runner::probe_backend(row.name, {}, *context.launcher, *context.stop); });
  }
  for (std::thread& thread : threads) thread.join();
  for (Row& row : rows) ask_options(row);
  for (const backend::Optional* o : backend::left_out(names)) {
    rows.push_back({std::string(o->name), {}, {}});
    rows.back().answer.reason = backend::why_left_out(*o);
  }
  return rows;
}

std::string type_text(const backend::Option& o) {
  switch (o.type) {
    case ASSAY_OPTION_BOOL:
      return "true|false";
    case ASSAY_OPTION_INT:
      return fmt::format("{:.0f}..{:.0f}", o.minimum, o.maximum);
    case ASSAY_OPTION_REAL:
      return fmt::format("{:g}..{:g}", o.minimum, o.maximum);
    case ASSAY_OPTION_CHOICE:
      return fmt::format("{}", fmt::join(o.choices, "|"));
    case ASSAY_OPTION_LIST:
      return fmt::format("list of {}", fmt::join(o.choices, ", "));
    default:
      return "text";
  }
}

nlohmann::json to_json(const Row& row) {
  nlohmann::json devices = nlohmann::json::array();
  for (const auto& d : row.answer.devices) devices.push_back({{"name", d.name}, {"description", d.description}});
  nlohmann::json options = nlohmann::json::array();
  for (const backend::Option& o : row.options) {
    options.push_back(
        {{"name", o.name}, {"values", type_text(o)}, {"default", o.default_value}, {"meaning", o.meaning}});
  }
  return {{"name", row.name},
          {"available", row.answer.available},
          {"reason", row.answer.reason},
          {"version", row.answer.version},
          {"library", row.answer.library},
          {"origin", row.answer.origin},
          {"devices", devices},
          {"absent", row.answer.absent},
          {"options", options}};
}

void print(const Row& row, bool verbose, std::ostream& out) {
  constexpr std::size_t kName = 13;
  std::string devices;
  for (const auto& d : row.answer.devices) {
    devices += (devices.empty() ? "" : ", ") + d.name;
    if (!d.description.empty()) devices += " (" + d.description + ")";
  }
  const std::string state = row.answer.available
                                ? fmt::format("available: {} · {} · {}", row.answer.version, devices, row.answer.origin)
                                : fmt::format("not available: {}", row.answer.reason);
  out << report::hang(row.name, state, kName, report::kColumns) << "\n";
  if (!verbose) return;
  if (!row.answer.library.empty()) out << "  library: " << row.answer.library << "\n";
  if (!row.answer.absent.empty()) out << report::wrap("  " + row.answer.absent, report::kColumns, 6) << "\n";
  for (const backend::Option& o : row.options) {
    out << report::wrap(fmt::format("  {} = {} [{}] {}", o.name, o.default_value.empty() ? "\"\"" : o.default_value,
                                    type_text(o), o.meaning),
                        report::kColumns, 6)
        << "\n";
  }
  out << "\n";
}

int backends(bool verbose, bool json, Context& context) {
  const std::vector<Row> rows = ask_all(context);
  if (json) {
    nlohmann::json j = {{"schema", 1}, {"backends", nlohmann::json::array()}};
    for (const Row& row : rows) j["backends"].push_back(to_json(row));
    *context.out << j.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return kOk;
  }
  for (const Row& row : rows) print(row, verbose, *context.out);
  if (!verbose) *context.out << "\nOptions of each: assay backends -v. To fetch one: assay setup BACKEND\n";
  return kOk;
}

}  // namespace

void add_backends(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("backends", "engines, their versions and devices, or why they are not here");
  command->footer("Example:\n  assay backends -v     every option of every engine, with range and default");
  struct Options {
    bool verbose = false, json = false;
  };
  const auto o = std::make_shared<Options>();
  command->add_flag("-v,--verbose", o->verbose, "every option with range, default and meaning");
  command->add_flag("--json", o->json, "as JSON");
  command->callback(
      [&action, o] { action = [o](Context& context) { return backends(o->verbose, o->json, context); }; });
}

}  // namespace assay::cli
