// What makes figures those of another build or engine, and what does not.
#include "stamp.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <stdexcept>

#include "base/file.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::bench {
namespace {

namespace fs = std::filesystem;

class StampTest : public testing::Test {
 protected:
  StampTest() {
    write(plugin_, "plugin");
    write(framework_, "framework");
  }
  static void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  static void touch(const fs::path& file) {
    fs::last_write_time(file, fs::last_write_time(file) + std::chrono::seconds(10));
  }
  [[nodiscard]] std::string engine() const { return stamp_of_engine(plugin_, "1.2", framework_); }

  TemporaryFolder folder_;
  fs::path plugin_ = folder_.path() / "lib/assay/libassay_backend_x.so";
  fs::path framework_ = folder_.path() / "x/libx.so.1";
};

TEST_F(StampTest, LinkedAgainFromTheSameCodeAndBesideOtherFilesAnEngineIsTheSame) {
  const std::string before = engine();
  touch(plugin_);
  write(plugin_.parent_path() / "libassay_backend_y.so", "another plugin");
  write(plugin_.parent_path() / "tests/assay_backend_x_test", "its tests");
  write(framework_.parent_path() / "readme.txt", "no library");
  EXPECT_EQ(engine(), before);
}

TEST_F(StampTest, AnotherPluginVersionOrLibraryIsAnother) {
  const std::string before = engine();
  EXPECT_NE(stamp_of_engine(plugin_, "1.3", framework_), before);
  touch(framework_);
  const std::string touched = engine();
  EXPECT_NE(touched, before);
  write(framework_.parent_path() / "libx_cpu_plugin.so", "opened later");
  const std::string with_plugin = engine();
  EXPECT_NE(with_plugin, touched);
  write(plugin_, "plugin, changed");
  EXPECT_NE(engine(), with_plugin);
}

TEST_F(StampTest, APluginThatIsItsOwnLibraryIsOfNoOther) {
  const std::string before = stamp_of_engine(plugin_, "1", plugin_);
  write(plugin_.parent_path() / "libassay_backend_y.so", "another plugin");
  EXPECT_EQ(stamp_of_engine(plugin_, "1", plugin_), before);
  EXPECT_EQ(stamp_of_engine(plugin_, "1", ""), before);
}

TEST_F(StampTest, ProgramsAreWhatTheyHold) {
  const std::string before = stamp_of_programs({plugin_, framework_});
  touch(plugin_);
  EXPECT_EQ(stamp_of_programs({plugin_, framework_}), before);
  write(framework_, "changed");
  EXPECT_NE(stamp_of_programs({plugin_, framework_}), before);
}

TEST_F(StampTest, AStateGoesOnWithTheEnginesThatItKnowsAsTheyAreNow) {
  const std::string file = (folder_.path() / "state").string();
  {
    State state(file);
    require_same(state, {"null"}, {"resnet50"});
  }
  State again(file);
  require_same(again, {"null", "none-such"}, {});
  State third(file);
  EXPECT_THROW(third.require("null", "plugin of another build"), std::runtime_error);
}

TEST_F(StampTest, AFileThatChangedIsAnotherModel) {
  const std::string model = (folder_.path() / "a.onnx").string();
  const auto go_on_with = [&](const char* operation) {
    write_file_atomically(model,
                          onnx_graph::TestModel().input("x", {1, 4}).node(operation, {"x"}, {"y"}).output("y").bytes());
    State state((folder_.path() / "state").string());
    require_same(state, {}, {model});
  };
  go_on_with("Relu");
  go_on_with("Relu");
  EXPECT_THROW(go_on_with("Neg"), std::runtime_error);
}

}  // namespace
}  // namespace assay::bench
