#include "input/image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "input/test_images.hpp"

namespace assay::input {
namespace {

using testing::HasSubstr;

std::string why_not_decoded(const std::string& file) {
  try {
    decode_image(test::bytes_of(file));
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Image, PngIsExact) {
  const Image made = test::pattern(7, 5);
  const Image read = decode_image(test::bytes_of(test::png_of(made)));
  EXPECT_EQ(read.width, 7);
  EXPECT_EQ(read.height, 5);
  EXPECT_EQ(read.rgb, made.rgb);
}

TEST(Image, JpegIsNear) {
  const Image made = test::flat(33, 17, {200, 100, 50});
  const Image read = decode_image(test::bytes_of(test::jpeg_of(made)));
  ASSERT_EQ(read.width, 33);
  ASSERT_EQ(read.height, 17);
  for (std::size_t i = 0; i < read.rgb.size(); ++i) EXPECT_NEAR(read.rgb[i], made.rgb[i], 4);
}

TEST(Image, RefusesWhatIsBroken) {
  EXPECT_THAT(why_not_decoded(""), HasSubstr("it is empty"));
  EXPECT_THAT(why_not_decoded("GIF89a"), HasSubstr("neither JPEG nor PNG"));
  const std::string png = test::png_of(test::pattern(40, 40));
  EXPECT_NE(why_not_decoded(png.substr(0, png.size() / 2)), "accepted");
  const std::string jpeg = test::jpeg_of(test::pattern(64, 64));
  EXPECT_THAT(why_not_decoded(jpeg.substr(0, jpeg.size() / 2)), HasSubstr("cut short"));
  EXPECT_NE(why_not_decoded(jpeg.substr(0, 20)), "accepted");
}

TEST(Image, ABombIsNotUnpacked) {
  EXPECT_THAT(why_not_decoded(test::png_that_claims(65536, 65536)), HasSubstr("claims 65536 x 65536 pixels"));
  EXPECT_THAT(why_not_decoded(test::png_that_claims(200, 999'999)), HasSubstr("1 to 100 million"));
}

TEST(Image, OtherKindsOfPngBecomeRgb) {
  struct Case {
    const char* name;
    int depth, colour_type;
    std::string pixel;
    std::array<std::uint8_t, 3> wanted;
  };
  const Case cases[] = {
      {"grey", 8, PNG_COLOR_TYPE_GRAY, "\x40", {0x40, 0x40, 0x40}},
      {"16 bit", 16, PNG_COLOR_TYPE_RGB, std::string("\xFF\xFF\x00\x00\xFF\xFF", 6), {255, 0, 255}},
      {"opaque", 8, PNG_COLOR_TYPE_RGB_ALPHA, "\x10\x20\x30\xFF", {0x10, 0x20, 0x30}},
      {"transparent, over black", 8, PNG_COLOR_TYPE_RGB_ALPHA, std::string("\x10\x20\x30\x00", 4), {0, 0, 0}},
  };
  for (const Case& c : cases) {
    for (const bool interlaced : {false, true}) {
      std::string rows;
      for (int i = 0; i < 9 * 9; ++i) rows += c.pixel;
      const Image image = decode_image(test::bytes_of(test::png_of(9, 9, c.depth, c.colour_type, rows, interlaced)));
      ASSERT_EQ(image.rgb.size(), 9U * 9 * 3) << c.name;
      for (std::size_t i = 0; i < image.rgb.size(); ++i) ASSERT_EQ(image.rgb[i], c.wanted[i % 3]) << c.name;
    }
  }
}

TEST(Image, PrintersColoursAreRefused) { EXPECT_THAT(why_not_decoded(test::cmyk_jpeg()), HasSubstr("(CMYK)")); }

TEST(Image, NamesInAnyCase) {
  EXPECT_TRUE(is_image_name("a/b.JPG"));
  EXPECT_TRUE(is_image_name("b.jpeg"));
  EXPECT_TRUE(is_image_name("c.Png"));
  EXPECT_FALSE(is_image_name("c.npy"));
}

TEST(Image, ErrorNamesTheFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "x.png", std::string("no"));
  try {
    read_image(folder.path() / "x.png");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("x.png: is not an image"));
  }
}

}  // namespace
}  // namespace assay::input
