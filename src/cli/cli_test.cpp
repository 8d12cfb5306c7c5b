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

}  // namespace
}  // namespace assay::cli
