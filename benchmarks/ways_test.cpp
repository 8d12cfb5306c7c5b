// Which ways are compared, and which are near enough to the best to be measured again.
#include "ways.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace assay::bench {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

Field field_of(const std::string& sets) { return {.members = {"a", "b"}, .sets = sets_of(sets)}; }

/// The plain ways, each as quick as `rate` has it.
template <class Rate>
std::vector<Way> measured(const Field& field, const Rate& rate) {
  std::vector<Way> ways = plain_ways(field);
  for (Way& way : ways) way.screened = rate(way.test_case);
  return ways;
}

std::vector<std::string> described(const std::vector<Way>& ways) {
  std::vector<std::string> texts;
  for (const Way& way : ways) texts.push_back(describe_way(way.test_case));
  return texts;
}

TEST(Sets, AreReadAndTheirEnginesAreEachOnce) {
  const Field field = field_of("x;x,y");
  EXPECT_EQ(field.sets, (std::vector<Set>{{"x"}, {"x", "y"}}));
  EXPECT_EQ(field.engines(), (Set{"x", "y"}));
}

TEST(PlainWays, AreAllThatMayBeBest) {
  Field field = field_of("x");
  field.batch = 8;
  std::vector<std::string> texts;
  for (const Way& way : plain_ways(field)) {
    EXPECT_EQ(way.test_case.batch_size, 8);
    EXPECT_EQ(way.test_case.threads, 2);
    texts.push_back(way.test_case.model + " " + describe_way(way.test_case));
  }
  EXPECT_THAT(texts, UnorderedElementsAre("a single on x for throughput", "b single on x for throughput",
                                          "a+b sequential on x for throughput", "a+b concurrent on x for throughput",
                                          "a+b pipelined on x for throughput", "a+b merged on x for throughput",
                                          "a single on x for latency", "b single on x for latency",
                                          "a+b sequential on x for latency", "a+b merged on x for latency"));
}

TEST(PlainWays, AreThoseThatWereAskedFor) {
  Field field = field_of("x,y");
  field.among = {"sequential on y", "pipelined"};
  const std::vector<Way> ways = plain_ways(field);
  EXPECT_THAT(described(ways), UnorderedElementsAre("sequential on y for throughput", "sequential on y for latency",
                                                    "pipelined on x for throughput", "pipelined on y for throughput"));
  field.among = {"single on", "sequential: a on x"};
  const auto rate = [](const Case& c) { return (c.model == "a") == (c.backend == "x") ? 2.0 : 1.0; };
  EXPECT_THAT(described(mixed_ways(field, measured(field, rate))), ElementsAre("sequential: a on x, b on y"));
}

TEST(MixedWays, HaveEachMemberOnItsBestEngineOfTheSet) {
  const Field field = field_of("x;x,y;x,y,z");
  const std::vector<Way> ways = measured(field, [](const Case& c) {
    if (c.model == "a") return c.backend == "x" ? 10.0 : 5.0;
    return c.backend == "x" ? 5.0 : c.backend == "y" ? 7.0 : 9.0;
  });
  const std::vector<Way> mixed = mixed_ways(field, ways);
  EXPECT_THAT(described(mixed),
              ElementsAre("sequential: a on x, b on y", "concurrent: a on x, b on y", "pipelined: a on x, b on y",
                          "sequential: a on x, b on z", "concurrent: a on x, b on z", "pipelined: a on x, b on z"));
  EXPECT_EQ(mixed.front().test_case.backend, "x+y");
  EXPECT_EQ(mixed.front().test_case.strategy, kPlaced);
  EXPECT_EQ(mixed.front().test_case.model, "a+b");
  std::set<std::string> keys;
  for (const Way& way : mixed) keys.insert(key_of(way.test_case, "peak"));
  EXPECT_EQ(keys.size(), mixed.size());
}

TEST(MixedWays, ThereAreNoneWhereOneEngineIsBestForAllOrAMemberHasNone) {
  const Field field = field_of("x,y");
  EXPECT_TRUE(mixed_ways(field, measured(field, [](const Case& c) { return c.backend == "x" ? 2.0 : 1.0; })).empty());
  EXPECT_TRUE(mixed_ways(field, measured(field, [](const Case& c) { return c.model == "a" ? 1.0 : 0.0; })).empty());
}

TEST(MixedWays, LanesHaveThoseThatAreBestWithAThreadEach) {
  const Field field = field_of("x,y");
  const std::vector<Way> ways = measured(field, [](const Case& c) {
    if (c.model == "a") return c.backend == "x" ? 10.0 : 5.0;
    const bool latency = c.goal == Goal::kLatency;
    return c.backend == "x" ? (latency ? 9.0 : 5.0) : (latency ? 4.0 : 7.0);  // b: x with all threads, else y
  });
  EXPECT_THAT(described(mixed_ways(field, ways)),
              ElementsAre("sequential: a on x, b on y", "concurrent: a on x, b on y", "pipelined: a on x, b on y"));
}

TEST(NearTheBest, IsByMemberStrategyAndSet) {
  const Field field = field_of("x;x,y");
  std::vector<Way> ways = measured(field, [](const Case& c) {
    double rate = c.backend == "x" ? 10 : 20;
    if (c.goal == Goal::kLatency) rate *= 0.9;
    if (c.strategy == "pipelined") rate *= 1.5;
    return rate;
  });
  for (Way& mixed : mixed_ways(
           field, measured(field, [](const Case& c) { return (c.model == "a") == (c.backend == "x") ? 2.0 : 1.0; }))) {
    mixed.screened = 31;
    ways.push_back(mixed);
  }
  std::vector<std::string> chosen;
  const std::vector<bool> near = near_the_best(field, ways, 0.95, 0.99);
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (near[i]) chosen.push_back(ways[i].test_case.model + " " + describe_way(ways[i].test_case));
  }
  EXPECT_THAT(chosen, UnorderedElementsAre("a single on x for throughput", "a single on y for throughput",
                                           "b single on x for throughput", "b single on y for throughput",
                                           "a+b sequential on x for throughput", "a+b sequential on y for throughput",
                                           "a+b pipelined on x for throughput",  // y's is 30
                                           "a+b sequential: a on x, b on y", "a+b concurrent: a on x, b on y",
                                           "a+b pipelined: a on x, b on y"));
  const std::vector<bool> rivals = near_the_best(field, ways, 0.85, 0);
  for (std::size_t i = 0; i < ways.size(); ++i) EXPECT_EQ(rivals[i], is_rival(field, ways[i].test_case));
}

}  // namespace
}  // namespace assay::bench
