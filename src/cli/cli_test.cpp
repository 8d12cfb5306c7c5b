#include "cli/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <sstream>

#include "report/format.hpp"

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

TEST(Cli, ASeedBelowZeroIsRefusedNotWrappedRound) {
  std::ostringstream out;
  std::ostringstream err;
  Context context;
  context.out = &out;
  context.err = &err;
  EXPECT_EQ(run({"evaluate", "tiny-resnet", "--images", "/nowhere", "--seed", "-1"}, context), 2);
  EXPECT_THAT(err.str(), testing::HasSubstr("--seed"));
}

/// What --help of a command prints.
std::string help_of(std::vector<std::string> command) {
  std::ostringstream out;
  std::ostringstream err;
  Context context;
  context.out = &out;
  context.err = &err;
  command.emplace_back("--help");
  EXPECT_EQ(run(command, context), 0) << err.str();
  return out.str();
}

/// Of a command and all that it lists below "Subcommands:"; answers how many they are.
int expect_narrow_help(const std::vector<std::string>& command) {
  std::istringstream lines(help_of(command));
  bool listing = false;
  int commands = 1;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(report::width(line), report::kColumns) << line;
    listing = line == "Subcommands:" || (listing && !line.empty());
    if (!listing || line.rfind("  ", 0) != 0 || line.size() < 3 || line[2] == ' ') continue;
    std::vector<std::string> below = command;
    below.push_back(line.substr(2, line.find(' ', 2) - 2));
    commands += expect_narrow_help(below);
  }
  return commands;
}

TEST(Cli, HelpFitsInto80Columns) {
  EXPECT_EQ(expect_narrow_help({}), 1 + 8 + 3 + 4 + 3);
  EXPECT_THAT(help_of({"bench"}), testing::HasSubstr("--batch-size"));
}

TEST(Cli, TheZooFitsInto80Columns) {
  std::ostringstream out;
  Context context;
  context.out = &out;
  EXPECT_EQ(run({"models", "list"}, context), 0);
  EXPECT_THAT(out.str(), testing::Not(testing::HasSubstr("…")));
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(report::width(line), report::kColumns) << line;
}

struct Typed {
  std::vector<std::string> arguments;
  const char* says;
};

TEST(Cli, WordsThatItDoesNotKnowGetASuggestion) {
  for (const Typed& typed :
       {Typed{{"banch"}, "there is no command 'assay banch'; did you mean 'bench'?"},
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
