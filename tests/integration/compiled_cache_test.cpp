// What the compiler of our own leaves in the graph cache, through the host that looks after it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "assay/assay.hpp"
#include "engine/testing/cache_folder.hpp"
#include "model/zoo.hpp"
#include "support/noise.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Options = std::map<std::string, std::string>;

class CompiledCacheTest : public test::CacheFolderTest {
 protected:
  Session open(const Options& options = {}) const {
    return load(model_, {.backend = "mlir", .batch_size = 1, .threads = 2, .options = options, .cache = folder()});
  }
  static std::vector<float> answer(Session session) {
    const Tensor x = test::noise_for(session.inputs()[0], 1, 3);
    const Tensor y = std::move(session.predict(x.view())[0]);
    return {y.as<float>(), y.as<float>() + y.size()};
  }

  TemporaryFolder networks_;
  fs::path model_ = model::write_zoo_network({.name = "tiny-resnet"}, networks_.path());
};

TEST_F(CompiledCacheTest, EachTargetMathAndListOfPassesHasAnEntryOfItsOwn) {
  std::vector<Options> all = {{}, {{"math", "strict"}}, {{"without", "fuse"}}, {{"autotune", "1"}}};
  if (__builtin_cpu_supports("avx2") != 0) all.push_back({{"target", "avx2"}});
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_FALSE(open(all[i]).from_cache()) << i;
    EXPECT_EQ(keys_there().size(), i + 1);
  }
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(open(all[i]).from_cache()) << i;
  EXPECT_TRUE(open({{"streams", "2"}}).from_cache()) << "the code is the same";
}

/// Every file of an entry, cut or with one other bit, or gone.
TEST_F(CompiledCacheTest, AnEntryOfWhichAnyFileIsDamagedIsMadeAnew) {
  const std::vector<float> right = answer(open());
  const fs::path entry = folder() / "graphs" / keys_there().at(0);
  std::vector<std::string> files;
  for (const auto& file : fs::directory_iterator(entry)) files.push_back(file.path().filename());
  std::ranges::sort(files);
  EXPECT_THAT(files, testing::IsSupersetOf({"kernels0.o", "kernels.mlir", "weights.bin"}));
  const auto turn_a_bit = [](const fs::path& file) {
    std::fstream f(file, std::ios::binary | std::ios::in | std::ios::out);
    const auto at = static_cast<std::streamoff>(fs::file_size(file) / 2);
    f.seekg(at);
    const auto old = static_cast<char>(f.get());
    f.seekp(at);
    f.put(static_cast<char>(old ^ 1));
  };
  const std::vector<std::function<void(const fs::path&)>> damages = {
      turn_a_bit, [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); },
      [](const fs::path& file) { fs::remove(file); }};
  for (const std::string& file : files) {
    for (std::size_t d = 0; d < damages.size(); ++d) {
      SCOPED_TRACE(file + ", damage " + std::to_string(d));
      damages[d](entry / file);
      Session anew = open();
      EXPECT_FALSE(anew.from_cache());
      const std::vector<float> found = answer(std::move(anew));
      ASSERT_EQ(found.size(), right.size());
      for (std::size_t k = 0; k < right.size(); ++k) ASSERT_NEAR(found[k], right[k], 1e-4);
      EXPECT_TRUE(open().from_cache());
    }
  }
}

}  // namespace
}  // namespace assay
