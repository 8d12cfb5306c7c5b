// Where buffers lie: never on one another while both are needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "compiler/aligned_memory.hpp"
#include "compiler/plan.hpp"

namespace assay::compiler {
namespace {

/// Steps that each read a buffer written before and write a new one.
Plan random_plan(unsigned seed) {
  std::mt19937 random(seed);
  Plan plan;
  const auto add = [&] {
    Buffer b;
    b.bytes = static_cast<std::int64_t>(1 + random() % 5000);
    plan.buffers.push_back(b);
    return static_cast<int>(plan.buffers.size()) - 1;
  };
  add();
  for (int i = 0; i < 40; ++i) {
    const int from = static_cast<int>(random() % plan.buffers.size());
    const int to = add();
    plan.steps.push_back({0, {{from}, {to}}, ""});
  }
  return plan;
}

struct Use {
  std::size_t first = SIZE_MAX, last = 0;
};

std::vector<Use> uses_of(const Plan& plan) {
  std::vector<Use> uses(plan.buffers.size());
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    for (const auto& [b, offset] : plan.steps[s].pointers) {
      Use& use = uses[static_cast<std::size_t>(b)];
      use.first = std::min(use.first, s);
      use.last = s;
    }
  }
  return uses;
}

class PlaceBuffers : public testing::TestWithParam<unsigned> {};

TEST_P(PlaceBuffers, NoTwoThatAreNeededTogetherOverlap) {
  Plan plan = random_plan(GetParam());
  place_buffers(plan);
  const std::vector<Use> uses = uses_of(plan);
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& a = plan.buffers[i];
    if (uses[i].first == SIZE_MAX) continue;
    EXPECT_EQ(a.offset % 64, 0);
    EXPECT_LE(a.offset + a.bytes, plan.arena_bytes);
    for (std::size_t j = 0; j < i; ++j) {
      const Buffer& b = plan.buffers[j];
      if (uses[j].first == SIZE_MAX) continue;
      const bool apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
      const bool together = uses[i].first <= uses[j].last && uses[j].first <= uses[i].last;
      EXPECT_TRUE(apart || !together) << i << " and " << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PlaceBuffers, testing::Range(0U, 20U));

TEST(AlignedMemory, IsZerosAndEndsWherePagesBeginThatNobodyMayTouch) {
  for (const std::int64_t bytes : {1, 64, 4096, 100000}) {
    AlignedMemory memory(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % 64, 0U);
    for (std::int64_t i = 0; i < bytes; ++i) ASSERT_EQ(memory.data()[i], std::byte{0});
    memory.data()[bytes - 1] = std::byte{1};
    const std::int64_t end = (bytes + 63) / 64 * 64;
    EXPECT_DEATH(memory.data()[end] = std::byte{1}, "");
  }
  EXPECT_EQ(AlignedMemory(0).data(), nullptr);
}

}  // namespace
}  // namespace assay::compiler
