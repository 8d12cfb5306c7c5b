// The cache itself.

#include "engine/graph_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/testing/cache_folder.hpp"
#include "engine/testing/sessions.hpp"

namespace assay::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class GraphCacheTest : public test::CacheFolderTest {
 protected:
  GraphCache cache(std::uint64_t limit = 1U << 30U) {
    return {folder(), limit, [this](LogLevel, const std::string& text) { warnings.push_back(text); }};
  }
  static KeyParts parts(const std::string& model, const std::string& threads = "2") {
    return {{"model", model}, {"backend", "null"}, {"threads", threads}};
  }
  /// An entry of `bytes`, last used `age` seconds ago.
  fs::path put(const KeyParts& key, std::size_t bytes, int age = 0, std::uint64_t limit = 1U << 30U) {
    GraphCache c = cache(limit);
    std::optional<Filling> filling = c.begin_filling(key);
    std::ofstream(filling->graph() / "graph.bin") << std::string(bytes, 'g');
    c.keep(std::move(*filling), key);
    const fs::path entry = folder() / "graphs" / key_of(key);
    if (age > 0)
      fs::last_write_time(entry / kManifestName, fs::file_time_type::clock::now() - std::chrono::seconds(age));
    return entry;
  }
  std::vector<std::string> warnings;
};

TEST_F(GraphCacheTest, WhatWasKeptIsFound) {
  const fs::path entry = put(parts("m"), 1000);
  const GraphCache::Found found = cache().find(parts("m"));
  EXPECT_EQ(found.folder, entry);
  EXPECT_THAT(found.remark, HasSubstr("from "));
  EXPECT_EQ(read_file(entry / "graph.bin"), std::string(1000, 'g'));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(GraphCacheTest, AMissSaysWhatIsDifferent) {
  EXPECT_THAT(cache().find(parts("m")).remark, HasSubstr("no graph of this model"));
  KeyParts far = parts("m", "8");
  far["precision"] = "bf16";
  put(far, 10);
  put(parts("m", "4"), 10);
  EXPECT_EQ(cache().find(parts("m", "2")).remark, "no entry: threads is '2', was '4'");
  EXPECT_THAT(cache().find(parts("other")).remark, HasSubstr("no graph of this model"));
}

TEST_F(GraphCacheTest, KeysHoldNamesAndValuesApart) {
  EXPECT_NE(key_of({{"a", "bc"}}), key_of({{"ab", "c"}}));
  EXPECT_NE(key_of({{"a", "1"}, {"b", ""}}), key_of({{"a", "1"}}));
}

/// Every kind of damage is found, thrown away with a warning, and made good by the next one who fills.
class DamageTest : public GraphCacheTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void damage(const fs::path& entry) const {
    const std::string kind = GetParam();
    if (kind == "flipped_bit") {
      std::fstream(entry / "graph.bin", std::ios::in | std::ios::out | std::ios::binary).seekp(500).put('h');
    } else if (kind == "truncated") {
      fs::resize_file(entry / "graph.bin", 999);
    } else if (kind == "file_gone") {
      fs::remove(entry / "graph.bin");
    } else if (kind == "file_more") {
      std::ofstream(entry / "other.bin") << "x";
    } else if (kind == "no_manifest") {
      fs::remove(entry / kManifestName);
    } else if (kind == "manifest_garbage") {
      std::ofstream(entry / kManifestName) << "{\"schema\": 1, \"files\": 7}";
    } else if (kind == "manifest_newer") {
      std::string text = read_file(entry / kManifestName);
      text.replace(text.find("\"schema\": 1"), 11, "\"schema\": 9");
      std::ofstream(entry / kManifestName) << text;
    } else if (kind == "foreign") {
      const fs::path other = entry.parent_path() / key_of(parts("other"));
      fs::rename(other, entry.parent_path() / "aside");
      fs::remove_all(entry);
      fs::rename(entry.parent_path() / "aside", entry);
    } else if (kind == "link") {
      fs::rename(entry / "graph.bin", entry.parent_path().parent_path() / "elsewhere");
      fs::create_symlink(entry.parent_path().parent_path() / "elsewhere", entry / "graph.bin");
    }
  }
};

TEST_P(DamageTest, IsFoundThrownAwayAndMadeGood) {
  put(parts("other"), 1000);
  const fs::path entry = put(parts("m"), 1000);
  damage(entry);
  const GraphCache::Found found = cache().find(parts("m"));
  EXPECT_TRUE(found.folder.empty());
  EXPECT_THAT(found.remark, HasSubstr("thrown away"));
  EXPECT_THAT(warnings, SizeIs(1));
  EXPECT_FALSE(fs::exists(entry));
  put(parts("m"), 1000);
  EXPECT_EQ(cache().find(parts("m")).folder, entry);
}

TEST_P(DamageTest, IsFoundByVerify) {
  put(parts("other"), 1000);
  const fs::path entry = put(parts("m"), 1000);
  EXPECT_THAT(verify_graphs(folder()), IsEmpty());
  damage(entry);
  const std::vector<CacheFinding> findings = verify_graphs(folder());
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].key, entry.filename().string());
  EXPECT_TRUE(findings[0].removed);
  EXPECT_THAT(keys_there(), Not(Contains(entry.filename().string())));
}

