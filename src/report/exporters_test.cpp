#include "report/exporters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/error.hpp"
#include "core/json.hpp"
#include "report/format.hpp"

namespace assay::report {
namespace {

using testing::HasSubstr;

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "no error";
}

Campaign campaign() {
  Campaign c;
  c.id = "0badcafe";
  c.effort = "quick";
  Outcome o;
  o.test_case.model = "a,\"b\"|c\nd";
  o.test_case.backend = "x";
  o.reason = "said \xff\xfe";
  o.samples = {{0, true, "", {{"latency_ns", {1, 2, 3}}}}};
  c.plan = {o.test_case};
  c.outcomes = {o};
  return c;
}

std::string written(const char* name, const Campaign& c) {
  std::ostringstream out;
  exporter_by_name(name).write({.campaign = &c, .recommendation = {}, .noise_floor = 0.03}, out);
  return out.str();
}

TEST(Exporters, AreFoundByNameOrListed) {
  EXPECT_THAT(message_of([] { exporter_by_name("html"); }),
              HasSubstr("'html'; there are table, md, csv, json, bundle"));
}

TEST(Exporters, TheTableFitsWhateverIsMeasured) {
  for (const double v : {1e-7, 0.012345, 99.99, 1234.5, 99'999.9, 400'000.4, 1.234567e6, 9.9e12}) {
    Campaign c = campaign();
    Outcome& o = c.outcomes[0];
    o.test_case.model = std::string(100, 'm');
    o.test_case.backend = "a_backend_of_a_long_name";
    o.test_case.batch_size = 1024;
    o.test_case.in_flight = 4096;
    o.state = OutcomeState::kMeasured;
    o.metrics = {{"throughput", "1/s", v, v * 0.97, v * 1.03, 5, ""}, {"memory.peak", "MiB", 987'654.0, {}, {}, 1, ""}};
    c.outcomes.push_back(o);
    c.outcomes[1].test_case.goal = Goal::kLatency;
    c.outcomes[1].metrics[0].tag = "latency.p50";
    c.plan.clear();
    for (const Outcome& each : c.outcomes) c.plan.push_back(each.test_case);
    std::istringstream lines(written("table", c));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(width(line), kColumns) << line;
  }
}

/// A case at batch 8 that was set up for `goal`, with both figures.
Outcome set_up_for(Goal goal, double rate, double ms) {
  Outcome o;
  o.test_case.model = "m";
  o.test_case.backend = "x";
  o.test_case.batch_size = 8;
  o.test_case.goal = goal;
  o.state = OutcomeState::kMeasured;
  o.metrics = {{"throughput", "1/s", rate, {}, {}, 5, ""},
               {"latency.p50", "ms", ms, {}, {}, 5, ""},
               {"parity.error", "1", 0.0, {}, {}, 1, ""}};
  return o;
}

TEST(Exporters, TheTableHasEveryFigureThatTheSentencesCompare) {
  struct Row {
    const char* what;
    std::vector<NamedOutcome> named;
    std::map<std::string, std::string> options;
    std::vector<std::string> found, not_found;
  };
  const std::vector<Row> rows = {{"each judged by what it was set up for",
                                  {{0, Goal::kThroughput}, {1, Goal::kLatency}},
                                  {},
                                  {"100", "7.5"},
                                  {"set up for", "150", "9.5"}},
                                 {"set up for latency, and named for its throughput",
                                  {{1, Goal::kThroughput}},
                                  {},
                                  {"100", "7.5", "set up for latency:", "150"},
                                  {"9.5"}},
                                 {"set up for throughput, and named for its latency",
                                  {{1, Goal::kLatency}, {0, Goal::kLatency}},
                                  {},
                                  {"100", "7.5", "set up for throughput:", "9.5"},
                                  {"150"}},
                                 {"with options",
                                  {{1, Goal::kThroughput}},
                                  {{"streams", "2"}},
                                  {"with streams=2:", "with streams=2, set up for latency:", "150"},
                                  {"9.5"}}};
  for (const Row& row : rows) {
    Campaign c = campaign();
    c.outcomes = {set_up_for(Goal::kThroughput, 100, 9.5), set_up_for(Goal::kLatency, 150, 7.5)};
    c.plan.clear();
    for (Outcome& o : c.outcomes) {
      o.test_case.options = row.options;
      c.plan.push_back(o.test_case);
    }
    std::ostringstream out;
    write_console({.campaign = &c, .recommendation = {{}, "", "", row.named}}, out);
    for (const std::string& text : row.found) EXPECT_THAT(out.str(), HasSubstr(text)) << row.what;
    for (const std::string& text : row.not_found) EXPECT_THAT(out.str(), testing::Not(HasSubstr(text))) << row.what;
  }
}

TEST(Exporters, OfAnEnsembleEachWayHasOneHeading) {
  Campaign c = campaign();
  c.outcomes.clear();
  c.plan.clear();
  for (const std::int64_t batch : {1, 8}) {
    for (const char* strategy : {kSequential, kPipelined}) {
      for (const Goal goal : {Goal::kThroughput, Goal::kLatency}) {
        Outcome o = set_up_for(goal, 100, 7.5);
        o.test_case.model = "a+b";
        o.test_case.strategy = strategy;
        o.test_case.batch_size = batch;
        c.outcomes.push_back(o);
        c.plan.push_back(o.test_case);
      }
    }
  }
  // For latency, sequential, at batch 1 and 8.
  const std::vector<NamedOutcome> named = {{1, Goal::kThroughput}, {5, Goal::kThroughput}};
  std::stringstream out;
  write_console({.campaign = &c, .recommendation = {{}, "", "", named}}, out);
  std::vector<std::string> headings;
  for (std::string line; std::getline(out, line);) {
    if (line.ends_with(":")) headings.push_back(line);
  }
  EXPECT_THAT(headings, testing::ElementsAre("sequential:", "sequential, set up for latency:", "pipelined:"));
}

TEST(Exporters, ACutListOfReasonsIsWholeWhereItPointsTo) {
  Campaign c = campaign();
  for (int i = 1; i < 20; ++i) {
    c.outcomes.push_back(c.outcomes[0]);
    c.outcomes.back().reason = "reason " + std::to_string(i);
  }
  std::ostringstream whole;
  write_console({.campaign = &c, .recommendation = {}, .noise_floor = 0.03, .every_reason = true}, whole);
  EXPECT_THAT(written("table", c), HasSubstr("and 8 more: assay results show 0badcafe"));
  EXPECT_THAT(whole.str(), HasSubstr("reason 19"));
  EXPECT_THAT(whole.str(), testing::Not(HasSubstr("more: assay results")));
}

TEST(Exporters, TheTableMarksWhatIsNotRecorded) {
  Campaign c = campaign();
  EXPECT_THAT(written("table", c), testing::Not(HasSubstr("†")));
  c.outcomes[0].state = OutcomeState::kMeasured;
  c.outcomes[0].phase = kNotStored;
  c.outcomes[0].metrics = {{"throughput", "1/s", 12.5, {}, {}, 5, ""}};
  EXPECT_THAT(written("table", c), testing::AllOf(HasSubstr("12.5*†"), HasSubstr("† measured, but not recorded")));
}

TEST(Exporters, CsvQuotesWhatItMust) {
  EXPECT_THAT(written("csv", campaign()), HasSubstr("0badcafe,\"a,\"\"b\"\"|c\nd\",x,"));
}

TEST(Exporters, OfAnEnsembleCsvHasWhatTellsItsRowsApart) {
  Campaign c = campaign();
  Case& e = c.outcomes[0].test_case;
  e.model = "a+b";
  e.strategy = kPlaced;
  e.combine = "vote";
  e.weights = {2, 0.5};
  e.placement = {"pipelined", {{"x", 0}, {"y", 4}}};
  EXPECT_THAT(written("csv", c), testing::EndsWith(",,vote,2;0.5,\"pipelined: a on x, b on y in batches of 4\"\r\n"));
  EXPECT_THAT(written("csv", campaign()), testing::EndsWith(",,,,\r\n"));
}

TEST(Exporters, AFailedRowOfAnEnsembleNamesItsStrategy) {
  Campaign c = campaign();
  c.outcomes[0].test_case.strategy = "sequential";
  EXPECT_THAT(written("table", c), HasSubstr("x sequential throughput batch 1"));
}

TEST(Exporters, APlanIsWholeInTheTable) {
  Campaign c = campaign();
  Case& e = c.outcomes[0].test_case;
  e.model = std::string(40, 'm') + "+" + std::string(40, 'n');
  e.strategy = kPlaced;
  e.placement = {"pipelined", {{"x", 0}, {"last_engine", 4}}};
  EXPECT_THAT(written("table", c), HasSubstr("in batches of 4):"));
}

TEST(Exporters, MarkdownKeepsItsColumns) { EXPECT_THAT(written("md", campaign()), HasSubstr("| a,\"b\"\\|c d | x |")); }

TEST(Exporters, JsonHasNoInvalidText) {
  const auto j = nlohmann::json::parse(written("json", campaign()));
  EXPECT_EQ(j["schema"], kJsonSchema);
  EXPECT_FALSE(j.contains("plan"));
  EXPECT_FALSE(j["outcomes"][0].contains("samples"));
  EXPECT_TRUE(j["comparisons"].is_array());
  EXPECT_TRUE(j["recommendation"]["set"].is_array());
}

TEST(Bundle, GivesBackTheCampaign) {
  Campaign c = campaign();
  c.outcomes[0].reason = "said nothing";
  const Campaign back = read_bundle(written("bundle", c), "file");
  EXPECT_EQ(to_json(back, true), to_json(c, true));
  EXPECT_EQ(back.outcomes[0].samples[0].values.at("latency_ns").size(), 3U);
}

TEST(Bundle, RefusesOtherFiles) {
  const auto error = [](const char* text) { return message_of([&] { read_bundle(text, "file"); }); };
  EXPECT_THAT(error("{"), HasSubstr("file: is not valid JSON"));
  EXPECT_THAT(error("[]"), HasSubstr("this is no bundle"));
  EXPECT_THAT(error(R"({"format": "assay-bundle"})"), HasSubstr("schema null"));
  EXPECT_THAT(error(R"({"format": "assay-bundle", "schema": 2})"), HasSubstr("schema 2, and this version"));
  EXPECT_THAT(error(R"({"format": "assay-bundle", "schema": 1})"), HasSubstr("no member 'campaign'"));
  EXPECT_THAT(error(R"({"format": "assay-bundle", "schema": 1, "campaign": {"id": 7}})"), HasSubstr("'id'"));
}

}  // namespace
}  // namespace assay::report
