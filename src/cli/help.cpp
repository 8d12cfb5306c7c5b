#include "cli/help.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/suggest.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

constexpr std::size_t kNameColumns = 22;

/// CLI11's, which breaks no line by itself. Footers stay as they were written: examples keep their columns.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return entry(make_option_name(option, is_positional) + make_option_opts(option), make_option_desc(option));
  }
  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_display_name(true), command->get_description());
  }
  std::string make_description(const CLI::App* app) const override {
    return report::wrap(app->get_description(), report::kColumns) + "\n";
  }

 private:
  static std::string entry(const std::string& name, const std::string& text) {
    const std::string label = "  " + name;
    if (report::width(label) < kNameColumns) return report::hang(label, text, kNameColumns, report::kColumns) + "\n";
    return label + "\n" + report::hang("", text, kNameColumns, report::kColumns) + "\n";
  }
};

/// The subcommand that was reached: what it left over is what nobody knows.
const CLI::App* reached(const CLI::App* app) {
  for (auto chosen = app->get_subcommands(); !chosen.empty(); chosen = app->get_subcommands()) app = chosen.front();
  return app;
}

std::string full_name(const CLI::App* app) {
  const CLI::App* parent = app->get_parent();
  return parent == nullptr ? app->get_name() : full_name(parent) + " " + app->get_name();
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

}  // namespace

void set_help_format(CLI::App& app) { app.formatter(std::make_shared<HelpFormatter>()); }

std::string unknown_word(const CLI::App& app) {
  const CLI::App* at = reached(&app);
  const std::vector<std::string> left = at->remaining();
  if (left.empty()) return {};
  const std::string command = full_name(at);
  const std::string word = left.front().substr(0, left.front().find('='));
  if (word.starts_with('-')) {
    const std::vector<std::string> names = option_names(*at);
    const bool near = !near_names(word, names).empty();  // all of them would be a wall of text
    return fmt::format("there is no option '{}' of '{}'; {}", word, command,
                       near ? name_advice(word, names) : fmt::format("{} --help lists them", command));
  }
  const std::vector<std::string> names = subcommand_names(*at);
  if (names.empty())
    return fmt::format("'{}' is one argument too many for '{}'; see {} --help", word, command, command);
  return fmt::format("there is no command '{} {}'; {}", command, word, name_advice(word, names));
}

}  // namespace assay::cli
