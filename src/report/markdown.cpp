#include <fmt/format.h>

#include <ostream>

#include "report/exporters.hpp"
#include "report/format.hpp"
#include "report/search.hpp"

namespace assay::report {
namespace {

std::string figure(const Outcome& o, const char* tag) { return with_interval(find_metric(o, tag)); }

/// Strategies of an ensemble on one engine are told apart.
std::string backend_cell(const Outcome& o) {
  const Case& c = o.test_case;
  if (!is_ensemble(c)) return markdown_cell(name_with_options(o));
  const std::string how = c.placement.seats.empty() ? c.strategy : describe_placement(c);
  return markdown_cell(fmt::format("{} ({})", name_with_options(o), how));
}

void write_outcomes(const Campaign& campaign, std::ostream& out) {
  out << "| model | backend | version | device | for | batch | throughput, 1/s | p50, ms | p99, ms | load cold, ms | "
         "load cached, ms | peak, MiB | parity error |\n";
  out << "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const Outcome& o : campaign.outcomes) {
    const Case& c = o.test_case;
    const std::string head =
        fmt::format("| {} | {} | {} | {} | {} | {} |", markdown_cell(c.model), backend_cell(o),
                    markdown_cell(o.backend_version), markdown_cell(c.device), to_string(c.goal), batch_name(c));
    if (o.state == OutcomeState::kMeasured) {
      out << head
          << fmt::format(" {} | {} | {} | {} | {} | {} | {} |\n", figure(o, "throughput"), figure(o, "latency.p50"),
                         figure(o, "latency.p99"), figure(o, "load.cold"), figure(o, "load.cached"),
                         figure(o, "memory.peak"), figure(o, "parity.error"));
    } else {
      out << head
          << fmt::format(" {} ({}): {} | | | | | | |\n", to_string(o.state), markdown_cell(o.phase),
                         markdown_cell(o.reason));
    }
  }
}

}  // namespace

void write_markdown(const Document& d, std::ostream& out) {
  const Campaign& c = *d.campaign;
  out << fmt::format("# Assay {}\n\n`{}`\n\n", c.id, c.command);
  out << fmt::format("Assay {}, effort {}, started {}{}, seed {}, noise floor {} %. Intervals: 95 %.\n\n", c.version,
                     c.effort, c.started, c.finished.empty() ? ", not finished" : ", finished " + c.finished, c.seed,
                     number(100 * d.noise_floor));
  write_outcomes(c, out);
  out << "\n" << d.recommendation.because << "\n";
  if (!d.code.empty()) out << "\n```cpp\n" << d.code << "```\n";
  const auto search = search_of(c);
  if (search) write_search_markdown(*search, out);
  if (!c.warnings.empty()) out << "\n## Warnings\n\n";
  for (const Warning& w : c.warnings) out << fmt::format("- {}: {}; {}\n", w.kind, w.message, w.advice);
  if (!c.environment.empty()) out << "\n## Environment\n\n| | |\n| --- | --- |\n";
  for (const auto& [key, value] : c.environment) {
    if (search && key == kSearchKey) continue;  // said above
    out << fmt::format("| {} | {} |\n", markdown_cell(key), markdown_cell(value));
  }
}

}  // namespace assay::report
