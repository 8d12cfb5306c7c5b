#include "base/cpu.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/file.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// A fake /proc and /sys.
class CpuTest : public ::testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) {
    fs::create_directories((root() / path).parent_path());
    std::ofstream(root() / path) << text;
  }
  [[nodiscard]] const fs::path& root() const { return folder_.path(); }
  void allow(const std::string& list) { put("proc/self/status", "Name:\tx\nCpus_allowed_list:\t" + list + "\n"); }
  void mount_v2(const std::string& mount_root = "/") {
    put("proc/self/mountinfo",
        "24 1 0:22 / /proc rw - proc proc rw\n30 1 0:26 " + mount_root + " /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(CpuTest, AffinityListsAndRanges) {
  allow("0-3,8,10-11");
  EXPECT_EQ(affinity_cores(root()), 7);
  EXPECT_EQ(allowed_cores(root()), 7);
  EXPECT_FALSE(cgroup_cpu_quota(root()).has_value());
}

TEST_F(CpuTest, NothingReadableStillAnswersOne) { EXPECT_GE(allowed_cores(root()), 1); }

TEST_F(CpuTest, QuotaOfVersionTwoRoundsUp) {
  allow("0-7");
  mount_v2();
  put("proc/self/cgroup", "0::/app/worker\n");
  put("sys/fs/cgroup/app/worker/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_cpu_quota(root()), 1.5);
  EXPECT_EQ(allowed_cores(root()), 2);
}

TEST_F(CpuTest, AnAncestorsLimitCounts) {
  allow("0-7");
  mount_v2();
  put("proc/self/cgroup", "0::/app/worker\n");
  put("sys/fs/cgroup/app/cpu.max", "300000 100000\n");
  put("sys/fs/cgroup/app/worker/cpu.max", "max 100000\n");
  EXPECT_EQ(allowed_cores(root()), 3);
}

TEST_F(CpuTest, AContainersMountIsItsGroup) {
  allow("0-7");
  mount_v2("/docker/abc");
  put("proc/self/cgroup", "0::/docker/abc\n");
  put("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(allowed_cores(root()), 2);
  put("proc/self/cgroup", "0::/../other\n");  // a path outside what is mounted
  EXPECT_EQ(allowed_cores(root()), 2);
}

TEST_F(CpuTest, QuotaOfVersionOne) {
  allow("0-7");
  put("proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/app\n0::/\n");
  put("proc/self/mountinfo",
      "31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "32 1 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
  put("sys/fs/cgroup/memory/m/cpu.cfs_quota_us", "100000\n");  // not where a quota stands
  put("sys/fs/cgroup/cpu/app/cpu.cfs_quota_us", "400000\n");
  put("sys/fs/cgroup/cpu/app/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(allowed_cores(root()), 4);
  put("sys/fs/cgroup/cpu/app/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(allowed_cores(root()), 8);
}

TEST_F(CpuTest, AQuotaAboveTheMaskDoesNotWidenIt) {
  allow("2");
  mount_v2();
  put("proc/self/cgroup", "0::/\n");
  put("sys/fs/cgroup/cpu.max", "800000 100000\n");
  EXPECT_EQ(allowed_cores(root()), 1);
}

TEST_F(CpuTest, GarbageIsNoLimit) {
  allow("0-1");
  mount_v2();
  put("proc/self/cgroup", "garbage\n0::/\n::\n");
  put("sys/fs/cgroup/cpu.max", "nonsense 0\n");
  EXPECT_EQ(allowed_cores(root()), 2);
}

TEST(Cpu, ThisMachine) {
  EXPECT_GE(allowed_cores(), 1);
  EXPECT_GE(affinity_cores(), allowed_cores());
}

}  // namespace
}  // namespace assay
