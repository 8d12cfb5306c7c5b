#include "parse_issues.hpp"

#include <algorithm>

namespace assay::tensorrt {
namespace {

// Numbers of nvonnxparser::ErrorCode.
constexpr int kMemAllocFailed = 2;
constexpr int kModelDeserializeFailed = 3;
constexpr int kInvalidGraph = 5;
// Told of a node that TensorRT's network refuses, too: in a model that the host has read, it is that.
constexpr int kInvalidNode = 6;
constexpr int kUnsupportedNodeShape = 13;

constexpr std::size_t kMostText = 160;  // of what is said of one node

bool has_kind(const std::vector<ParseIssue>& issues, IssueKind kind) {
  return std::any_of(issues.begin(), issues.end(), [&](const ParseIssue& issue) { return issue.kind == kind; });
}

/// The parser's own words, and those of TensorRT's that follow on lines of their own.
std::string in_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) line += c == '\n' ? std::string(": ") : std::string(1, c);
  if (line.size() > kMostText) line = line.substr(0, kMostText) + "…";
  return line;
}

/// "Conv 'conv1' (why)"
std::string label(const ParseIssue& issue) {
  std::string text = issue.type;
  if (!issue.name.empty()) text += (text.empty() ? "'" : " '") + issue.name + "'";
  if (text.empty() && issue.node >= 0) text = "node " + std::to_string(issue.node);
  const std::string why = in_one_line(issue.text);
  if (text.empty()) return why.empty() ? "no reason was given" : why;
  return why.empty() ? text : text + " (" + why + ")";
}

std::string heading(const std::vector<ParseIssue>& issues) {
  const auto nodes = std::count_if(issues.begin(), issues.end(), [](const ParseIssue& issue) {
    return issue.kind == IssueKind::kUnsupported && issue.node >= 0;
  });
  if (nodes == 0) return "";
  return nodes == 1 ? "1 node is not supported: " : std::to_string(nodes) + " nodes are not supported: ";
}

}  // namespace

IssueKind kind_of(int code) {
  if (code == kMemAllocFailed) return IssueKind::kMemory;
  if (code >= kModelDeserializeFailed && code <= kInvalidGraph) return IssueKind::kInvalid;
  if (code >= kInvalidNode && code <= kUnsupportedNodeShape) return IssueKind::kUnsupported;
  return IssueKind::kInternal;
}

void add_unknown(std::vector<ParseIssue>& issues, const std::vector<ParseIssue>& more) {
  for (const ParseIssue& issue : more) {
    const bool known = std::any_of(issues.begin(), issues.end(), [&](const ParseIssue& k) {
      return issue.node >= 0 ? k.node == issue.node : k.text == issue.text;
    });
    if (!known) issues.push_back(issue);
  }
}

assay_status status_of(const std::vector<ParseIssue>& issues) {
  if (has_kind(issues, IssueKind::kMemory)) return ASSAY_OUT_OF_MEMORY;
  if (has_kind(issues, IssueKind::kUnsupported)) return ASSAY_UNSUPPORTED;
  if (has_kind(issues, IssueKind::kInvalid)) return ASSAY_INVALID_MODEL;
  return ASSAY_FRAMEWORK;
}

std::string describe(const std::vector<ParseIssue>& issues, std::size_t most) {
  if (issues.empty()) return "the parser gave no reason";
  std::string text = heading(issues);
  for (std::size_t i = 0; i < std::min(most, issues.size()); ++i) text += (i == 0 ? "" : "; ") + label(issues[i]);
  if (issues.size() > most) text += "; and " + std::to_string(issues.size() - most) + " more, which the log tells";
  return text;
}

}  // namespace assay::tensorrt
