// node_tests BACKEND [--option KEY=VALUE]… [--only PATTERN]: ONNX's own node tests (Debian's libonnx-testdata) of the
// operators in node_operators.txt, through the plugin boundary, which is what all that users do goes through; without
// `predict`, since most of these models have no batch. backends/BACKEND/node_tests.txt lists what the backend does not
// do, with reasons; a test that is listed and passes fails as one that is not listed and does not pass.

#include <fmt/format.h>
#include <fnmatch.h>

#include <cstdio>
#include <string>

#include "conformance/node_test.hpp"

namespace assay::conformance {
namespace {

namespace fs = std::filesystem;
constexpr const char* kData = "/usr/share/libonnx-testdata/data/node";

struct Arguments {
  std::string backend, only = "*";
  std::map<std::string, std::string> options;
};

bool parse(int argc, char** argv, Arguments& a) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--only") {
      a.only = value;
      ++i;
    } else if (word == "--option" && value.find('=') != std::string::npos) {
      a.options[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
      ++i;
    } else if (a.backend.empty()) {
      a.backend = word;
    } else {
      return false;
    }
  }
  return !a.backend.empty();
}

struct Counts {
  int passed = 0, listed = 0, wrong = 0;
};

void judge(const NodeTest& test, const Arguments& a, const ExpectedFailures& failures, Counts& counts) {
  const std::string found = verdict(test, a.backend, a.options);
  const std::string reason = failures.reason(test.name);
  if (found.empty() == reason.empty()) {
    ++(found.empty() ? counts.passed : counts.listed);
    return;
  }
  ++counts.wrong;
  if (found.empty()) {
    fmt::print("UNEXPECTED PASS {}: listed as '{}'\n", test.name, reason);
  } else {
    fmt::print("FAIL {}: {}\n", test.name, found);
  }
  std::fflush(stdout);
}

int run_all(const Arguments& a) {
  const fs::path source = ASSAY_SOURCE_DIR;
  const std::vector<std::string> names = lines_of(source / "tests/conformance/node_operators.txt");
  const ExpectedFailures failures(source / "backends" / a.backend / "node_tests.txt");
  Counts counts;
  for (const std::string& name : tests_in_scope(kData, {names.begin(), names.end()})) {
    if (::fnmatch(a.only.c_str(), name.c_str(), 0) == 0) judge(read_node_test(kData, name), a, failures, counts);
  }
  fmt::print("{}: {} node tests pass, {} are listed as not done, {} are wrong\n", a.backend, counts.passed,
             counts.listed, counts.wrong);
  return counts.wrong == 0 && counts.passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace assay::conformance

int main(int argc, char** argv) try {
  using namespace assay::conformance;  // NOLINT
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    fmt::print(stderr, "usage: node_tests BACKEND [--option KEY=VALUE]… [--only PATTERN]\n");
    return 2;
  }
  return run_all(arguments);
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
