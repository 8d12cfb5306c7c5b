#include "model/zoo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <map>
#include <string>
#include <thread>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "model/model.hpp"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "no Error";
  return {ErrorCode::kInternal, ""};
}

TEST(Zoo, KnowsThePapersParameterCounts) {
  std::map<std::string, std::int64_t> big;
  for (const ZooNetwork& n : zoo()) {
    EXPECT_TRUE(is_zoo_network(n.name));
    EXPECT_FALSE(n.summary.empty());
    EXPECT_EQ(n.name.starts_with("tiny-"), n.tiny);
    if (!n.tiny) big[n.name] = n.parameters;
  }
  const std::map<std::string, std::int64_t> paper{
      {"vgg19", 143'667'240}, {"resnet50", 25'557'032}, {"densenet201", 20'013'928}, {"efficientnetb0", 5'288'548}};
  EXPECT_EQ(big, paper);
  EXPECT_FALSE(is_zoo_network("resnet"));
}

// Writing counts the parameters, so this also checks that every tiny network has those it says.
TEST(Zoo, TinyNetworksAreSmallAndComplete) {
  const TemporaryFolder folder;
  for (const ZooNetwork& n : zoo()) {
    if (!n.tiny) continue;
    const fs::path path = write_zoo_network({.name = n.name}, folder.path());
    EXPECT_EQ(path, folder.path() / (n.name + ".onnx"));
    EXPECT_LT(fs::file_size(path), 1'000'000U);
  }
  EXPECT_LT(fs::file_size(folder.path() / "tiny-mlp.onnx"), 1'200U);
}

// The bytes, on every machine. A change that is meant changes these and kCacheFolder in zoo.cpp.
TEST(Zoo, TinyNetworksAreTheSameEverywhere) {
  const std::map<std::string, std::string> golden{
      {"tiny-vgg", "a35c533ad14893e527ced34a0287526d54f9afecf4dac75398c9cf7a4ff497da"},
      {"tiny-resnet", "804c524e2159302d415bfe6ac146a5069d9a92c5e66c71092d93cfac998faf06"},
      {"tiny-densenet", "38811b94a673ba638a6dcae6435792864c378ce8f1b81394596959b6fc2af935"},
      {"tiny-efficientnet", "71958c3112be41ffa254e963434fb4012ed67c88e1cd31e3989eaf668d2a81cc"},
      {"tiny-mlp", "933f0ca121a8f2ea58eadb7a01a5738fc1c047468333c363baaeebf23bf876d4"},
      {"tiny-multi", "55b34d919af450c2daf77aed1b712b7507a78ec6baf44bada789c92f00ee31c2"},
      {"tiny-tokens", "07c31b348db34c37807a87e8fa495818340eee4b6a5e4c1ef00022829ac2f6eb"},
      {"tiny-uint8", "a6c7971eb50ee7436b5ef3c1bd27e63667b120cdfe07d4f282812892c22cc3aa"},
      {"tiny-half", "aa48d16bb086984ace2252e206c68c19e1e3aa3446259ad009f620cc62bb91d7"},
      {"tiny-free-axes", "55c5558aa375c13e4fac67eac1fdb3f1a16d7214303217ee9ebfd1b530b41f9c"},
      {"tiny-fixed-batch", "abbfeff1a5500a10997828bf0f1493dfe26592f11b92a0d7ffcbf32210feba7c"},
      {"tiny-no-batch", "7f15092f09e9584477ad0fb67df9a8ae8000136b17cb36a5e9ec796368da59a8"},
      {"tiny-dynamic-output", "272612708f632aef063821545981699c6d5eb66a837593e4b7a7256383512acb"},
  };
  const TemporaryFolder folder;
  for (const ZooNetwork& n : zoo()) {
    if (!n.tiny) continue;
    ASSERT_TRUE(golden.contains(n.name)) << n.name;
    EXPECT_EQ(sha256_of_file(write_zoo_network({.name = n.name}, folder.path())), golden.at(n.name)) << n.name;
  }
}

// The paper's Table I.
TEST(Zoo, BigNetworksHaveThePapersJumps) {
  const TemporaryFolder folder;
  const auto statistics = [&](const char* name) {
    return read_model(write_zoo_network({.name = name}, folder.path())).statistics;
  };
  const Statistics resnet = statistics("resnet50");
  EXPECT_EQ(resnet.parameters, 25'557'032);
  EXPECT_EQ(resnet.jumps_by_operator, (std::map<std::string, std::int64_t>{{"Add", 16}}));
  const Statistics densenet = statistics("densenet201");
  EXPECT_EQ(densenet.parameters, 20'013'928);
  EXPECT_EQ(densenet.jumps_by_operator, (std::map<std::string, std::int64_t>{{"Concat", 98}}));
  const Statistics efficientnet = statistics("efficientnetb0");
  EXPECT_EQ(efficientnet.parameters, 5'288'548);
  EXPECT_EQ(efficientnet.jumps_by_operator, (std::map<std::string, std::int64_t>{{"Add", 9}, {"Mul", 16}}));
}

TEST(Zoo, TooLargeAFileLeavesNothing) {
  const TemporaryFolder folder;
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{20'000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Error error = error_of([&] { write_zoo_network({.name = "tiny-vgg"}, folder.path()); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Zoo, WritingThatIsStoppedLeavesNothing) {
  const TemporaryFolder folder;
  const std::atomic<bool> stop{true};
  EXPECT_EQ(error_of([&] { write_zoo_network({.name = "tiny-vgg", .stop = &stop}, folder.path()); }).code(),
            ErrorCode::kCancelled);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Zoo, SeedAndLogitsChangeFileAndName) {
  const TemporaryFolder folder;
  const fs::path plain = write_zoo_network({.name = "tiny-resnet"}, folder.path());
  const fs::path seeded = write_zoo_network({.name = "tiny-resnet", .seed = 7}, folder.path());
  const fs::path logits = write_zoo_network({.name = "tiny-resnet", .seed = 7, .logits = true}, folder.path());
  EXPECT_EQ(seeded.filename(), "tiny-resnet-seed7.onnx");
  EXPECT_EQ(logits.filename(), "tiny-resnet-logits-seed7.onnx");
  const std::string with_softmax = read_file(seeded);
  EXPECT_NE(read_file(plain), with_softmax);
  EXPECT_THAT(with_softmax, ::testing::HasSubstr("Softmax"));
  EXPECT_THAT(read_file(logits), ::testing::Not(::testing::HasSubstr("Softmax")));
}

TEST(Zoo, NothingIsLeftWhereWritingFails) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { write_zoo_network({.name = "nonsense"}, folder.path()); }).code(),
            ErrorCode::kInvalidArgument);
  // A folder where the file should go: the rename fails.
  fs::create_directories(folder.path() / "tiny-mlp.onnx" / "inside");
  EXPECT_EQ(error_of([&] { write_zoo_network({.name = "tiny-mlp"}, folder.path()); }).code(), ErrorCode::kIo);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
  // A file where the folder should be.
  write_file_atomically(folder.path() / "file", std::string("x"));
  EXPECT_EQ(error_of([&] { write_zoo_network({.name = "tiny-mlp"}, folder.path() / "file" / "zoo"); }).code(),
            ErrorCode::kIo);
}

