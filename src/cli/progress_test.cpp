#include "cli/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "report/format.hpp"

namespace assay::cli {
namespace {

using runner::Progress;
using testing::HasSubstr;
using testing::Not;

Progress finished(const Outcome& outcome) {
  Progress p;
  p.kind = Progress::Kind::kCaseFinished;
  p.runs_done = 3;
  p.runs_total = 12;
  p.estimated_left = std::chrono::seconds(130);
  p.test_case = &outcome.test_case;
  p.outcome = &outcome;
  return p;
}

Outcome measured() {
  Outcome o;
  o.test_case.model = "a/very/long/path/of/a/model/that/would/not/fit/into/any/line/model.onnx";
  o.test_case.backend = "openvino";
  o.state = OutcomeState::kMeasured;
  o.metrics = {{"throughput", "1/s", 27.3, 26.0, 28.6, 10, ""}};
  return o;
}

TEST(ProgressView, WritesALineACaseWhereThereIsNoTerminal) {
  std::ostringstream out;
  const Outcome o = measured();
  {
    ProgressView view(out, false, false);
    Progress started = finished(o);
    started.kind = Progress::Kind::kCaseStarted;
    view.show(started);
    view.show(finished(o));
  }
  EXPECT_THAT(out.str(), HasSubstr("[3/12 runs] a/very/long"));
  EXPECT_THAT(out.str(), HasSubstr("27.3 [26.0, 28.6] 1/s\n"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\033")));
  EXPECT_THAT(out.str(), Not(HasSubstr("\r")));
}

TEST(ProgressView, NamesTheVariantThatWasMeasured) {
  std::ostringstream out;
  Outcome o = measured();
  o.test_case.model = "m";
  o.test_case.options["math"] = "strict";
  o.in_force = {{kVariant, "strict"}, {kVariantOption, "math=strict"}};
  ProgressView(out, false, false).show(finished(o));
  EXPECT_THAT(out.str(), HasSubstr("m · openvino (strict) · throughput · batch 1: 27.3"));
}

TEST(ProgressView, MovesOneLineThatFitsOnATerminal) {
  std::ostringstream out;
  const Outcome o = measured();
  {
    ProgressView view(out, true, false);
    view.show(finished(o));
  }
  EXPECT_THAT(out.str(), HasSubstr("█████░░░"));
  EXPECT_THAT(out.str(), HasSubstr("3/12 runs, 2 min 10 s left"));
  EXPECT_THAT(out.str(), Not(HasSubstr("\n")));
  EXPECT_THAT(out.str(), testing::EndsWith("\r\033[K"));
  const std::string line = out.str().substr(4, out.str().rfind('\r') - 4);
  EXPECT_LE(report::width(line), 79U);
}

TEST(ProgressView, ProcessesThatRunAgainAreSaidInWords) {
  const Outcome o = measured();
  for (const bool live : {false, true}) {
    std::ostringstream out;
    ProgressView view(out, live, false);
    Progress p = finished(o);
    p.repeats = 1;
    view.show(p);
    EXPECT_THAT(out.str(), HasSubstr("3/12 runs +1 repeat"));
    p.repeats = 2;
    view.show(p);
    EXPECT_THAT(out.str(), HasSubstr("3/12 runs +2 repeats"));
  }
}

TEST(ProgressView, SaysOnceWhyAnEngineIsSkipped) {
  std::ostringstream out;
  ProgressView view(out, false, false);
  Outcome o = measured();
  o.state = OutcomeState::kSkipped;
  o.phase = "probe";
  o.reason = "it is not here: looked in /a";
  view.show(finished(o));
  view.show(finished(o));
  EXPECT_THAT(out.str(), HasSubstr("skipped (probe): it is not here: looked in /a\n"));
  EXPECT_THAT(out.str(), testing::EndsWith("skipped (probe), as above\n"));
  o.reason = "another";
  view.show(finished(o));
  EXPECT_THAT(out.str(), testing::EndsWith("skipped (probe): another\n"));
}

TEST(ProgressView, FailuresStayReadable) {
  Outcome o = measured();
  o.state = OutcomeState::kFailed;
  o.phase = "window";
  o.reason = "killed by signal 11";
  for (const bool color : {false, true}) {
    std::ostringstream out;
    ProgressView view(out, true, color);
    view.show(finished(o));
    EXPECT_THAT(out.str(), HasSubstr("failed (window): killed by signal 11"));
    EXPECT_EQ(out.str().find("\033[31m") != std::string::npos, color);
  }
}

}  // namespace
}  // namespace assay::cli
