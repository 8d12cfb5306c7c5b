#pragma once
// One operator at a time: ONNX's own node tests (Debian's libonnx-testdata) and rows of our own for what later opsets
// changed, through assay::load and predict. That is what users run: the reader, shape inference, layout and checks of
// the engine stand before the plugin there, and a model that any of them gets wrong is as broken for a user as one that
// the framework refuses. Nothing here has a batch axis, so the graph runs whole (batch size 0).
//
//   assay_node_tests BACKEND[,device=gpu:0][,OPTION=VALUE…] [PATTERN|K/N]      K/N: the Kth of N parts of them all
//
// With a pattern ('test_cast_*') every outcome is printed. What a backend does not pass is a line "pattern: reason" of
// backends/<name>/node_tests.txt (limit_lines.hpp).

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "assay/assay.hpp"

namespace assay::conformance {

/// A tensor that is fed or expected, with memory of its own.
struct NodeValue {
  DType dtype = DType::kFloat32;
  Shape shape;
  std::vector<std::byte> data;
  [[nodiscard]] TensorView view() const { return {data.data(), dtype, shape, {}}; }
};

struct NodeOutcome {
  enum class Kind {
    kPassed,
    kFailed,
    kSkipped,
    kFellBack  ///< right, but some of it was not computed on the device that was asked for
  };
  Kind kind = Kind::kPassed;
  std::string why;  ///< of what did not pass: one line
};

struct NodeTest {
  std::string name;
  std::function<NodeOutcome(const std::string& backend)> run;
};

/// "" where `found` is as good as `expected`, else the difference. ONNX's own rule: types and shapes alike, numbers
/// exact, and floating-point ones within 1e-7 + 1e-3 of the expected.
std::string difference(const NodeValue& expected, const NodeValue& found);
/// The same of all outputs of a model.
std::string difference(const std::vector<NodeValue>& expected, const std::vector<NodeValue>& found);

/// Every file whose operators are all in node_operators.txt. None: the package is not installed.
std::vector<NodeTest> file_tests();
/// The rows of node_rows.hpp, "row_" before their names.
std::vector<NodeTest> row_tests();

/// "2/3": the second of three parts of equal size, which together are all.
struct NodePart {
  std::size_t number = 1, of = 1;
  [[nodiscard]] bool has(std::size_t test) const { return test % of == number - 1; }
};
/// Nothing where the text is no part.
std::optional<NodePart> node_part(const std::string& text);

/// What "BACKEND[,OPTION=VALUE…]" is put to: one thread, one batch, which is the whole, on the CPU or on the "device"
/// among the settings.
Params params_of(const std::string& backend);

/// Where a session on `device` computed elsewhere, as what it says is in force tells ("device", and ONNX Runtime's
/// "nodes.cpu"); "" where all was computed there. The CPU has nowhere to fall back to.
std::string fell_back(const std::string& device, const std::map<std::string, std::string>& in_force);

struct NodeAnswer {
  std::vector<NodeValue> outputs;
  std::string fell_back;
};
/// A model and its inputs, through load and predict.
NodeAnswer predict_whole(const std::filesystem::path& model, const std::vector<NodeValue>& inputs,
                         const Params& params);
/// An answer that is wrong has failed, wherever it was computed.
NodeOutcome weigh(const std::vector<NodeValue>& expected, const NodeAnswer& found);

/// Tests in child processes: what a test kills or hangs takes no other along. Calls `report` in the order of the tests.
void run_apart(const std::vector<NodeTest>& tests, const std::string& backend,
               const std::function<void(const NodeTest&, const NodeOutcome&)>& report, unsigned seconds_for_each = 60);

/// What a backend is known not to pass.
struct NodeLimit {
  std::string pattern, reason;
  [[nodiscard]] bool matches(const std::string& test) const;
};
/// Of the text of a node_tests.txt, those that hold on `device`. Throws std::runtime_error for a line without a reason.
std::vector<NodeLimit> node_limits(std::istream& text, const std::string& device = "cpu");

/// Weighs outcomes against the limits.
class NodeVerdict {
 public:
  explicit NodeVerdict(std::vector<NodeLimit> limits) : limits_(std::move(limits)) {}
  /// One word for the outcome: "passed", "known", "skipped", "FAILED", "FELL BACK" (a failure, too, unless it is
  /// listed), "UNEXPECTED PASS".
  std::string add(const std::string& test, const NodeOutcome& outcome);
  /// Lines of limits that no test has met. Only after all tests but those `elsewhere`, which another run has to meet.
  void find_idle_limits(const std::vector<std::string>& elsewhere = {});
  [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }
  int passed = 0, known = 0, skipped = 0;
  int fell_back = 0;  ///< of the known and the failed

 private:
  std::vector<NodeLimit> limits_;
  std::set<std::string> met_;
  std::vector<std::string> failures_;
};

}  // namespace assay::conformance
