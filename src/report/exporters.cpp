#include "report/exporters.hpp"

#include <array>

#include "assay/error.hpp"

namespace assay::report {

std::span<const Exporter> exporters() {
  static constexpr std::array kTable = {
      Exporter{"table", "the table that bench prints", write_console},
      Exporter{"md", "Markdown, to put into a report", write_markdown},
      Exporter{"csv", "one line a metric", write_csv},
      Exporter{"json", "what bench --json prints", write_json},
      Exporter{"bundle", "everything, samples and environment too: `assay results import` reads it", write_bundle},
  };
  return kTable;
}

const Exporter& exporter_by_name(const std::string& name) {
  std::string names;
  for (const Exporter& exporter : exporters()) {
    if (name == exporter.name) return exporter;
    names += (names.empty() ? "" : ", ") + std::string(exporter.name);
  }
  throw Error(ErrorCode::kInvalidArgument, "there is no format '" + name + "'; there are " + names);
}

}  // namespace assay::report
