#pragma once

#include <iosfwd>

#include "core/search.hpp"

namespace assay::report {

/// What members cost each other, and the plans predicted; fits 80 columns.
void write_search(const PlacedSearch& search, std::ostream& out);
/// The same as a section of its own.
void write_search_markdown(const PlacedSearch& search, std::ostream& out);

}  // namespace assay::report
