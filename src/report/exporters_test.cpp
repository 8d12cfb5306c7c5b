#include "report/exporters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/error.hpp"
#include "core/json.hpp"

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
  exporter_by_name(name).write({&c, {}, 0.03}, out);
  return out.str();
}

TEST(Exporters, AreFoundByNameOrListed) {
  EXPECT_THAT(message_of([] { exporter_by_name("html"); }),
              HasSubstr("'html'; there are table, md, csv, json, bundle"));
}

TEST(Exporters, CsvQuotesWhatItMust) {
  EXPECT_THAT(written("csv", campaign()), HasSubstr("0badcafe,\"a,\"\"b\"\"|c\nd\",x,"));
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
