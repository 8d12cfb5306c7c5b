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

std::vector<NodeTest> chosen_tests(const std::string& pattern) {
  std::vector<NodeTest> tests = file_tests();
  for (NodeTest& row : row_tests()) tests.push_back(std::move(row));
  std::erase_if(tests, [&](const NodeTest& t) { return !NodeLimit{pattern, ""}.matches(t.name); });
  return tests;
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
  const std::vector<NodeTest> tests = chosen_tests(pattern);
  if (tests.empty()) {
    fmt::print(stderr, "no test's name is like '{}'\n", pattern);
    return kWrongUse;
  }
  const Params params = params_of(backend);
  std::ifstream list(std::string(ASSAY_SOURCE_DIR) + "/backends/" + params.backend + "/node_tests.txt");
  NodeVerdict verdict(node_limits(list, params.device));
  const bool all = pattern == "*";
  std::map<std::string, int> skipped;
  run_apart(tests, backend, [&](const NodeTest& test, const NodeOutcome& outcome) {
    const std::string word = verdict.add(test.name, outcome);
    if (word == "skipped") ++skipped[outcome.why];
    if (!all) fmt::print("{:<8} {}{}{}\n", word, test.name, outcome.why.empty() ? "" : ": ", outcome.why);
  });
  if (all && !file_tests().empty()) verdict.find_idle_limits();
  if (file_tests().empty()) fmt::print("ONNX's node tests are left out: libonnx-testdata is not installed\n");
  for (const auto& [why, count] : skipped) fmt::print("skipped {}: {}\n", count, why);
  fmt::print("{}: {} passed, {} known not to pass, {} skipped, {} failed\n", backend, verdict.passed, verdict.known,
             verdict.skipped, verdict.failures().size());
  for (const std::string& failure : verdict.failures()) fmt::print("FAILED {}\n", failure);
  return verdict.failures().empty() ? 0 : kFailed;
}

}  // namespace
}  // namespace assay::conformance

int main(int argc, char** argv) {
  using assay::conformance::kWrongUse;
  if (argc < 2 || argc > 3) {
    fmt::print(stderr, "usage: {} BACKEND[,device=gpu:0][,OPTION=VALUE…] [PATTERN]\n", argv[0]);
    return kWrongUse;
  }
  try {
    return assay::conformance::run(argv[1], argc == 3 ? argv[2] : "*");
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return assay::conformance::kFailed;
  }
}
