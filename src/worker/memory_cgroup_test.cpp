#include "worker/memory_cgroup.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "measure/fake_tree.hpp"
#include "worker/launcher.hpp"

namespace assay::worker {
namespace {

constexpr std::uint64_t kGibi = UINT64_C(1) << 30;

TEST(MemoryCgroup, IsMadeWhereMemoryIsHandedOn) {
  measure::FakeTree tree;
  tree.put("proc/self/cgroup", "0::/user/app\n");
  tree.put("sys/fs/cgroup/user/app/cgroup.subtree_control", "cpu pids\n");
  tree.put("sys/fs/cgroup/user/cgroup.subtree_control", "cpu memory pids\n");
  const auto group = MemoryCgroup::create(2 * kGibi, "assay-1", tree.root());
  ASSERT_NE(group, nullptr);
  const auto folder = tree.root() / "sys/fs/cgroup/user/assay-1";
  EXPECT_EQ(read_file(folder / "memory.max"), "2147483648");
  EXPECT_TRUE(group->add(4711));
  EXPECT_EQ(read_file(folder / "cgroup.procs"), "4711");
  EXPECT_FALSE(group->out_of_memory());
  tree.put("sys/fs/cgroup/user/assay-1/memory.events", "oom 1\noom_kill 0\n");
  EXPECT_FALSE(group->out_of_memory());
  tree.put("sys/fs/cgroup/user/assay-1/memory.events", "oom 1\noom_kill 1\n");
  EXPECT_TRUE(group->out_of_memory());
}

TEST(MemoryCgroup, IsNotMadeWhereTheKernelDoesNotLetUs) {
  measure::FakeTree none;
  EXPECT_EQ(MemoryCgroup::create(kGibi, "assay-1", none.root()), nullptr);
  measure::FakeTree without;
  without.put("proc/self/cgroup", "0::/app\n");
  without.put("sys/fs/cgroup/app/cgroup.subtree_control", "cpu\n");
  EXPECT_EQ(MemoryCgroup::create(kGibi, "assay-1", without.root()), nullptr);
  EXPECT_FALSE(std::filesystem::exists(without.root() / "sys/fs/cgroup/app/assay-1"));
}

TEST(MemoryLimit, IsWhatTheMachineHasLessAReserve) {
  struct Row {
    const char* what;
    std::uint64_t asked, total, available, expected;
  };
  for (const Row& row : {Row{"what was asked for counts", kGibi, 64 * kGibi, 32 * kGibi, kGibi},
                         {"a twentieth of the machine stays", 0, 80 * kGibi, 32 * kGibi, 28 * kGibi},
                         {"256 MiB at the least stay", 0, kGibi, kGibi, kGibi - kGibi / 4},
                         {"nothing sensible is left", 0, 80 * kGibi, 2 * kGibi, 0},
                         {"nothing is known", 0, 0, 0, 0}}) {
    Limits limits;
    limits.memory_bytes = row.asked;
    EXPECT_EQ(with_default_memory(limits, {row.total, row.available}).memory_bytes, row.expected) << row.what;
  }
}

}  // namespace
}  // namespace assay::worker
