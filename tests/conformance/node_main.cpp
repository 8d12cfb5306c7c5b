// See node_tests.hpp.
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <string_view>
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

}  // namespace
}  // namespace assay::conformance

int main(int argc, char** argv) {
  using assay::conformance::kWrongUse;
  const bool help = argc == 2 && argv[1] == std::string_view("--help");
  if (help || argc < 2 || argc > 3) {
    fmt::print(
        help ? stdout : stderr,
        "usage: {} BACKEND[,device=gpu:0][,OPTION=VALUE…] [PATTERN|K/N]\n"
        "Runs ONNX's own tests of single operators, and rows of ours, on a backend, each in a process of its own. "
        "What\n"
        "a backend is known not to pass is in backends/BACKEND/node_tests.txt; other failures, and rows of that file\n"
        "that pass, fail here.\n"
        "  BACKEND  with options of it: mlir,math=strict\n"
        "  PATTERN  tests of these names, each with its outcome: 'test_conv_*'. K/N: the K-th of N parts of all\n",
        argv[0]);
    return help ? 0 : kWrongUse;
  }
  try {
    return assay::conformance::run(argv[1], argc == 3 ? argv[2] : "*");
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return assay::conformance::kFailed;
  }
}
