#include "engine/cache_filling.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <utility>

#include "engine/testing/cache_folder.hpp"

namespace assay::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CacheFillingTest : public test::CacheFolderTest {
 protected:
  std::optional<Filling> begin(const std::string& model = "m") {
    std::optional<Filling> filling = Filling::begin(graphs(), {{"model", model}});
    if (filling) std::ofstream(filling->graph() / "code") << std::string(1000, 'g');
    return filling;
  }
  [[nodiscard]] fs::path graphs() const { return folder() / "graphs"; }
};

TEST_F(CacheFillingTest, GivesAnEmptyFolderAndRemovesWhatBecameNoEntry) {
  {
    const std::optional<Filling> filling = Filling::begin(graphs(), {});
    ASSERT_TRUE(filling);
    EXPECT_TRUE(fs::is_empty(filling->graph()));
    std::ofstream(filling->graph() / "code") << "half";
  }
  EXPECT_EQ(things_there(), 0);
  {
    std::optional<Filling> filling = begin();
    Filling moved = std::move(*filling);
    EXPECT_TRUE(moved.become(graphs() / "entry"));
  }
  EXPECT_EQ(things_there(), 1);
  EXPECT_TRUE(fs::exists(graphs() / "entry" / "code"));
  EXPECT_FALSE(begin()->become(graphs() / "entry"));  // somebody else was first
  EXPECT_EQ(things_there(), 1);
  EXPECT_FALSE(Filling::begin("/proc/graphs", {}));
}

TEST_F(CacheFillingTest, WhatIsBeingFilledIsListedAndStays) {
  const std::optional<Filling> filling = begin("one");
  const std::vector<UnfinishedGraph> all = list_unfinished(folder());
  ASSERT_THAT(all, SizeIs(1));
  EXPECT_TRUE(all[0].being_filled);
  EXPECT_EQ(all[0].parts.at("model"), "one");
  EXPECT_GT(all[0].bytes, 1000U);
  EXPECT_GT(all[0].since, 0);
  EXPECT_EQ(sweep_unfinished(folder()).removed, 0);
  EXPECT_TRUE(fs::exists(filling->graph() / "code"));
  EXPECT_THAT(list_unfinished("/nonexistent/folder"), IsEmpty());
}

/// The lock dies with its process: not after an hour, at once.
TEST_F(CacheFillingTest, WhatADeadProcessLeftIsListedSoAndSweptAway) {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::optional<Filling> filling = begin("of the dead");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  const std::optional<Filling> alive = begin("of the living");
  const std::vector<UnfinishedGraph> all = list_unfinished(folder());
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].parts.at("model"), "of the living");
  EXPECT_FALSE(all[1].being_filled);
  EXPECT_EQ(all[1].parts.at("model"), "of the dead");
  const Swept swept = sweep_unfinished(folder());
  EXPECT_EQ(swept.removed, 1);
  EXPECT_EQ(swept.bytes, all[1].bytes);
  EXPECT_EQ(things_there(), 1);
}

TEST_F(CacheFillingTest, AProcessThatEndsAmidItsFillingsDropsThem) {
  std::optional<Filling> one = begin("one");
  std::optional<Filling> two = begin("two");
  {
    const auto held = drop_fillings();
    EXPECT_EQ(things_there(), 0);
    EXPECT_FALSE(std::ofstream(one->graph() / "more").good());
  }
  EXPECT_FALSE(one->become(graphs() / "entry"));
  one.reset();
  EXPECT_EQ(things_there(), 0);
  EXPECT_TRUE(begin("three")->become(graphs() / "entry"));
}

}  // namespace
}  // namespace assay::engine
