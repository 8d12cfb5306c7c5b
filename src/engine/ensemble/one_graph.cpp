#include "engine/ensemble/one_graph.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/ensemble/member_error.hpp"

namespace assay::engine {

OneGraph::OneGraph(const std::vector<std::string>& members, std::vector<MemberNote> notes)
    : names_(fmt::format("'{}'", fmt::join(members, "', '"))), notes_(std::move(notes)) {}

Error OneGraph::error() const {
  const Error e = caught_error();
  return {e.code(), fmt::format("members {} in one graph: {}", names_, e.message()), e.context()};
}

}  // namespace assay::engine
