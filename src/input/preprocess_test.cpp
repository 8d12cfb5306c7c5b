#include "input/preprocess.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "assay/error.hpp"
#include "base/half.hpp"
#include "input/test_images.hpp"

namespace assay::input {
namespace {

using testing::HasSubstr;

std::string why_refused(const std::string& text) {
  try {
    parse_preprocess(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(PreprocessText, PresetsAndKeys) {
  EXPECT_EQ(parse_preprocess("resnet50").mean[1], 0.456);
  EXPECT_EQ(parse_preprocess("resnet50").filter, "bilinear");
  EXPECT_EQ(parse_preprocess("efficientnetb0").filter, "bicubic");
  const Preprocess p = parse_preprocess("vgg19,channels=bgr,mean=0.5,std=1/2/3,resize=0,layout=nhwc");
  EXPECT_EQ(p.channels, "bgr");
  EXPECT_EQ(p.mean, (std::array<double, 3>{0.5, 0.5, 0.5}));
  EXPECT_EQ(p.deviation, (std::array<double, 3>{1, 2, 3}));
  EXPECT_EQ(p.resize, 0);
  EXPECT_EQ(p.crop, 0) << "the model's own size";
  EXPECT_EQ(parse_preprocess("scale=0.5").resize, 256) << "without a preset, the defaults";
  EXPECT_THAT(preset_names(), testing::ElementsAre("densenet201", "efficientnetb0", "none", "resnet50", "vgg19"));
}

TEST(PreprocessText, SaysWhatWouldDo) {
  EXPECT_THAT(why_refused("resnet51"), HasSubstr("there are densenet201, efficientnetb0, none, resnet50, vgg19"));
  EXPECT_THAT(why_refused("size=3"), HasSubstr("no setting 'size'; there are channels, crop"));
  EXPECT_THAT(why_refused("crop=-1"), HasSubstr("0 to 16384"));
  EXPECT_THAT(why_refused("mean=1/2"), HasSubstr("one number, or three"));
  EXPECT_THAT(why_refused("mean=1/2/3/4"), HasSubstr("one number, or three"));
  EXPECT_THAT(why_refused("std=0"), HasSubstr("divisor of 0"));
  for (const char* text : {"mean=nan", "std=inf", "scale=1e999", "scale=-inf"}) {
    EXPECT_NE(why_refused(text), "accepted") << text;
  }
  EXPECT_THAT(why_refused("mean=0/nan/0"), HasSubstr("a finite number is wanted"));
  EXPECT_THAT(why_refused("channels=rbg"), HasSubstr("there are rgb, bgr"));
  EXPECT_THAT(why_refused("crop=1,resnet50"), HasSubstr("no preset"));
}

/// The picture brought to height x width without normalisation, height x width x channel.
std::vector<float> resized(const Image& image, const std::string& filter, std::int64_t height, std::int64_t width) {
  Preprocess how = parse_preprocess("none,layout=nhwc,filter=" + filter);
  std::vector<float> out(static_cast<std::size_t>(height * width * 3));
  preprocess_image(image, how, {out.data(), DType::kFloat32, {height, width, 3}, {}});
  return out;
}

// Pillow 12's resize of the same 7 x 5 pattern, on float images.
TEST(Preprocess, ResizesAsPillowDoes) {
  const Image image = test::pattern(7, 5);
  const std::vector<float> down = {98.610F,  126.675F, 136.455F, 129.444F, 154.380F, 131.401F,
                                   129.182F, 126.494F, 137.104F, 106.065F, 134.130F, 146.403F,
                                   118.417F, 131.717F, 127.219F, 128.325F, 141.429F, 127.104F};
  EXPECT_THAT(resized(image, "bilinear", 2, 3), testing::Pointwise(testing::FloatNear(2e-3F), down));
  const std::vector<float> cubic = {94.332F,  123.827F, 132.951F, 129.888F, 157.053F, 133.802F,
                                    133.196F, 126.808F, 139.052F, 109.715F, 136.018F, 148.785F,
                                    115.456F, 129.417F, 120.778F, 126.464F, 140.427F, 130.551F};
  EXPECT_THAT(resized(image, "bicubic", 2, 3), testing::Pointwise(testing::FloatNear(2e-3F), cubic));
  std::vector<float> up = resized(image, "bilinear", 6, 9);
  up = {up.begin() + 54, up.begin() + 63};
  const std::vector<float> third_row = {144.083F, 197.083F, 100.75F,  168.75F, 122.194F,
                                        125.417F, 131.157F, 101.194F, 106.787F};
  EXPECT_THAT(up, testing::Pointwise(testing::FloatNear(2e-3F), third_row));
}

TEST(Preprocess, CropsTheCentre) {
  // 8 wide, 4 high; the shorter side stays 4, the crop is 2 x 2 from column 3, row 1.
  const Image image = test::pattern(8, 4);
  Preprocess how = parse_preprocess("none,resize=4,layout=nhwc");
  std::vector<float> out(12);
  preprocess_image(image, how, {out.data(), DType::kFloat32, {2, 2, 3}, {}});
  for (int y = 0; y < 2; ++y) {
    for (int x = 0; x < 2; ++x) {
      EXPECT_FLOAT_EQ(out[static_cast<std::size_t>((y * 2 + x) * 3)],
                      static_cast<float>((37 * (x + 3) + 91 * (y + 1)) % 256));
    }
  }
}

TEST(Preprocess, NormalisesByChannelInTheModelsOrder) {
  const Image image = test::flat(4, 4, {255, 102, 0});
  Preprocess how = parse_preprocess("resize=0,mean=0.5/0.1/0.2,std=0.5/2/4");
  std::vector<float> out(12);
  preprocess_image(image, how, {out.data(), DType::kFloat32, {3, 2, 2}, {}});
  EXPECT_NEAR(out[0], 1.0, 1e-6);
  EXPECT_NEAR(out[4], 0.15, 1e-6);
  EXPECT_NEAR(out[8], -0.05, 1e-6);
  how.channels = "bgr";
  preprocess_image(image, how, {out.data(), DType::kFloat32, {3, 2, 2}, {}});
  EXPECT_NEAR(out[0], -1.0, 1e-6) << "blue comes first and takes the first mean";
}

TEST(Preprocess, OtherTypesAndOneChannel) {
  const Image image = test::flat(4, 4, {200, 100, 50});
  const Preprocess how = parse_preprocess("resize=0");
  std::vector<std::uint8_t> bytes(12);
  preprocess_image(image, how, {bytes.data(), DType::kUint8, {3, 2, 2}, {}});
  EXPECT_EQ(bytes[0], 200) << "integers get the pixels as they are";
  EXPECT_EQ(bytes[11], 50);
  std::vector<std::uint16_t> halves(12);
  preprocess_image(image, how, {halves.data(), DType::kFloat16, {3, 2, 2}, {}});
  EXPECT_NEAR(half_to_float(halves[0]), 200.0 / 255, 1e-3);
  std::vector<float> grey(4);
  preprocess_image(image, how, {grey.data(), DType::kFloat32, {1, 2, 2}, {}});
  EXPECT_NEAR(grey[0], (0.299 * 200 + 0.587 * 100 + 0.114 * 50) / 255, 1e-5);
}

TEST(Preprocess, SaysWhatDoesNotFit) {
  const Image image = test::flat(4, 4, {1, 2, 3});
  std::vector<float> out(1000);
  const auto why = [&](const std::string& how, const Shape& shape, DType dtype = DType::kFloat32) -> std::string {
    try {
      preprocess_image(image, parse_preprocess(how), {out.data(), dtype, shape, {}});
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(why("resize=0", {2, 2}), HasSubstr("not three axes"));
  EXPECT_THAT(why("resize=0", {4, 8, 8}), HasSubstr("no axis of 1 or 3 channels"));
  EXPECT_THAT(why("resize=0,layout=nhwc", {3, 8, 8}), HasSubstr("where layout=nhwc puts it"));
  EXPECT_THAT(why("resize=2", {3, 8, 8}), HasSubstr("smaller than the 8 x 8"));
  EXPECT_THAT(why("resnet50,crop=224", {3, 8, 8}), HasSubstr("the model takes 8 x 8 pixels"));
  EXPECT_THAT(why("resize=0", {3, 2, 2}, DType::kBool), HasSubstr("element type is bool"));
}

TEST(Preprocess, APresetFitsNetworksOfOtherSizes) {
  const Image image = test::flat(300, 320, {255, 0, 0});
  std::vector<float> out(3 * 240 * 240);
  preprocess_image(image, parse_preprocess("resnet50"), {out.data(), DType::kFloat32, {3, 240, 240}, {}});
  EXPECT_NEAR(out[0], (1 - 0.485) / 0.229, 1e-4);
}

// Bytes for as many rows as the model has, not as the picture has; a width of 3e8 pixels is no width.
TEST(Preprocess, APictureOfOneColumn) {
  const Image image = test::flat(1, 300'000, {10, 20, 30});
  std::vector<float> out(3 * 4 * 4);
  preprocess_image(image, parse_preprocess("none"), {out.data(), DType::kFloat32, {3, 4, 4}, {}});
  EXPECT_NEAR(out[0], 10, 1e-3);
  EXPECT_NEAR(out[47], 30, 1e-3);
  EXPECT_THAT(
      [&] { preprocess_image(image, parse_preprocess("resnet50"), {out.data(), DType::kFloat32, {3, 4, 4}, {}}); },
      testing::ThrowsMessage<Error>(HasSubstr("it is 1 x 300000 pixels, and resize=256 would make")));
}

}  // namespace
}  // namespace assay::input
