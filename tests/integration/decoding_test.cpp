// Pictures are decoded beside the computing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/assay.hpp"
#include "base/file.hpp"
#include "engine/stream.hpp"
#include "input/source.hpp"
#include "input/test_images.hpp"
#include "model/zoo.hpp"

namespace assay::integration {
namespace {

// By the pipeline's own records: some batch's pictures were decoded between another's hand-over and its end.
TEST(Decoding, RunsBesideTheComputing) {
  constexpr int kPictures = 8;
  const TemporaryFolder folder;
  const auto pictures = folder.path() / "pictures";
  std::filesystem::create_directory(pictures);
  for (int i = 0; i < kPictures; ++i) {
    write_file_atomically(pictures / (std::to_string(i) + ".jpg"),
                          input::test::jpeg_of(input::test::pattern(400, 300)));
  }
  const auto path = model::write_zoo_network({.name = "tiny-resnet"}, folder.path());
  Session session =
      load(path, {.backend = "null",
                  .options = {{"io", "input:float32:-1x3x32x32->probabilities:float32:-1x10"}, {"compute_ms", "50"}}});
  const auto source = input::open_files({pictures.string()}, session.inputs(), {}, input::parse_preprocess("none"));
  ASSERT_EQ(source->samples(), kPictures);

  std::vector<engine::BatchRecord> batches;
  engine::StreamSettings settings;
  settings.samples = kPictures;
  settings.observer = [&](const engine::BatchRecord& batch) { batches.push_back(batch); };
  engine::run_stream(session, settings,
                     [&](std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) {
                       source->fill(first, count, inputs);
                     },
                     {});
  ASSERT_EQ(batches.size(), static_cast<std::size_t>(kPictures));
  bool beside = false;
  for (std::size_t i = 1; i < batches.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      beside = beside || (batches[i].fill_begin > batches[j].submitted && batches[i].fill_end < batches[j].done);
    }
  }
  EXPECT_TRUE(beside);
}

}  // namespace
}  // namespace assay::integration
