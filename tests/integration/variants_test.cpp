// An engine whose option makes a variant of it: both are measured in one run, and each has its row.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "input/npy.hpp"
#include "integration/cli_fixture.hpp"

namespace assay::integration {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST_F(CliTest, TheCompilersMathIsTwoRowsOfOneRun) {
  for (const char* name : {"ASSAY_ONNXRUNTIME_PATH", "VIRTUAL_ENV"}) {
    if (const char* value = std::getenv(name)) environment_[name] = value;
  }
  const Result r = assay({"bench", "tiny-resnet", "--backend", "mlir", "--ablate", "math", "--duration", "50ms"});
  ASSERT_EQ(r.status, 0) << r.err << r.out;
  EXPECT_THAT(r.out, ContainsRegex("\nmlir \\(winograd\\) +1 +[0-9]"));
  EXPECT_THAT(r.out, ContainsRegex("\nmlir \\(strict\\) +1 +[0-9]"));
  EXPECT_THAT(r.out, Not(HasSubstr("with math=strict:")));
  const auto j = nlohmann::json::parse(assay({"results", "show", "--json"}).out);
  for (const char* name : {"winograd", "strict"}) {
    EXPECT_THAT(j["recommendation"]["because"].get<std::string>(), HasSubstr(std::string("mlir (") + name + ")"));
  }
  EXPECT_THAT(j["recommendation"]["because"].get<std::string>(), HasSubstr("is --option mlir.math="));
  const std::string markdown = assay({"results", "export", "--format", "md"}).out;
  EXPECT_THAT(markdown, HasSubstr("| tiny-resnet | mlir (winograd) |"));
  EXPECT_THAT(markdown, HasSubstr("| tiny-resnet | mlir (strict) |"));
}

TEST_F(CliTest, WhatEachPassOfTheCompilerIsWorthIsARunOfOneOption) {
  const Result all = assay({"bench", "tiny-resnet", "--backend", "mlir", "--ablate", "without", "--dry-run"});
  ASSERT_EQ(all.status, 0) << all.err;
  for (const char* pass :
       {"fold", "fuse", "drop", "split", "scale", "bands", "pool", "layout", "concat", "constants", "memory"}) {
    EXPECT_THAT(all.out, HasSubstr(std::string("without=") + pass));
  }
  const Result wrong = assay({"bench", "tiny-resnet", "--backend", "mlir", "--option", "without=fold,fusion"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err,
              HasSubstr("'fusion' of 'fold,fusion' is none of its choices: it takes a list of layout, concat"));
  const Result twice =
      assay({"bench", "tiny-resnet", "--backend", "mlir", "--option", "without=fold", "--option", "without=fuse"});
  EXPECT_EQ(twice.status, 2);
  EXPECT_THAT(twice.err, HasSubstr("'without' is given twice"));
}

/// 16 images, 3 at a time: a sum is one thread's whatever the number of threads, and a last batch is one image.
TEST_F(CliTest, TheCompilersAnswersAreTheSameOnAnyNumberOfThreads) {
  Tensor x(DType::kFloat32, {16, 3, 32, 32});
  for (std::int64_t i = 0; i < x.size(); ++i) x.as<float>()[i] = static_cast<float>(i * 7919 % 4001) / 2000 - 1;
  input::write_npy(folder_.path() / "x.npy", x.view());
  const auto answers = [&](const std::string& short_batch, const char* threads) {
    const std::string y = file("y.npy"), stages = folder_.path() / (short_batch + threads);
    std::filesystem::create_directory(stages);
    const Result r = assay({"predict", "tiny-resnet", "--backend", "mlir", "--threads", threads, "--option",
                            "short_batch=" + short_batch, "--option", "dump=" + stages, "--batch-size", "3", "--input",
                            file("x.npy"), "-o", y});
    EXPECT_EQ(r.status, 0) << r.err;
    return read_file(y);
  };
  std::vector<std::vector<float>> values;
  for (const char* short_batch : {"pad", "compile"}) {
    const std::string one = answers(short_batch, "1");
    const input::NpyFile y(file("y.npy"));
    const auto* first = static_cast<const float*>(y.view().data);
    values.emplace_back(first, first + 16 * 10);
    for (const char* threads : {"2", "16"}) EXPECT_EQ(answers(short_batch, threads), one) << short_batch << threads;
  }
  EXPECT_THAT(values[1], testing::Pointwise(testing::FloatNear(1e-5F), values[0]));  // probabilities
  // What was compiled last: batches of 3, or the last one of 1.
  EXPECT_THAT(read_file(folder_.path() / "pad1" / "imported.txt"), HasSubstr(" 3x10 "));
  EXPECT_THAT(read_file(folder_.path() / "compile1" / "imported.txt"), HasSubstr(" 1x10 "));
}

}  // namespace
}  // namespace assay::integration
