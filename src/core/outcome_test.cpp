#include "core/outcome.hpp"

#include <gtest/gtest.h>

namespace assay {
namespace {

Outcome outcome() {
  Outcome o;
  o.test_case.backend = "x";
  o.test_case.options = {{"math", "fast"}, {"streams", "2"}};
  return o;
}

TEST(Outcome, AnEngineThatSaysNoVariantHasItsName) {
  const Outcome o = outcome();
  EXPECT_EQ(engine_name(o), "x");
  EXPECT_EQ(variant_option(o), "");
  EXPECT_EQ(without_variant(o).options, o.test_case.options);
}

TEST(Outcome, AVariantIsPartOfTheNameAndTakesItsOptionAway) {
  Outcome o = outcome();
  o.in_force = {{kVariant, "winograd"}, {kVariantOption, "math=fast"}};
  EXPECT_EQ(engine_name(o), "x (winograd)");
  EXPECT_EQ(variant_option(o), "x.math=fast");
  EXPECT_EQ(without_variant(o).options, (std::map<std::string, std::string>{{"streams", "2"}}));
  o.in_force.erase(kVariantOption);
  EXPECT_EQ(engine_name(o), "x (winograd)");
  EXPECT_EQ(without_variant(o).options, o.test_case.options);
}

TEST(Outcome, APlacementsEnginesAreSeveral) {
  Outcome o = outcome();
  o.test_case.backend = "x+y";
  o.test_case.placement = {"pipelined", {{"x", 0}, {"y", 0}}};
  o.in_force = {{kVariant, "winograd"}, {kVariantOption, "math=fast"}};
  EXPECT_EQ(engine_name(o), "x+y");
  EXPECT_EQ(variant_option(o), "");
}

}  // namespace
}  // namespace assay
