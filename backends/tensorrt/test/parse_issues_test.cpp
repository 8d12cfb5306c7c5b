// What the parser found, as one status and one message.
#include "parse_issues.hpp"

#include <NvOnnxParser.h>
#include <gmock/gmock.h>

namespace assay::tensorrt {
namespace {

using testing::HasSubstr;
using testing::Not;

ParseIssue unsupported(int node, const std::string& type, const std::string& name, const std::string& text = "") {
  return {IssueKind::kUnsupported, node, name, type, text};
}

TEST(Issues, AreOfTheKindThatTheParsersCodeSays) {
  using nvonnxparser::ErrorCode;
  struct Row {
    ErrorCode code;
    IssueKind kind;
  };
  const Row rows[] = {
      {ErrorCode::kINTERNAL_ERROR, IssueKind::kInternal},
      {ErrorCode::kMEM_ALLOC_FAILED, IssueKind::kMemory},
      {ErrorCode::kMODEL_DESERIALIZE_FAILED, IssueKind::kInvalid},
      {ErrorCode::kINVALID_VALUE, IssueKind::kInvalid},
      {ErrorCode::kINVALID_GRAPH, IssueKind::kInvalid},
      {ErrorCode::kINVALID_NODE, IssueKind::kUnsupported},
      {ErrorCode::kUNSUPPORTED_GRAPH, IssueKind::kUnsupported},
      {ErrorCode::kUNSUPPORTED_NODE, IssueKind::kUnsupported},
      {ErrorCode::kUNSUPPORTED_NODE_ATTR, IssueKind::kUnsupported},
      {ErrorCode::kUNSUPPORTED_NODE_SHAPE, IssueKind::kUnsupported},
      {ErrorCode::kREFIT_FAILED, IssueKind::kInternal},
  };
  for (const Row& row : rows) EXPECT_EQ(kind_of(static_cast<int>(row.code)), row.kind) << static_cast<int>(row.code);
}

TEST(Issues, TogetherHaveOneStatus) {
  const ParseIssue memory{IssueKind::kMemory, -1, "", "", ""}, invalid{IssueKind::kInvalid, 0, "", "", ""},
      internal{IssueKind::kInternal, -1, "", "", ""}, node = unsupported(1, "Foo", "a");
  struct Row {
    std::vector<ParseIssue> issues;
    assay_status status;
  };
  const Row rows[] = {{{}, ASSAY_FRAMEWORK},
                      {{internal}, ASSAY_FRAMEWORK},
                      {{internal, invalid}, ASSAY_INVALID_MODEL},
                      {{invalid, node}, ASSAY_UNSUPPORTED},
                      {{node, memory}, ASSAY_OUT_OF_MEMORY}};
  for (const Row& row : rows) EXPECT_EQ(status_of(row.issues), row.status);
}

TEST(Issues, NameEveryNodeOnce) {
  std::vector<ParseIssue> issues = {unsupported(3, "Foo", "a", "no importer\nmore words")};
  add_unknown(issues, {unsupported(3, "Foo", "a", "said again"), unsupported(5, "Bar", "b"), unsupported(9, "", "")});
  EXPECT_EQ(describe(issues, 10), "3 nodes are not supported: Foo 'a' (no importer: more words); Bar 'b'; node 9");
}

TEST(Issues, WithoutANodeAreTheirText) {
  std::vector<ParseIssue> issues = {{IssueKind::kInvalid, -1, "", "", "Failed to parse the ONNX model."}};
  add_unknown(issues, issues);
  EXPECT_EQ(describe(issues, 10), "Failed to parse the ONNX model.");
  EXPECT_EQ(describe({}, 10), "the parser gave no reason");
  EXPECT_EQ(describe({unsupported(0, "Foo", "a")}, 10), "1 node is not supported: Foo 'a'");
}

TEST(Issues, InGreatNumberAreCountedAndLongTextsCut) {
  std::vector<ParseIssue> issues;
  for (int i = 0; i < 30; ++i) issues.push_back(unsupported(i, "Foo", "n" + std::to_string(i), std::string(500, 'x')));
  const std::string text = describe(issues, 10);
  EXPECT_THAT(text, HasSubstr("30 nodes are not supported: Foo 'n0'"));
  EXPECT_THAT(text, HasSubstr("and 20 more"));
  EXPECT_THAT(text, Not(HasSubstr("n10'")));
  EXPECT_LT(text.size(), 2000U);
}

}  // namespace
}  // namespace assay::tensorrt
