// A short last batch on the compiler of our own: filled up at first, then compiled for.
#include <gtest/gtest.h>

#include <filesystem>

#include "assay/assay.hpp"
#include "base/file.hpp"
#include "model/zoo.hpp"
#include "support/noise.hpp"

namespace assay {
namespace {

/// Answers stay; how soon it is compiled for is a matter of times (src/engine/short_batches_test.cpp).
TEST(ShortBatchOfTheCompiler, IsCompiledForOnceFillingUpHasWastedEnough) {
  const TemporaryFolder folder;
  const std::filesystem::path model = model::write_zoo_network({.name = "tiny-resnet"}, folder.path());
  Session session = load(model, {.backend = "mlir",
                                 .batch_size = 32,
                                 .threads = 2,
                                 .options = {{"math", "strict"}, {"dump", folder.path().string()}}});
  const auto imported = [&] { return read_file(folder.path() / "imported.txt"); };  // of what was compiled last
  const Tensor whole = test::noise_for(session.inputs()[0], 32, 3), one = test::noise_for(session.inputs()[0], 1, 3);
  (void)session.predict(whole.view());  // from now on the time of a batch is known
  const Tensor first = std::move(session.predict(one.view())[0]);
  constexpr int kMostCalls = 1000000;
  int calls = 0;
  while (imported().find(" 1x10 ") == std::string::npos && calls < kMostCalls) {
    const Tensor next = std::move(session.predict(one.view())[0]);
    ++calls;
    for (int i = 0; i < 10; ++i) ASSERT_NEAR(next.as<float>()[i], first.as<float>()[i], 1e-5) << "call " << calls;
  }
  EXPECT_LT(calls, kMostCalls);
}

}  // namespace
}  // namespace assay