TEST(ResolveModel, WritesAZooNetworkOnce) {
  const TemporaryFolder cache;
  const fs::path path = resolve_model("tiny-mlp", cache.path());
  EXPECT_TRUE(fs::is_regular_file(path));
  EXPECT_TRUE(path.string().starts_with((cache.path() / "zoo").string()));
  const auto written = fs::last_write_time(path);
  EXPECT_EQ(resolve_model("tiny-mlp", cache.path()), path);
  EXPECT_EQ(fs::last_write_time(path), written);
}

TEST(ResolveModel, ManyAtOnceAllGetAWholeFile) {
  const TemporaryFolder cache;
  const std::string whole = read_file(write_zoo_network({.name = "tiny-vgg"}, cache.path()));
  std::atomic<int> good{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { good += read_file(resolve_model("tiny-vgg", cache.path())) == whole ? 1 : 0; });
  }
  threads.clear();
  EXPECT_EQ(good, 4);
  const fs::path folder = resolve_model("tiny-vgg", cache.path()).parent_path();
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
}

TEST(ResolveModel, AFileIsItself) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "mine.onnx";
  write_file_atomically(file, std::string("x"));
  EXPECT_EQ(resolve_model(file.string(), folder.path()), file);
  EXPECT_EQ(error_of([&] { resolve_model(folder.path().string(), folder.path()); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(ResolveModel, ProposesNearNames) {
  const Error typo = error_of([] { resolve_model("resnet5", "/nowhere"); });
  EXPECT_EQ(typo.code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(typo.message(),
            "there is no file 'resnet5', and no network of the zoo is called so; did you mean resnet50? The zoo has "
            "vgg19, resnet50, densenet201, efficientnetb0 and 13 tiny ones: assay models list");
  const Error strange = error_of([] { resolve_model(std::string(100'000, 'q'), "/nowhere"); });
  EXPECT_THAT(strange.message(), ::testing::Not(::testing::HasSubstr("did you mean")));
}

}  // namespace
}  // namespace assay::model
