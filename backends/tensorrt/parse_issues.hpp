#pragma once
// What the ONNX parser found wrong with a model, as one status and one message. Pure.

#include <string>
#include <vector>

#include "assay/backend_abi.h"

namespace assay::tensorrt {

/// Kinds of nvonnxparser::ErrorCode.
enum class IssueKind { kInternal, kMemory, kInvalid, kUnsupported };

struct ParseIssue {
  IssueKind kind = IssueKind::kInternal;
  int node = -1;           ///< its place in the model; -1: none of one node
  std::string name, type;  ///< of the node: "conv1", "Conv"
  std::string text;
};

/// By the number of nvonnxparser::ErrorCode.
IssueKind kind_of(int code);

/// Adds those of `more` that tell of nodes which `issues` does not.
void add_unknown(std::vector<ParseIssue>& issues, const std::vector<ParseIssue>& more);

/// A model that is both broken and more is out of memory, else unsupported, else invalid.
assay_status status_of(const std::vector<ParseIssue>& issues);

/// "2 nodes are not supported: NonZero 'a' (why); Unique 'b' (why)". At most `most` are told, and how many there are
/// besides.
std::string describe(const std::vector<ParseIssue>& issues, std::size_t most);

}  // namespace assay::tensorrt
