#pragma once
// Renderings of a campaign. A new one is a file, a line in exporters.cpp, and a golden file.

#include <iosfwd>
#include <span>
#include <string>

#include "core/campaign.hpp"

namespace assay::report {

/// What is rendered.
struct Document {
  const Campaign* campaign = nullptr;
  Recommendation recommendation;
  double noise_floor = 0.03;  ///< relative
  bool every_reason = false;  ///< the console's list of reasons is not cut
  std::string code{};         ///< the C++ that loads what came out first of a search, in lines; "": none did
};

/// Version of the JSON forms.
inline constexpr int kJsonSchema = 1;

struct Exporter {
  const char* name;     ///< "csv"
  const char* meaning;  ///< one line
  void (*write)(const Document& document, std::ostream& out);
};

std::span<const Exporter> exporters();
/// Throws Error(kInvalidArgument) listing the names.
const Exporter& exporter_by_name(const std::string& name);

void write_console(const Document& document, std::ostream& out);  ///< fits 80 columns
void write_markdown(const Document& document, std::ostream& out);
void write_csv(const Document& document, std::ostream& out);     ///< one line a metric
void write_json(const Document& document, std::ostream& out);    ///< as docs/results-schema.md
void write_bundle(const Document& document, std::ostream& out);  ///< everything; `results import` reads it

/// The campaign of a bundle. Throws Error(kInvalidArgument) with `context`.
Campaign read_bundle(const std::string& text, const std::string& context);

}  // namespace assay::report
