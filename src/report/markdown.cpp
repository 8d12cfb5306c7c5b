#include <fmt/format.h>

#include <ostream>

#include "report/exporters.hpp"
#include "report/format.hpp"

namespace assay::report {
namespace {

/// A cell holds no line break, and a bar only escaped.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += "\\";
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

std::string figure(const Outcome& o, const char* tag) { return with_interval(find_metric(o, tag)); }

void write_outcomes(const Campaign& campaign, std::ostream& out) {
  out << "| model | backend | version | device | for | batch | throughput, 1/s | p50, ms | p99, ms | load cold, ms | "
         "load cached, ms | peak, MiB | parity error |\n";
  out << "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const Outcome& o : campaign.outcomes) {
    const Case& c = o.test_case;
    const std::string head = fmt::format("| {} | {} | {} | {} | {} | {} |", cell(c.model), cell(c.backend),
                                         cell(o.backend_version), cell(c.device), to_string(c.goal), batch_name(c));
    if (o.state == OutcomeState::kMeasured) {
      out << head
          << fmt::format(" {} | {} | {} | {} | {} | {} | {} |\n", figure(o, "throughput"), figure(o, "latency.p50"),
                         figure(o, "latency.p99"), figure(o, "load.cold"), figure(o, "load.cached"),
                         figure(o, "memory.peak"), figure(o, "parity.error"));
    } else {
      out << head << fmt::format(" {} ({}): {} | | | | | | |\n", to_string(o.state), cell(o.phase), cell(o.reason));
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
  if (!c.warnings.empty()) out << "\n## Warnings\n\n";
  for (const Warning& w : c.warnings) out << fmt::format("- {}: {}; {}\n", w.kind, w.message, w.advice);
  if (!c.environment.empty()) out << "\n## Environment\n\n| | |\n| --- | --- |\n";
  for (const auto& [key, value] : c.environment) out << fmt::format("| {} | {} |\n", cell(key), cell(value));
}

}  // namespace assay::report
