#pragma once
// ONNX's own node tests: a model of a node or a few, inputs, and the outputs that are right.

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "assay/backend_abi.h"
#include "base/file.hpp"

namespace assay::conformance {

/// A tensor of a test, in memory that is aligned for every engine.
struct Values {
  assay_dtype dtype = ASSAY_FLOAT32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};

struct NodeTest {
  std::string name;
  std::filesystem::path model;
  std::shared_ptr<const TemporaryFolder> folder;  ///< of a model that was written anew
  std::map<std::string, Values> inputs;           ///< by the model's names
  std::vector<Values> outputs;                    ///< in the model's order
};

/// Names of the tests below `folder` whose nodes are all of `operators`, whose tensors are of numbers, sorted.
std::vector<std::string> tests_in_scope(const std::filesystem::path& folder, const std::set<std::string>& operators);

NodeTest read_node_test(const std::filesystem::path& folder, const std::string& name);

/// Opens the test's model on the backend, runs it, and compares: "" or what is wrong, in a line.
std::string verdict(const NodeTest& test, const std::string& backend,
                    const std::map<std::string, std::string>& options);

/// What differs, by ONNX's own rule (floats: 1e-3 of the expected and 1e-7; all else exactly), or "".
std::string difference(const Values& found, const Values& expected);

/// Lines of a file that are neither empty nor comments.
std::vector<std::string> lines_of(const std::filesystem::path& file);

/// "pattern: reason" of each line; a pattern is a name in which * stands for anything.
class ExpectedFailures {
 public:
  explicit ExpectedFailures(const std::filesystem::path& file);
  /// The reason, or "".
  [[nodiscard]] std::string reason(const std::string& test) const;

 private:
  std::vector<std::pair<std::string, std::string>> rows_;
};

}  // namespace assay::conformance