INSTANTIATE_TEST_SUITE_P(Kinds, DamageTest,
                         ::testing::Values("flipped_bit", "truncated", "file_gone", "file_more", "no_manifest",
                                           "manifest_garbage", "manifest_newer", "foreign", "link"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_F(GraphCacheTest, WhatIsThrownAwayIsWhatWasFound) {
  const fs::path entry = put(parts("m"), 1000);
  GraphCache::Found mine = cache().find(parts("m"));
  {
    const GraphCache::Found another = cache().find(parts("m"));
    cache().discard(mine, "no reason");  // in use
    EXPECT_TRUE(fs::exists(entry));
  }
  mine = cache().find(parts("m"));
  fs::rename(entry, folder() / "aside");  // thrown away, and made anew, by somebody else
  put(parts("m"), 2000);
  cache().discard(mine, "no reason");
  EXPECT_EQ(cache().find(parts("m")).folder, entry);
  mine = cache().find(parts("m"));
  cache().discard(mine, "no reason");
  EXPECT_FALSE(fs::exists(entry));
}

TEST_F(GraphCacheTest, VerifyLeavesWhatIsInUse) {
  const fs::path entry = put(parts("m"), 1000);
  const GraphCache::Found used = cache().find(parts("m"));
  fs::resize_file(entry / "graph.bin", 999);
  const std::vector<CacheFinding> findings = verify_graphs(folder());
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_FALSE(findings[0].removed);
  EXPECT_TRUE(fs::exists(entry));
}

TEST_F(GraphCacheTest, TheLeastRecentlyUsedGoesFirstButNeverOneInUse) {
  const fs::path oldest = put(parts("a"), 1000, 300);
  const fs::path second = put(parts("b"), 1000, 200);
  const fs::path third = put(parts("c"), 1000, 100);
  const GraphCache::Found used = cache().find(parts("a"));
  fs::last_write_time(oldest / kManifestName, fs::file_time_type::clock::now() - std::chrono::seconds(300));
  const std::uint64_t entry_bytes = list_graphs(folder())[0].bytes;
  put(parts("d"), 1000, 0, entry_bytes * 3 + 100);
  EXPECT_TRUE(fs::exists(oldest));  // in use
  EXPECT_FALSE(fs::exists(second));
  EXPECT_TRUE(fs::exists(third));
  EXPECT_THAT(keys_there(), SizeIs(3));
}

TEST_F(GraphCacheTest, UseMakesAnEntryYoung) {
  const fs::path a = put(parts("a"), 1000, 300);
  const fs::path b = put(parts("b"), 1000, 200);
  {
    const GraphCache::Found used = cache().find(parts("a"));
  }
  put(parts("c"), 1000, 0, list_graphs(folder())[0].bytes * 2 + 100);
  EXPECT_TRUE(fs::exists(a));
  EXPECT_FALSE(fs::exists(b));
}

TEST_F(GraphCacheTest, MoreThanTheCacheMayHoldIsNotKept) {
  put(parts("a"), 5000, 0, 1000);
  EXPECT_THAT(keys_there(), IsEmpty());
  EXPECT_EQ(things_there(), 0);
}

TEST_F(GraphCacheTest, ListTellsTheParts) {
  put(parts("a"), 1000, 50);
  put(parts("b"), 2000);
  const GraphCache::Found used = cache().find(parts("b"));
  const std::vector<CachedGraph> all = list_graphs(folder());
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].parts.at("model"), "b");
  EXPECT_TRUE(all[0].in_use);
  EXPECT_FALSE(all[1].in_use);
  EXPECT_GT(all[0].bytes, 2000U);
  EXPECT_GE(all[0].last_used, all[1].last_used);
  EXPECT_THAT(list_graphs("/nonexistent/folder"), IsEmpty());
}

TEST_F(GraphCacheTest, ClearRemovesAllButWhatIsInUse) {
  put(parts("a"), 1000);
  put(parts("b"), 1000);
  {
    const GraphCache::Found used = cache().find(parts("b"));
    const Cleared cleared = clear_graphs(folder());
    EXPECT_EQ(cleared.removed, 1);
    EXPECT_EQ(cleared.in_use, 1);
    EXPECT_GT(cleared.bytes, 1000U);
  }
  EXPECT_EQ(clear_graphs(folder()).removed, 1);
  EXPECT_EQ(things_there(), 0);
}

TEST_F(GraphCacheTest, WhatDeadProcessesLeftIsSweptAwayByTheNextThatFillsVerifiesOrClears) {
  const fs::path graphs = folder() / "graphs";
  const std::optional<Filling> alive = cache().begin_filling(parts("m"));
  const auto leave = [&] {
    fs::create_directories(graphs / ".filling-dead" / "graph");
    std::ofstream(graphs / ".filling-dead" / "graph" / "code") << std::string(500, 'g');
  };
  leave();
  put(parts("a"), 10);
  EXPECT_FALSE(fs::exists(graphs / ".filling-dead"));
  leave();
  verify_graphs(folder());
  EXPECT_FALSE(fs::exists(graphs / ".filling-dead"));
  leave();
  const Cleared cleared = clear_graphs(folder());
  EXPECT_EQ(cleared.removed, 1);
  EXPECT_EQ(cleared.unfinished.removed, 1);
  EXPECT_EQ(cleared.unfinished.bytes, 500U);
  EXPECT_TRUE(fs::exists(alive->graph()));
  EXPECT_EQ(things_there(), 1);
}

TEST_F(GraphCacheTest, TheLimitIsReadFromTheEnvironment) {
  const auto limit = [](const char* text) {
    const ScopedVariable variable("ASSAY_CACHE_LIMIT", text);
    return cache_limit();
  };
  EXPECT_EQ(limit("1234"), 1234U);
  EXPECT_EQ(limit("1.5KiB"), 1536U);
  EXPECT_EQ(limit("20GiB"), UINT64_C(20) << 30U);
  EXPECT_EQ(limit(""), UINT64_C(10) << 30U);
  for (const char* wrong : {"10GB", "-1", "many", "1e99"}) {
    EXPECT_EQ(test::error_of([&] { limit(wrong); }).context(), "ASSAY_CACHE_LIMIT") << wrong;
  }
}

}  // namespace
}  // namespace assay::engine
