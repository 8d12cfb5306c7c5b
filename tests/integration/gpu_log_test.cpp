// scripts/gpu_log.py, which writes what `make test-gpu` and `make bench-gpu` saw, over results that a run could leave.

#include "integration/cli_fixture.hpp"

namespace assay::integration {
namespace {

using ::testing::HasSubstr;

Case gpu_case(const char* engine, int in_flight, Precision precision) {
  Case c;
  c.model = "resnet50";
  c.backend = engine;
  c.device = "gpu:0";
  c.batch_size = 8;
  c.in_flight = in_flight;
  c.precision = precision;
  return c;
}

Outcome measured_at(int in_flight, double rate) {
  Outcome o;
  o.test_case = gpu_case("onnxruntime", in_flight, Precision::kFloat16);
  o.state = OutcomeState::kMeasured;
  o.metrics = {{"throughput", "1/s", rate, rate - 1, rate + 1, 40, ""}, {"memory.device", "MiB", 97.25, {}, {}, 1, ""}};
  return o;
}

Outcome without_result(const char* engine, OutcomeState state, const char* phase, const char* reason) {
  Outcome o;
  o.test_case = gpu_case(engine, 0, Precision::kFloat32);
  o.state = state;
  o.phase = phase;
  o.reason = reason;
  return o;
}

class GpuLog : public CliTest {
 protected:
  void store_results() const {
    Campaign c;
    c.id = "1a2b3c4d";
    c.version = "0.1.0";
    c.started = "2026-11-26T10:00:00Z";
    c.outcomes = {measured_at(0, 300), measured_at(1, 200),
                  without_result("tensorrt", OutcomeState::kFailed, "run", "the device was lost"),
                  without_result("onnxruntime", OutcomeState::kSkipped, "device", "no device 'gpu:0' in /a/b/c here")};
    for (const Outcome& o : c.outcomes) c.plan.push_back(o.test_case);
    c.warnings = {{"throttled", "the power cap held 3 of 4 cases", ""}};
    store::Store file(db_);
    file.begin(c);
    for (const Outcome& o : c.outcomes) file.add(c.id, o);
  }
  void store_backends() const {
    std::ofstream(file("backends.json"))
        << R"json({"backends": [{"name": "onnxruntime", "available": true, "version": "1.32",
      "origin": "a wheel", "devices": [{"name": "gpu:0", "description": "Some GPU (16 GiB)"}]}]})json";
  }
  [[nodiscard]] Result write(std::vector<std::string> more) const {
    std::vector<std::string> all = {"/usr/bin/env",
                                    "python3",
                                    ASSAY_SOURCE_DIR "/scripts/gpu_log.py",
                                    "--title",
                                    "a run",
                                    "--commit",
                                    "abc",
                                    "--program",
                                    ASSAY_BUILD_DIR "/bin/assay",
                                    "--backends",
                                    file("backends.json")};
    all.insert(all.end(), more.begin(), more.end());
    return Program(all, environment_).wait();
  }
};

TEST_F(GpuLog, TellsWhatWasMeasuredWhatFailedWhatWasSkippedAndWhatOverlapIsWorth) {
  store_results();
  store_backends();
  const Result r = write({"--results", db_.string(), "--minutes", "3"});
  ASSERT_EQ(r.status, 0) << r.err;
  for (const char* said :
       {": a run\n", "| gpu:0 | Some GPU (16 GiB) |", "| took | 3 min |",
        "| resnet50 | onnxruntime | single | throughput | 8 | auto | f16 | measured | 300.0 [299.0, 301.0] |",
        "| resnet50 | tensorrt | single | throughput | 8 | auto | f32 | failed | – |",
        "- resnet50 tensorrt single throughput 8 auto f32: failed (run): the device was lost\n",
        "- resnet50 onnxruntime single throughput 8 auto f32: skipped (device): no device 'gpu:0' in …/c here\n",
        "- throttled: the power cap held 3 of 4 cases\n", "| resnet50 | onnxruntime | single | 8 | f16 | 1.50 |"}) {
    EXPECT_THAT(r.out, HasSubstr(said));
  }
}

TEST_F(GpuLog, TellsOfTestsThatFailedByWhatTheySaid) {
  store_backends();
  std::ofstream(file("test.xml")) << R"(<testsuite>
    <testcase name="Gpu/GpuPass.Agrees/onnxruntime_vgg19" status="run"/>
    <testcase name="Gpu/GpuPass.Agrees/onnxruntime_resnet50" status="fail"><system-out>a.cpp:1: Failure
it differs</system-out></testcase></testsuite>)";
  const Result r = write({"--tests", file("test.xml")});
  ASSERT_EQ(r.status, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("| GpuPass, onnxruntime | 1 | 1 | 0 |  |"));
  EXPECT_THAT(r.out, HasSubstr("- `Gpu/GpuPass.Agrees/onnxruntime_resnet50`: it differs"));
}

}  // namespace
}  // namespace assay::integration
