// The whole output of every exporter, for a campaign that holds a winner, a tie, a failure and two kinds of skipping.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/file.hpp"
#include "core/search.hpp"
#include "report/exporters.hpp"
#include "report/format.hpp"

namespace assay::report {
namespace {

const std::filesystem::path kFolder = ASSAY_SOURCE_DIR "/tests/golden/data";

Case a_case(const char* backend, Goal goal, std::int64_t batch) {
  Case c;
  c.model = "resnet50";
  c.backend = backend;
  c.goal = goal;
  c.batch_size = batch;
  c.threads = 2;
  return c;
}

Outcome measured(const Case& c, double rate, const char* version) {
  Outcome o;
  o.test_case = c;
  o.state = OutcomeState::kMeasured;
  o.backend_version = version;
  o.in_force = {{"device", "CPU"}, {"threads", "2"}};
  const double ms = 1000.0 * static_cast<double>(c.batch_size) / rate;
  if (c.goal == Goal::kThroughput) {
    o.metrics.push_back({"throughput", "1/s", rate, rate * 0.96, rate * 1.04, 40, "2 batches outstanding"});
  } else {
    o.metrics.push_back({"throughput", "1/s", {}, {}, {}, 0, "this case is for latency"});
  }
  o.metrics.push_back({"latency.p50", "ms", ms, ms * 0.97, ms * 1.03, 40, ""});
  o.metrics.push_back({"latency.p99", "ms", {}, {}, {}, 40, "needs 368, had 40"});
  o.metrics.push_back({"load.cold", "ms", 812.5, {}, {}, 1, ""});
  o.metrics.push_back({"load.cached", "ms", 203.25, {}, {}, 1, ""});
  o.metrics.push_back({"memory.peak", "MiB", 301.5, {}, {}, 1, "in the measuring process (quick)"});
  o.metrics.push_back({"energy.net", "J", {}, {}, {}, 0, "no counter can be read"});
  o.metrics.push_back({"parity.error", "1", 3.5e-6, {}, {}, 1, "against onnxruntime 1.32.0, 2 seeded inputs"});
  o.samples = {{0, false, "CPU time taken by the hypervisor: 9.0 % (bound 2 %)", {{"latency_ns", {1e6 * ms * 2}}}},
               {1, true, "", {{"latency_ns", {1e6 * ms, 1e6 * ms + 1}}}}};
  return o;
}

Outcome ended(const Case& c, OutcomeState state, const char* phase, const char* reason) {
  Outcome o;
  o.test_case = c;
  o.state = state;
  o.phase = phase;
  o.reason = reason;
  return o;
}

Campaign campaign() {
  Campaign c;
  c.id = "1a2b3c4d";
  c.version = "0.1.0";
  c.command = "assay bench resnet50 --backend onnxruntime,openvino,tensorrt --batch-size 1,8,1024";
  c.effort = "quick";
  c.started = "2026-11-23T10:00:00Z";
  c.finished = "2026-11-23T10:02:31Z";
  c.seed = 7;
  c.environment = {{"control.drift", "0.0123"},
                   {"control.latency_ms", "start 0.1210, middle 0.1225, end 0.1215"},
                   {"cpu.model", "Some CPU @ 2.50GHz"},
                   {"kernel", "6.1.0"},
                   {"model.sha256.resnet50", "0123456789abcdef"}};
  c.warnings = {{"noisy-neighbour", "1 of 9 processes was disturbed even when run again; its row says by what",
                 "end other programs, or run with a higher effort"}};
  const Case fails = a_case("openvino", Goal::kLatency, 8);
  const Case large = a_case("openvino", Goal::kThroughput, 1024);
  c.outcomes = {measured(a_case("onnxruntime", Goal::kLatency, 1), 24.1, "1.32.0"),
                measured(a_case("onnxruntime", Goal::kThroughput, 8), 27.3, "1.32.0"),
                measured(a_case("openvino", Goal::kThroughput, 8), 28.1, "2026.4.1"),
                ended(fails, OutcomeState::kFailed, "window",
                      "killed by signal 11 (SIGSEGV); its last words: \"assertion, of a \"kernel\" failed\""),
                ended(large, OutcomeState::kSkipped, "estimate",
                      "it takes at least 31.2 GiB by estimate, and this machine has 15.6 GiB; take a smaller batch"),
                ended(a_case("tensorrt", Goal::kThroughput, 1), OutcomeState::kSkipped, "probe",
                      "tensorrt is not available: no driver (cudaGetDeviceCount says 35)"),
                ended(a_case("tensorrt", Goal::kLatency, 1), OutcomeState::kSkipped, "probe",
                      "tensorrt is not available: no driver (cudaGetDeviceCount says 35)"),
                measured(a_case("onnxruntime", Goal::kThroughput, 1), 25.2, "1.32.0")};
  Outcome unverified = measured(a_case("openvino", Goal::kThroughput, 1), 21.0, "2026.4.1");
  unverified.metrics.back() = {
      "parity.error", "1", {}, {}, {}, 0, "unverified: the reference could not be made: load: out of memory"};
  c.outcomes.push_back(unverified);
  for (const char* backend : {"onnxruntime", "openvino", "tensorrt"}) {
    for (const Goal goal : {Goal::kThroughput, Goal::kLatency}) {
      for (const std::int64_t batch : {1, 8, 1024}) c.plan.push_back(a_case(backend, goal, batch));
    }
  }
  return c;
}

/// One engine at two settings that it gives names to, where one of them failed for one goal.
Campaign variants() {
  Campaign c = campaign();
  c.command = "assay bench resnet50 --backend mlir,openvino --batch-size 8,128 --in-flight 16 --ablate mlir.math";
  c.warnings.clear();
  c.outcomes.clear();
  c.plan.clear();
  for (const std::int64_t batch : {8, 128}) {
    for (const Goal goal : {Goal::kThroughput, Goal::kLatency}) {
      for (const char* math : {"", "strict"}) {
        Case of_case = a_case("mlir", goal, batch);
        of_case.in_flight = 16;
        const bool strict = math[0] != '\0';
        if (strict) of_case.options["math"] = math;
        if (batch == 128) of_case.options["streams"] = "1";
        const bool fails = strict && batch == 128 && goal == Goal::kThroughput;
        Outcome o = fails ? ended(of_case, OutcomeState::kFailed, "window", "it took longer than 60 s")
                          : measured(of_case, strict ? 1234.5 : 23456.7, "22.1.0");
        if (!fails) {
          o.in_force[kVariant] = strict ? "strict" : "winograd";
          o.in_force[kVariantOption] = strict ? "math=strict" : "math=fast";
        }
        c.outcomes.push_back(o);
        c.plan.push_back(of_case);
      }
    }
  }
  c.outcomes.push_back(measured(a_case("openvino", Goal::kThroughput, 8), 0.0028123, "2026.4.1"));
  c.plan.push_back(c.outcomes.back().test_case);
  return c;
}

/// The last campaign of a search for a placement.
Campaign placed() {
  Campaign c = campaign();
  c.command = "assay bench resnet50+vgg19 --strategy placed --backend onnxruntime,openvino --batch-size 8";
  c.warnings.clear();
  c.outcomes.clear();
  Case plan = a_case("onnxruntime+openvino", Goal::kThroughput, 8);
  plan.model = "resnet50+vgg19";
  plan.strategy = kPlaced;
  plan.placement = {"pipelined", {{"openvino", 0}, {"onnxruntime", 1}}};
  c.outcomes.push_back(measured(plan, 6.2, ""));
  plan.placement = {};
  plan.strategy = "sequential";
  plan.backend = "onnxruntime";
  c.outcomes.push_back(measured(plan, 5.5, "1.32.0"));
  c.plan = {c.outcomes[0].test_case, c.outcomes[1].test_case};
  c.environment[kSearchKey] = to_text({{"resnet50", "vgg19"},
                                       {{1, 1.125}, {1.0625, 1}},
                                       {{6.4, {"pipelined", {{"openvino", 8, 1}, {"onnxruntime", 1, 1}}}},
                                        {6.25, {"sequential", {{"openvino", 8, 2}, {"openvino", 8, 2}}}}}});
  return c;
}

void expect_golden(const Exporter& exporter, const std::string& name, const Campaign& c, const Recommendation& said,
                   const char* code = "") {
  std::ostringstream out;
  exporter.write({.campaign = &c, .recommendation = said, .noise_floor = 0.03, .code = code}, out);
  const std::filesystem::path file = kFolder / (name + "." + exporter.name);
  if (std::getenv("ASSAY_APPROVE") != nullptr) {
    write_file_atomically(file, out.str());
    GTEST_SKIP() << "approved " << file;
  }
  EXPECT_EQ(out.str(), read_file(file)) << "if this is meant, run it with ASSAY_APPROVE=1 and look at the difference";
}

class GoldenFile : public testing::TestWithParam<const Exporter*> {};

TEST_P(GoldenFile, IsAsApproved) {
  const Recommendation recommendation{{2, 1},
                                      "resnet50: for the most throughput take openvino at batch 8 and onnxruntime at "
                                      "batch 8: they cannot be told apart.",
                                      ""};
  expect_golden(*GetParam(), "campaign", campaign(), recommendation);
}

TEST_P(GoldenFile, OfASearchIsAsApproved) {
  expect_golden(*GetParam(), "placed", placed(), {{0}, "resnet50+vgg19: use the first.", ""},
                "assay::Session session = assay::load(\n    …);\n");
}

TEST_P(GoldenFile, OfVariantsIsAsApproved) {
  expect_golden(*GetParam(), "variants", variants(),
                {{0}, "resnet50: use mlir (winograd) at batch 8; mlir (winograd) is --option mlir.math=fast.", ""});
}

INSTANTIATE_TEST_SUITE_P(Exporters, GoldenFile, testing::ValuesIn([] {
                           std::vector<const Exporter*> all;
                           for (const Exporter& e : exporters()) all.push_back(&e);
                           return all;
                         }()),
                         [](const auto& test) { return std::string(test.param->name); });

TEST(GoldenTable, TheTableFitsEightyColumns) {
  for (const Campaign& c : {campaign(), placed(), variants()}) {
    std::ostringstream out;
    write_console({&c, {{}, std::string(300, 'x'), ""}, 0.03}, out);
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) EXPECT_LE(width(line), 80U) << line;
  }
}

}  // namespace
}  // namespace assay::report
