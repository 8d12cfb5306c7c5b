// What is kept of a build.
#include "engine_cache.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <span>

#include "engine.hpp"

namespace assay::tensorrt {
namespace {

using testing::HasSubstr;

class EngineCache : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_tensorrt_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
  const Facts facts_{"f16", 1 << 20, 5, true};
  const std::string engine_ = "engine", timing_ = "times";
};

TEST_F(EngineCache, GivesBackWhatWasPut) {
  fill_folder(folder_, std::as_bytes(std::span(engine_)), facts_, std::as_bytes(std::span(timing_)));
  const CachedEngine read = read_engine(folder_);
  EXPECT_EQ(std::string(read.engine.text(), read.engine.size()), engine_);
  EXPECT_EQ(read.facts, facts_);
  EXPECT_EQ(read_timing("", folder_), timing_);
}

TEST_F(EngineCache, FactsAreReadAsWritten) {
  EXPECT_EQ(parse_facts(to_text(facts_)), facts_);
  const std::string whole = to_text(facts_);
  for (const std::string& broken : {std::string(), std::string("precision=f32\n"), whole + "more=1\n",
                                    std::string("precision\n"), whole.substr(0, whole.size() - 2)}) {
    EXPECT_FALSE(parse_facts(broken).has_value()) << broken;
  }
  EXPECT_FALSE(parse_facts("precision=f32\nworkspace_bytes=many\noptimization_level=3\ntf32=0\n").has_value());
}

TEST_F(EngineCache, AnEmptyFolderHoldsNone) {
  try {
    (void)read_engine(folder_);
    ADD_FAILURE() << "an engine was read";
  } catch (const kit::Failure& e) {
    EXPECT_THAT(e.what(), HasSubstr(folder_));
  }
}

TEST_F(EngineCache, AFolderThatIsNotThereIsToldAtOnce) {
  for (const auto& fill : std::vector<std::function<void()>>{
           [&] { fill_folder(folder_ + "/not", std::as_bytes(std::span(engine_)), facts_, {}); },
           [&] { write_timing(folder_ + "/not/times", std::as_bytes(std::span(timing_))); }}) {
    try {
      fill();
      ADD_FAILURE() << "it was written";
    } catch (const kit::Failure& e) {
      EXPECT_EQ(e.code(), ASSAY_FRAMEWORK);
      EXPECT_THAT(e.what(), HasSubstr("cannot write " + folder_ + "/not"));
    }
  }
}

TEST_F(EngineCache, ATimingFileIsReplacedWhole) {
  const std::string file = folder_ + "/times";
  EXPECT_EQ(read_timing(file, folder_), "");
  write_timing(file, std::as_bytes(std::span(timing_)));
  write_timing(file, std::as_bytes(std::span(engine_)));
  EXPECT_EQ(read_timing(file, ""), engine_);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  EXPECT_EQ(read_timing("", ""), "");
}

TEST(Names, OfOutputsThatAreInputsAreTheModels) {
  kit::TensorInfo x;
  x.name = "x";
  const std::vector<kit::TensorInfo> inputs = {x};
  struct Row {
    const char *tensor, *model;
  };
  for (const Row& row : {Row{"y", "y"}, {"__x", "x"}, {"__y", "__y"}, {"__", "__"}, {"_x", "_x"}}) {
    EXPECT_EQ(model_name(row.tensor, inputs), row.model);
  }
}

}  // namespace
}  // namespace assay::tensorrt
