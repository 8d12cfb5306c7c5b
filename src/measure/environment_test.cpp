#include "measure/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "measure/fake_tree.hpp"
#include "measure/files.hpp"
#include "measure/memory.hpp"

namespace assay::measure {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::uint64_t kMebi = 1024 * 1024;

void put_machine(FakeTree& tree) {
  tree.put("proc/cpuinfo", "processor\t: 0\nmodel name\t: Fake CPU\nflags\t\t: fpu avx2 hypervisor\n");
  tree.put("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-3\n");
  tree.put("proc/meminfo", "MemTotal:       8388608 kB\nMemAvailable:   4194304 kB\nSwapTotal: 0 kB\n");
  tree.put("proc/loadavg", "0.01 0.02 0.03 1/100 1234\n");
  tree.put("proc/sys/kernel/osrelease", "6.1.0\n");
  tree.put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  for (int cpu = 0; cpu < 4; ++cpu) tree.put("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/online", "1");
  tree.put("sys/devices/system/cpu/cpu0/cache/index0/level", "1");
  tree.put("sys/devices/system/cpu/cpu0/cache/index0/size", "32K");
  tree.put("sys/devices/system/cpu/cpu0/cache/index3/level", "3");
  tree.put("sys/devices/system/cpu/cpu0/cache/index3/size", "16M");
}

TEST(Environment, ReadsWhatIsThere) {
  FakeTree tree;
  put_machine(tree);
  const Environment e = read_environment(tree.root());
  EXPECT_THAT(e.values, Contains(Pair("cpu.model", "Fake CPU")));
  EXPECT_THAT(e.values, Contains(Pair("cpu.allowed", "4")));
  EXPECT_THAT(e.values, Contains(Pair("cpu.count", "4")));
  EXPECT_THAT(e.values, Contains(Pair("virtual", "yes")));
  EXPECT_THAT(e.values, Contains(Pair("memory.total", std::to_string(8192 * kMebi))));
  EXPECT_THAT(e.values, Contains(Pair("memory.huge_pages", "madvise")));
  EXPECT_THAT(e.values, Contains(Pair("kernel", "6.1.0")));
  EXPECT_EQ(e.values.count("cpu.governor"), 0U) << "what a machine does not tell is not there";
  EXPECT_THAT(e.warnings, IsEmpty());
  EXPECT_EQ(last_level_cache_bytes(tree.root()), 16 * kMebi);
}

TEST(Environment, AnEmptyMachineIsNoError) {
  const FakeTree tree;
  EXPECT_NO_THROW(read_environment(tree.root()));
  EXPECT_EQ(last_level_cache_bytes(tree.root()), 32 * kMebi);
  EXPECT_EQ(machine_memory(tree.root()).total, 0U);
}

TEST(Environment, WarningsAreTypedAndAdvise) {
  FakeTree tree;
  put_machine(tree);
  tree.put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  tree.put("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
  tree.put("proc/loadavg", "2.50 1 1 3/80 1\n");
  tree.put("proc/self/cgroup", "0::/box\n");
  tree.put("proc/self/mountinfo", "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  tree.put("sys/fs/cgroup/box/cpu.max", "150000 100000\n");
  const Environment e = read_environment(tree.root());
  for (const char* kind : {"governor", "turbo", "noisy-neighbour", "cpu-quota"}) {
    EXPECT_THAT(e.warnings, Contains(Field(&Warning::kind, kind)));
  }
  for (const Warning& w : e.warnings) {
    EXPECT_FALSE(w.message.empty());
    EXPECT_FALSE(w.advice.empty()) << w.kind;
  }
  EXPECT_THAT(e.values, Contains(Pair("cpu.quota", "1.50")));
  EXPECT_THAT(e.values, Contains(Pair("cpu.governor", "powersave")));
}

TEST(MachineMemory, IsCutToTheCgroupsLimit) {
  FakeTree v2;
  put_machine(v2);
  v2.put("proc/self/cgroup", "0::/a/b\n");
  v2.put("sys/fs/cgroup/a/memory.max", "1073741824\n");
  v2.put("sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(machine_memory(v2.root()).total, 1024 * kMebi);
  FakeTree v1;
  put_machine(v1);
  v1.put("proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/\n");
  v1.put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "536870912\n");
  v1.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(machine_memory(v1.root()).total, 512 * kMebi);
  EXPECT_EQ(machine_memory(v1.root()).available, 512 * kMebi);
}

TEST(ProcessMemory, PeakIsTheMarkLessWhatIsShared) {
  FakeTree tree;
  tree.put("proc/7/smaps_rollup", "55-77 ---p [rollup]\nRss:   1000 kB\nPss:    600 kB\n");
  tree.put("proc/7/status", "VmHWM:\t    3000 kB\n");
  const auto memory = read_process_memory(tree.root(), "7");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->pss, 600U * 1024);
  EXPECT_EQ(memory->peak_pss(), 2600U * 1024);
  EXPECT_FALSE(read_process_memory(tree.root(), "8"));
  tree.put("proc/7/statm", "900 250 30 1 0 100 0\n");
  EXPECT_GT(resident_bytes(7, tree.root()), 0U);
  EXPECT_EQ(resident_bytes(8, tree.root()), 0U);
}

TEST(ProcessMemory, OurOwnIsRead) {
  const auto before = read_process_memory();
  ASSERT_TRUE(before);
  const std::vector<char> eaten(32 * kMebi, 1);
  const auto after = read_process_memory();
  EXPECT_GT(after->pss, before->pss + 24 * kMebi) << static_cast<int>(eaten[eaten.size() / 2]);
  EXPECT_GE(after->peak_resident, after->resident);
}

TEST(Files, OddOnesAreNotThere) {
  FakeTree tree;
  tree.put("empty", "");
  tree.put("text", "abc");
  EXPECT_FALSE(read_text(tree.root() / "empty"));
  EXPECT_FALSE(read_number(tree.root() / "text"));
  EXPECT_FALSE(read_number(tree.root() / "missing"));
  tree.put("list/cpu10/x", "1");
  tree.put("list/cpu9/x", "1");
  tree.put("list/cpufreq/x", "1");
  const auto folders = numbered_folders(tree.root() / "list", "cpu");
  ASSERT_EQ(folders.size(), 2U);
  EXPECT_EQ(folders[0].filename(), "cpu9");
}

}  // namespace
}  // namespace assay::measure
