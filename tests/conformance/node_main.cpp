// See node_tests.hpp.
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <utility>

#include "backend/backend.hpp"
#include "conformance/device_here.hpp"
#include "conformance/node_tests.hpp"
#include "support/required.hpp"

namespace assay::conformance {
namespace {

constexpr const char* kUsage = "usage: assay_node_tests BACKEND[,device=gpu:0][,OPTION=VALUE…] [PATTERN|K/N]\n";
constexpr const char* kHelp = R"(
Runs operators one at a time on a backend, through load and predict: ONNX's own node tests (Debian's
libonnx-testdata) and rows of our own, row_…. What the backend is known not to pass is a line "pattern: reason" of
backends/BACKEND/node_tests.txt; a test that such a line names and that passes fails.

  BACKEND     its name: onnxruntime, mlir … (assay backends)
  device=     where it runs; cpu where it is not given
  OPTION=     an option of the backend's (assay backends -v); a list's elements by commas, too: without=fold,fuse
  PATTERN     tests whose names are like it, 'test_cast_*', each printed with its outcome; all where it is not given
  K/N         the Kth of N equal parts of them all

Exit status: 0 all passed or are known not to; 1 some failed; 2 wrong use; 77 the framework is not here.

  assay_node_tests mlir 'test_conv_*'
  assay_node_tests tensorflow,xla=true 1/3
)";
constexpr int kFailed = 1, kWrongUse = 2, kNotHere = 77;  // ctest takes the last for "skipped"
constexpr const char* kCpu = "cpu";

/// Whether the framework is here: skipped where it is not, failed where there is no such backend at all, or not the
/// device other than the CPU that was asked for. Probes in a child: a framework that is opened before a fork may not
/// work behind it.
NodeOutcome probe_apart(const std::string& backend) {
  const auto probe = [](const std::string& name) -> NodeOutcome {
    const Params params = params_of(name);
    const backend::Probe found = backend::load_backend(params.backend).probe({}, params.options);
    std::string missing = why_not_here(params.backend, found, params.device);
    if (missing.empty()) return {};
    return {params.device == kCpu ? NodeOutcome::Kind::kSkipped : NodeOutcome::Kind::kFailed, std::move(missing)};
  };
  NodeOutcome outcome;
  run_apart({{"probe", probe}}, backend, [&](const NodeTest&, const NodeOutcome& o) { outcome = o; });
  return outcome;
}

struct Chosen {
  std::vector<NodeTest> tests;
  std::vector<std::string> elsewhere;  ///< names of those that other parts run
  bool files = false;                  ///< ONNX's own are there
};

/// `part`: of all; else those whose names are like `pattern`.
Chosen chosen_tests(const std::string& pattern, const std::optional<NodePart>& part) {
  std::vector<NodeTest> all = file_tests();
  Chosen chosen{{}, {}, !all.empty()};
  for (NodeTest& row : row_tests()) all.push_back(std::move(row));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool here = part ? part->has(i) : NodeLimit{pattern, ""}.matches(all[i].name);
    if (part && !here) chosen.elsewhere.push_back(all[i].name);
    if (here) chosen.tests.push_back(std::move(all[i]));
  }
  return chosen;
}

int run(const std::string& backend, const std::string& pattern) {
  const NodeOutcome probe = probe_apart(backend);
  if (probe.kind == NodeOutcome::Kind::kSkipped) {
    fmt::print("skipped: {}\n", probe.why);
    return test::is_required(params_of(backend).backend) ? kFailed : kNotHere;
  }
  if (probe.kind == NodeOutcome::Kind::kFailed) {
    fmt::print(stderr, "{}\n", probe.why);
    return kFailed;
  }
  const std::optional<NodePart> part = node_part(pattern);
  const auto [tests, elsewhere, files] = chosen_tests(pattern, part);
  if (tests.empty()) {
    fmt::print(stderr, "no test's name is like '{}'\n", pattern);
    return kWrongUse;
  }
  const Params params = params_of(backend);
  std::ifstream list(std::string(ASSAY_SOURCE_DIR) + "/backends/" + params.backend + "/node_tests.txt");
  NodeVerdict verdict(node_limits(list, params.device));
  const bool all = part || pattern == "*";
  std::map<std::string, int> skipped;
  run_apart(tests, backend, [&](const NodeTest& test, const NodeOutcome& outcome) {
    const std::string word = verdict.add(test.name, outcome);
    if (word == "skipped") ++skipped[outcome.why];
    if (!all) fmt::print("{:<8} {}{}{}\n", word, test.name, outcome.why.empty() ? "" : ": ", outcome.why);
  });
  if (all && files) verdict.find_idle_limits(elsewhere);
  if (!files) fmt::print("ONNX's node tests are left out: libonnx-testdata is not installed\n");
  for (const auto& [why, count] : skipped) fmt::print("skipped {}: {}\n", count, why);
  fmt::print("{}: {} passed, {} known not to pass, {} skipped, {} failed\n", backend, verdict.passed, verdict.known,
             verdict.skipped, verdict.failures().size());
  if (verdict.fell_back > 0) fmt::print("{} of these fell back to another device\n", verdict.fell_back);
  for (const std::string& failure : verdict.failures()) fmt::print("FAILED {}\n", failure);
  return verdict.failures().empty() ? 0 : kFailed;
}

int run(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    fmt::print("{}{}", kUsage, kHelp);
    return 0;
  }
  if (arguments.empty() || arguments.size() > 2 || arguments[0].starts_with('-')) {
    fmt::print(stderr, "{}--help says what each is\n", kUsage);
    return kWrongUse;
  }
  return run(arguments[0], arguments.size() == 2 ? arguments[1] : "*");
}

}  // namespace
}  // namespace assay::conformance

int main(int argc, char** argv) {
  try {
    return assay::conformance::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}
