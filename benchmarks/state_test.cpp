// What a file of figures keeps, and of what it refuses to go on.
#include "state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "base/file.hpp"

namespace assay::bench {
namespace {

using testing::HasSubstr;

class StateTest : public testing::Test {
 protected:
  /// Of these it says how often it was asked.
  std::function<double()> measured(double figure) {
    return [this, figure] {
      ++asked_;
      return figure;
    };
  }
  void write(const std::string& text) const { std::ofstream(file_) << text; }

  TemporaryFolder folder_;
  std::string file_ = (folder_.path() / "state").string();
  int asked_ = 0;
};

TEST_F(StateTest, WhatWasMeasuredIsNotMeasuredAgainAndWhatFailedIs) {
  {
    State state(file_);
    state.require("build", "one");
    EXPECT_EQ(state.figure("vgg19 block 1", measured(0.123456789012)), 0.123456789012);
    EXPECT_EQ(state.figure("vgg19 block 2", measured(0)), 0);
  }
  State again(file_);
  again.require("build", "one");
  EXPECT_TRUE(again.knows("vgg19 block 1"));
  EXPECT_TRUE(again.knows("vgg19 block 2"));
  EXPECT_FALSE(again.knows("vgg19 block 3"));
  EXPECT_EQ(again.figure("vgg19 block 1", measured(7)), 0.123456789012);
  EXPECT_EQ(again.figure("vgg19 block 2", measured(5)), 5);
  EXPECT_EQ(asked_, 3);
}

TEST_F(StateTest, ReadOnlyNothingIsMeasuredAndAFailureIsOne) {
  write("# build: one\n0 a\n2.5 b\n3 cut of");
  State reader(file_, true);
  reader.require("machine", "new");
  EXPECT_EQ(reader.figure("a", measured(1)), 0);
  EXPECT_EQ(reader.figure("b", measured(1)), 2.5);
  EXPECT_EQ(reader.figure("c", measured(1)), std::nullopt);
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(read_file(file_), "# build: one\n0 a\n2.5 b\n3 cut of");
}

TEST_F(StateTest, FiguresOfAnotherBuildMachineOrEngineAreNotGoneOnWith) {
  write("# build: one\n# mlir: plugin 12\n2 a\n");
  for (const auto& [name, text] : {std::pair{"build", "two"}, {"mlir", "plugin 13"}}) {
    State state(file_);
    try {
      state.require(name, text);
      FAIL() << name;
    } catch (const std::runtime_error& e) {
      EXPECT_THAT(e.what(), HasSubstr(text));
    }
  }
  State state(file_);
  state.require("build", "one");
  state.require("openvino", "plugin 99");  // this one's first figures
  EXPECT_EQ(read_file(file_), "# build: one\n# mlir: plugin 12\n2 a\n# openvino: plugin 99\n");
}

TEST_F(StateTest, WhatAStoppedProgramLeftOfALineIsDropped) {
  write("# build: one\n2 a\n14.1");
  State state(file_);
  EXPECT_EQ(state.figure("a", measured(1)), 2);
  (void)state.figure("b", measured(3));
  EXPECT_EQ(read_file(file_), "# build: one\n2 a\n3 b\n");
}

TEST_F(StateTest, WhatIsForgottenIsMeasuredAgainAndThatCounts) {
  write("2 a\n");
  {
    State state(file_);
    state.forget("a");
    EXPECT_EQ(state.known("a"), std::nullopt);
  }
  {
    State state(file_);  // what was forgotten stays so, whenever the program ended
    EXPECT_FALSE(state.knows("a"));
    EXPECT_EQ(state.figure("a", measured(3)), 3);
  }
  State state(file_);
  EXPECT_EQ(state.known("a"), 3);
  EXPECT_EQ(read_file(file_), "2 a\n- a\n3 a\n");
}

TEST_F(StateTest, FiguresOfAnotherBuildCanBeShown) {
  write("# build: one\n2 a\n");
  State state(file_, true);
  testing::internal::CaptureStderr();
  state.require("build", "two");
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("is of build \"one\", this is \"two\""));
  EXPECT_EQ(state.known("a"), 2);
}

TEST_F(StateTest, WhereThereIsNoFileThereIsNothingToReport) {
  EXPECT_THROW(State(file_, true), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(StateTest, AnotherFileIsNotWrittenTo) {
  const std::string text = "build 36fdae686eae on a CPU\n7.99 vgg19\n";
  write(text);
  EXPECT_THROW(State{file_}, std::runtime_error);
  EXPECT_EQ(read_file(file_), text);
  EXPECT_THROW(State{(folder_.path() / "no/such/folder").string()}, std::runtime_error);
}

}  // namespace
}  // namespace assay::bench
