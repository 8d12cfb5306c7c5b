#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ostream>

#include "report/exporters.hpp"
#include "report/format.hpp"

namespace assay::report {
namespace {

/// RFC 4180: quoted where it must be, quotes doubled.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + "\"";
}

std::string field(const std::optional<double>& value) { return value ? fmt::format("{}", *value) : ""; }

std::string options_text(const std::map<std::string, std::string>& options) {
  std::string text;
  for (const auto& [key, value] : options) text += (text.empty() ? "" : ";") + key + "=" + value;
  return text;
}

/// What was added last: the engine's variant, and of an ensemble how its members answer together and where a search put
/// them.
std::string last_fields(const Outcome& o) {
  const Case& c = o.test_case;
  const auto variant = o.in_force.find(kVariant);
  return fmt::format("{},{},{},{}", variant == o.in_force.end() ? "" : field(variant->second),
                     is_ensemble(c) ? field(c.combine) : "", fmt::join(c.weights, ";"),
                     c.placement.seats.empty() ? "" : field(describe_placement(c)));
}

std::string case_fields(const Campaign& campaign, const Outcome& o) {
  const Case& c = o.test_case;
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", field(campaign.id), field(c.model),
                     field(c.backend), field(o.backend_version), field(c.device), to_string(c.goal), batch_name(c),
                     c.in_flight == 0 ? "auto" : std::to_string(c.in_flight), c.threads, to_string(c.precision),
                     field(c.strategy), field(options_text(c.options)), to_string(o.state), field(o.phase),
                     field(o.reason));
}

}  // namespace

void write_csv(const Document& d, std::ostream& out) {
  out << "campaign,model,backend,backend_version,device,for,batch_size,in_flight,threads,precision,strategy,options,"
         "state,phase,reason,tag,unit,value,low,high,n,remark,variant,combine,weights,placement\r\n";
  for (const Outcome& o : d.campaign->outcomes) {
    const std::string head = case_fields(*d.campaign, o);
    const std::string tail = last_fields(o);
    if (o.metrics.empty()) out << head << ",,,,,,,," << tail << "\r\n";
    for (const Metric& m : o.metrics) {
      out << head << ","
          << fmt::format("{},{},{},{},{},{},{},{}", field(m.tag), field(m.unit), field(m.value), field(m.low),
                         field(m.high), m.n, field(m.remark), tail)
          << "\r\n";
    }
  }
}

}  // namespace assay::report
