#include "cli/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <sstream>

namespace assay::cli {
namespace {

TEST(Cli, WhatCannotBePrintedIsNoSuccess) {
  std::ostream out(nullptr);  // takes nothing
  std::ostringstream err;
  Context context;
  context.out = &out;
  context.err = &err;
  EXPECT_EQ(run({"models", "list"}, context), 2);
  EXPECT_THAT(err.str(), testing::HasSubstr("could not be written"));
}

struct Typed {
  std::vector<std::string> arguments;
  const char* says;
};

TEST(Cli, WordsThatItDoesNotKnowGetASuggestion) {
  for (const Typed& typed : {Typed{{"banch"}, "there is no command 'assay banch'; did you mean 'bench'?"},
                             Typed{{"results", "lst"}, "there is no command 'assay results lst'; did you mean 'list'?"},
                             Typed{{"bench", "--batchsize", "1"}, "of 'assay bench'; did you mean '--batch-size'?"},
                             Typed{{"bench", "--batchsize=1"}, "there is no option '--batchsize' of 'assay bench'"},
                             Typed{{"predict", "m", "--lables", "x"}, "did you mean '--labels'?"},
                             Typed{{"bench", "--quick"}, "assay bench --help lists them"},
                             Typed{{"--versoin"}, "there is no option '--versoin' of 'assay'; did you mean"},
                             Typed{{"cache", "list", "all"}, "'all' is one argument too many for 'assay cache list'"}}) {
    std::ostringstream out;
    std::ostringstream err;
    Context context;
    context.out = &out;
    context.err = &err;
    EXPECT_EQ(run(typed.arguments, context), 2);
    EXPECT_EQ(out.str(), "");
    EXPECT_THAT(err.str(), testing::HasSubstr(typed.says));
  }
}

}  // namespace
}  // namespace assay::cli
