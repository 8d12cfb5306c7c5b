#include "base/suggest.hpp"

#include <gtest/gtest.h>

#include <array>

namespace assay {
namespace {

const std::array<std::string, 4> kNames = {"intra_op_threads", "inter_op_threads", "arena", "memory_pattern"};

TEST(Suggest, FindsMisspelledNamesNearestFirst) {
  EXPECT_EQ(near_names("intra_op_thread", kNames), (std::vector<std::string>{"intra_op_threads", "inter_op_threads"}));
  EXPECT_EQ(near_names("aerna", kNames), std::vector<std::string>{"arena"});
  EXPECT_EQ(near_names("memory", kNames), std::vector<std::string>{"memory_pattern"});
  EXPECT_TRUE(near_names("streams", kNames).empty());
  EXPECT_TRUE(near_names("", kNames).empty());
}

TEST(Suggest, AdviceNamesTheNearOnesOrAll) {
  EXPECT_EQ(name_advice("arenas", kNames), "did you mean 'arena'?");
  EXPECT_EQ(name_advice("x", kNames), "there are intra_op_threads, inter_op_threads, arena and memory_pattern");
  EXPECT_EQ(name_advice("x", std::span(kNames).first(1)), "there is intra_op_threads");
  EXPECT_EQ(name_advice("x", {}), "there are none");
}

}  // namespace
}  // namespace assay
