#include <fnmatch.h>

#include <algorithm>
#include <istream>
#include <sstream>
#include <stdexcept>

#include "conformance/limit_lines.hpp"
#include "conformance/node_tests.hpp"

namespace assay::conformance {

bool NodeLimit::matches(const std::string& test) const { return ::fnmatch(pattern.c_str(), test.c_str(), 0) == 0; }

std::vector<NodeLimit> node_limits(std::istream& text, const std::string& device) {
  std::vector<NodeLimit> limits;
  for (const LimitLine& line : limit_lines(text, device)) limits.push_back({line.name, line.reason});
  return limits;
}

std::string NodeVerdict::add(const std::string& test, const NodeOutcome& outcome) {
  if (outcome.kind == NodeOutcome::Kind::kSkipped) {
    ++skipped;
    return "skipped";
  }
  const NodeLimit* limit = nullptr;
  for (const NodeLimit& l : limits_) {
    if (!l.matches(test)) continue;
    met_.insert(l.pattern);
    limit = limit == nullptr ? &l : limit;
  }
  const bool passes = outcome.kind == NodeOutcome::Kind::kPassed;
  const bool elsewhere = outcome.kind == NodeOutcome::Kind::kFellBack;
  fell_back += elsewhere ? 1 : 0;
  if (limit == nullptr) {
    if (passes) {
      ++passed;
      return "passed";
    }
    failures_.push_back(test + ": " + (elsewhere ? "fell back: " : "") + outcome.why);
    return elsewhere ? "FELL BACK" : "FAILED";
  }
  if (!passes) {
    ++known;
    return "known";
  }
  failures_.push_back(test + ": unexpected pass, node_tests.txt says '" + limit->pattern + ": " + limit->reason +
                      "'. Take the line out, or make its pattern narrower");
  return "UNEXPECTED PASS";
}

void NodeVerdict::find_idle_limits(const std::vector<std::string>& elsewhere) {
  for (const NodeLimit& l : limits_) {
    const auto matches = [&](const std::string& test) { return l.matches(test); };
    if (met_.contains(l.pattern) || std::any_of(elsewhere.begin(), elsewhere.end(), matches)) continue;
    failures_.push_back(l.pattern + ": no test that ran has this name. Take the line out");
  }
}

std::optional<NodePart> node_part(const std::string& text) {
  NodePart part;
  std::istringstream in(text);
  char slash = 0;
  if (!(in >> part.number >> slash >> part.of) || slash != '/' || !in.eof()) return std::nullopt;
  if (part.number < 1 || part.number > part.of) return std::nullopt;
  return part;
}

}  // namespace assay::conformance
