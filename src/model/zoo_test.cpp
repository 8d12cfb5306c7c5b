#include "model/zoo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"

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
  EXPECT_THAT(typo.message(), ::testing::HasSubstr("did you mean resnet50"));
  EXPECT_THAT(typo.message(), ::testing::HasSubstr("densenet201"));
  const Error strange = error_of([] { resolve_model(std::string(100'000, 'q'), "/nowhere"); });
  EXPECT_THAT(strange.message(), ::testing::Not(::testing::HasSubstr("did you mean")));
}

}  // namespace
}  // namespace assay::model
