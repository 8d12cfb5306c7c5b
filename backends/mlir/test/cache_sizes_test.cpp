#include "compiler/cache_sizes.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>
#include <string>

namespace assay::compiler {
namespace {

TEST(CacheSizes, AreThoseOfTheUnifiedCacheOfALevel) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("assay_cache_sizes_" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  int next = 0;
  const auto add = [&](const char* level, const char* type, const char* size) {
    const std::filesystem::path to = folder / "cache" / ("index" + std::to_string(next++));
    std::filesystem::create_directories(to);
    std::ofstream(to / "level") << level << "\n";
    std::ofstream(to / "type") << type << "\n";
    std::ofstream(to / "size") << size << "\n";
  };
  EXPECT_FALSE(cache_bytes(2, folder));
  add("1", "Data", "32K");
  add("1", "Instruction", "32K");
  add("2", "Unified", "1024K");
  add("3", "Unified", "33M");
  add("4", "Unified", "much");
  EXPECT_FALSE(cache_bytes(1, folder));
  EXPECT_EQ(cache_bytes(2, folder), 1024 * 1024);
  EXPECT_EQ(cache_bytes(3, folder), 33 * 1024 * 1024);
  EXPECT_FALSE(cache_bytes(4, folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace assay::compiler
