// Sessions of the null backend through the graph cache.

#include "engine/cached_open.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "engine/testing/cache_folder.hpp"
#include "engine/testing/sessions.hpp"

namespace assay::engine {
namespace {

namespace fs = std::filesystem;
using test::FakeModel;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Sessions of the null backend, whose graph is the line that describes it.
class CachedLoadTest : public test::CacheFolderTest {
 protected:
  Session open(std::map<std::string, std::string> options = {}, int threads = 2) {
    Params params{.backend = "null", .threads = threads, .options = std::move(options), .cache = folder()};
    params.options["io"] = test::kIo;
    params.log = [this](LogLevel level, const std::string& text) {
      if (level == LogLevel::kWarning) warnings.push_back(text);
      if (on_message) on_message(text);
    };
    return open_model(model.model, params, {});
  }
  FakeModel model{test::kIo};
  std::vector<std::string> warnings;
  std::function<void(const std::string&)> on_message;
};

TEST_F(CachedLoadTest, TheSecondLoadComesFromTheCache) {
  {
    const Session first = open();
    EXPECT_FALSE(first.from_cache());
    EXPECT_THAT(first.cache_remark(), AllOf(HasSubstr("no graph of this model"), HasSubstr("kept now")));
  }
  Session second = open();
  EXPECT_TRUE(second.from_cache());
  EXPECT_THAT(second.cache_remark(), HasSubstr("from "));
  const Tensor x = test::random_tensor(DType::kFloat32, {3, 5}, 1);
  EXPECT_EQ(second.predict(x.view())[0].shape(), (Shape{3, 3}));
  EXPECT_TRUE(list_graphs(folder())[0].in_use);
  EXPECT_TRUE(open({{"compute_ms", "1"}}).from_cache());  // shapes no graph
  const Session third = open({}, 1);
  EXPECT_FALSE(third.from_cache());
  EXPECT_THAT(third.cache_remark(), HasSubstr("threads is '1', was '2'"));
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(CachedLoadTest, EqualListsOfAnOptionShareAGraphHoweverTheyAreWritten) {
  const auto from_cache = [&](const char* marks) {
    return test::open_spy({.options = {{"marks", marks}}, .cache = folder()}).from_cache();
  };
  EXPECT_FALSE(from_cache("a,b"));
  EXPECT_TRUE(from_cache("b, a"));
  EXPECT_FALSE(from_cache("a"));
}

TEST_F(CachedLoadTest, AnotherModelIsAnotherEntry) {
  {
    const Session s = open();
  }
  std::ofstream(model.model.path, std::ios::app) << " ";  // its bytes count, not its name
  EXPECT_FALSE(open().from_cache());
  EXPECT_TRUE(open().from_cache());
}

/// What an engine is built for: a graph of another GPU, driver or library is none of this one's.
TEST(CacheKey, IsAnotherOnAnotherGpuAndWithAnotherDriverOrVersion) {
  const backend::Backend null = backend::load_backend("null");
  const auto key = [&](const char* name, const char* identity, const char* version) {
    backend::Probe probe;
    probe.version = version;
    backend::Device device;
    device.name = name;
    device.identity = identity;
    return key_parts("hash", null, probe, device, {});
  };
  const KeyParts one = key("gpu:0", "GPU-a0, capability 9.0, driver 580", "11.1");
  EXPECT_EQ(one, key("gpu:0", "GPU-a0, capability 9.0, driver 580", "11.1"));
  for (const KeyParts& other : {key("gpu:1", "GPU-a0, capability 9.0, driver 580", "11.1"),
                                key("gpu:0", "GPU-a1, capability 9.0, driver 580", "11.1"),
                                key("gpu:0", "GPU-a0, capability 9.0, driver 590", "11.1"),
                                key("gpu:0", "GPU-a0, capability 9.0, driver 580", "11.2")}) {
    EXPECT_NE(one, other);
  }
}

/// Two arms of a comparison are one graph where the plugin says that it is the same for both.
TEST(CacheKey, IsTheSameForWhatTheBackendsGraphDoesNotDependOn) {
  struct Row {
    const char* backend;
    bool ignores;
  };
  for (const Row& row : {Row{"null", false}, {"spy", true}}) {
    const backend::Backend backend =
        row.ignores ? backend::load_plugin(ASSAY_BUILD_DIR "/tests/plugins/libassay_backend_spy.so")
                    : backend::load_backend("null");
    const auto key = [&](Goal goal, int in_flight, std::int64_t batch_size) {
      backend::OpenRequest request;
      request.goal = goal;
      request.in_flight = in_flight;
      request.batch_size = batch_size;
      return key_parts("hash", backend, {}, {}, request);
    };
    const KeyParts one = key(Goal::kThroughput, 0, 8);
    EXPECT_EQ(one == key(Goal::kThroughput, 1, 8), row.ignores) << row.backend;
    EXPECT_EQ(one == key(Goal::kLatency, 0, 8), row.ignores) << row.backend;
    EXPECT_NE(one, key(Goal::kThroughput, 0, 16)) << row.backend;
  }
}

TEST_F(CachedLoadTest, ADamagedEntryIsRebuilt) {
  {
    const Session s = open();
  }
  const fs::path entry = folder() / "graphs" / keys_there().at(0);
  fs::resize_file(entry / "null.graph", 3);
  EXPECT_FALSE(open().from_cache());
  EXPECT_THAT(warnings, SizeIs(1));
  EXPECT_TRUE(open().from_cache());
}

// Found whole, an entry is not read again until one of its files changes, by whatever way.
TEST_F(CachedLoadTest, WhatChangedSinceItWasFoundWholeIsFound) {
  {
    const Session s = open();
  }
  const std::string key = keys_there().at(0);
  const fs::path memo = folder() / "verified" / key;
  for (int i = 0; i < 300 && !fs::exists(memo); ++i) {  // until the file's times would tell a change
    EXPECT_TRUE(open().from_cache());
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_TRUE(fs::exists(memo));
  EXPECT_TRUE(open().from_cache());
  const fs::path graph = folder() / "graphs" / key / "null.graph";
  std::string content = read_file(graph);
  content.back() ^= 1;
  std::fstream(graph, std::ios::in | std::ios::out | std::ios::binary) << content;  // as long, in place
  EXPECT_FALSE(open().from_cache());
  EXPECT_THAT(warnings, Contains(HasSubstr("another checksum")));
  EXPECT_FALSE(fs::exists(memo));
}

TEST_F(CachedLoadTest, AWholeEntryThatTheBackendCannotUseIsRebuilt) {
  {
    const Session s = open();
  }
  const fs::path entry = folder() / "graphs" / keys_there().at(0);
  const KeyParts made_from = read_manifest(entry).parts;
  std::ofstream(entry / "null.graph") << "some other graph";
  write_manifest(entry, describe_folder(entry, made_from));
  EXPECT_FALSE(open().from_cache());
  EXPECT_THAT(warnings, Contains(HasSubstr("holds no graph")));
  EXPECT_TRUE(open().from_cache());
}

/// Whatever a framework calls a bad cached graph, the model is opened without it; a want of means is nobody's fault.
class CachedGraphRefused : public CachedLoadTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(CachedGraphRefused, TheModelIsOpenedWithoutItAndTheEntryMadeAnew) {
  {
    const Session s = open();
  }
  const Session s = open({{"fail_at", "cache_read"}, {"fail_as", GetParam()}});
  EXPECT_FALSE(s.from_cache());
  EXPECT_THAT(s.cache_remark(), AllOf(HasSubstr("thrown away"), HasSubstr("kept now")));
  EXPECT_THAT(warnings, Contains(HasSubstr("fail at cache_read")));
  EXPECT_TRUE(open().from_cache());
}

TEST_P(CachedGraphRefused, AGraphThatCannotBeSavedIsAWarning) {
  const Session s = open({{"fail_at", "cache_fill"}, {"fail_as", GetParam()}});
  EXPECT_FALSE(s.from_cache());
  EXPECT_THAT(warnings, Contains(HasSubstr("could not be filled")));
  EXPECT_EQ(things_there(), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CachedGraphRefused,
                         ::testing::Values("invalid_argument", "invalid_model", "unsupported", "framework",
                                           "device_lost", "internal"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_F(CachedLoadTest, AWantOfMeansIsNotTheCachesFault) {
  {
    const Session s = open();
  }
  for (const char* kind : {"out_of_memory", "unavailable"}) {
    EXPECT_THROW(open({{"fail_at", "cache_read"}, {"fail_as", kind}}), Error);
  }
  EXPECT_THAT(warnings, IsEmpty());
  EXPECT_TRUE(open().from_cache());
}

TEST_F(CachedLoadTest, ARequestThatFailsAnywayCostsNoEntry) {
  {
    const Session s = open();
  }
  EXPECT_THROW(open({{"no_such_option", "1"}}), Error);
  EXPECT_EQ(test::error_of([&] { open({{"fail_at", "open"}, {"fail_as", "unsupported"}}); }).code(),
            ErrorCode::kUnsupported);
  EXPECT_EQ(things_there(), 1);
  EXPECT_TRUE(open().from_cache());
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(CachedLoadTest, AModelThatChangesWhileItIsLoadedIsNotKept) {
  on_message = [&](const std::string& text) {
    if (text.find("pretending to load") != std::string::npos) std::ofstream(model.model.path, std::ios::app) << " ";
  };
  const Session s = open();
  EXPECT_THAT(s.cache_remark(), HasSubstr("changed while it was loaded"));
  EXPECT_EQ(things_there(), 0);
  on_message = nullptr;
  EXPECT_FALSE(open().from_cache());
  EXPECT_TRUE(open().from_cache());
}

TEST_F(CachedLoadTest, ACacheThatCannotBeMadeIsAWarning) {
  fs::create_directories(folder().parent_path());
  std::ofstream(folder()) << "a file where the folder should be";
  Session s = open();
  EXPECT_FALSE(s.from_cache());
  EXPECT_THAT(warnings, Contains(HasSubstr("cannot be written")));
  EXPECT_EQ(s.predict(test::random_tensor(DType::kFloat32, {3, 5}, 1).view())[0].shape(), (Shape{3, 3}));
}

/// `body` in a process of its own, which ends with its answer.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    int answer = 99;
    try {
      answer = body();
    } catch (const std::exception& e) {
      ::write(2, e.what(), std::strlen(e.what())) < 0 ? void() : void();
    }
    ::_exit(answer);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(CachedLoadTest, AReadOnlyCacheIsRead) {
  {
    const Session s = open();
  }
  for (const fs::path& f : {folder() / "graphs" / keys_there().at(0), folder() / "graphs", folder()}) {
    fs::permissions(f, fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write,
                    fs::perm_options::remove);
  }
  EXPECT_EQ(in_child([&] {
              if (::geteuid() == 0 && ::setuid(65534) != 0) return 98;      // root may write everywhere
              if (::access(model.model.path.c_str(), R_OK) != 0) return 0;  // a temporary folder that is not for others
              warnings.clear();
              if (!open().from_cache()) return 1;
              const Session other = open({}, 1);
              return other.from_cache() || warnings.empty() ? 2 : 0;
            }),
            0);
  for (const fs::path& f : {folder(), folder() / "graphs", folder() / "graphs" / keys_there().at(0)}) {
    fs::permissions(f, fs::perms::owner_all);
  }
}

TEST_F(CachedLoadTest, AFullDiskIsAWarning) {
  EXPECT_EQ(in_child([&] {
              std::signal(SIGXFSZ, SIG_IGN);
              const rlimit none{0, 0};  // no file may grow, as on a full disk
              if (::setrlimit(RLIMIT_FSIZE, &none) != 0) return 98;
              Session s = open();
              if (s.from_cache()) return 1;
              return warnings.empty() ? 2 : 0;
            }),
            0);
  EXPECT_THAT(keys_there(), IsEmpty());
  EXPECT_FALSE(open().from_cache());
}

TEST_F(CachedLoadTest, ManyProcessesAtOnceAllLoadAndOneEntryStays) {
  const Tensor x = test::random_tensor(DType::kFloat32, {3, 5}, 1);
  const Tensor expected = std::move(test::open_null(test::kIo).predict(x.view())[0]);
  std::vector<pid_t> children;
  for (int p = 0; p < 6; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      int answer = 1;
      try {
        for (int round = 0; round < 5; ++round) {
          Session s = open({{"open_ms", "5"}});
          if (!test::same(s.predict(x.view())[0], expected)) ::_exit(2);
          if (p == 0 && round == 2) fs::resize_file(folder() / "graphs" / keys_there().at(0) / "null.graph", 1);
        }
        answer = 0;
      } catch (const std::exception&) {
      }
      ::_exit(answer);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  {
    const Session s = open({{"open_ms", "5"}});
  }
  EXPECT_TRUE(open({{"open_ms", "5"}}).from_cache());
  EXPECT_THAT(keys_there(), SizeIs(1));
  EXPECT_EQ(things_there(), 1);
}

}  // namespace
}  // namespace assay::engine
