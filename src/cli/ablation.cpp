#include "cli/ablation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "assay/error.hpp"
#include "backend/backend.hpp"
#include "base/suggest.hpp"

namespace assay::cli {
namespace {

/// The values to try of an option but its default: of a list, nothing and each element alone. Empty for numbers and
/// text.
std::vector<std::string> other_values(const backend::Option& option) {
  std::vector<std::string> values = option.choices;
  if (option.type == ASSAY_OPTION_BOOL) values = {"true", "false"};
  if (option.type == ASSAY_OPTION_LIST) values.insert(values.begin(), "");
  std::erase(values, option.default_value);
  return values;
}

/// "all", "NAME" or "BACKEND.NAME".
bool names(const std::string& chosen, const std::string& backend, const backend::Option& option) {
  return chosen == "all" || chosen == option.name || chosen == backend + "." + option.name;
}

void check_chosen(const std::vector<Case>& cases, const std::vector<std::string>& chosen) {
  std::set<std::string> backends;
  for (const Case& c : cases) backends.insert(c.backend);
  for (const std::string& name : chosen) {
    std::vector<std::string> known;
    bool found = name == "all", listed = found;
    for (const std::string& backend : backends) {
      const backend::Backend plugin = backend::load_backend(backend);
      for (const backend::Option& option : plugin.options()) {
        known.push_back(option.name);
        if (!names(name, backend, option)) continue;
        found = true;
        listed = listed || !other_values(option).empty();
      }
    }
    if (!found) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("--ablate: no engine here has an option '{}'; {}", name, name_advice(name, known)));
    }
    if (!listed) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("--ablate: '{}' is a number or a text, with no list of values to try: name the values "
                              "with --option, a run for each",
                              name));
    }
  }
}

}  // namespace

std::vector<Case> ablated(const std::vector<Case>& cases, const std::vector<std::string>& chosen) {
  if (chosen.empty()) return cases;
  check_chosen(cases, chosen);
  std::vector<Case> all;
  for (const Case& base : cases) {
    all.push_back(base);
    const backend::Backend plugin = backend::load_backend(base.backend);
    for (const backend::Option& option : plugin.options()) {
      const bool wanted = std::any_of(chosen.begin(), chosen.end(),
                                      [&](const std::string& name) { return names(name, base.backend, option); });
      if (!wanted || base.options.contains(option.name)) continue;
      for (const std::string& value : other_values(option)) {
        Case other = base;
        other.options[option.name] = value;
        all.push_back(std::move(other));
      }
    }
  }
  return all;
}

}  // namespace assay::cli
