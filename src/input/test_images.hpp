#pragma once
// Pictures for tests, made by the libraries' own encoders.

#include <png.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <array>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "input/image.hpp"

namespace assay::input::test {

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline Image flat(int width, int height, std::array<std::uint8_t, 3> colour) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) image.rgb.insert(image.rgb.end(), colour.begin(), colour.end());
  return image;
}

/// (37 x + 91 y + 53 c) mod 256.
inline Image pattern(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) image.rgb.push_back(static_cast<std::uint8_t>((37 * x + 91 * y + 53 * c) % 256));
    }
  }
  return image;
}

inline std::string png_of(const Image& image) {
  png_image writer{};
  writer.version = PNG_IMAGE_VERSION;
  writer.width = static_cast<png_uint_32>(image.width);
  writer.height = static_cast<png_uint_32>(image.height);
  writer.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&writer, nullptr, &size, 0, image.rgb.data(), 0, nullptr);
  std::string file(size, '\0');
  if (png_image_write_to_memory(&writer, file.data(), &size, 0, image.rgb.data(), 0, nullptr) == 0) {
    throw std::runtime_error(writer.message);
  }
  file.resize(size);
  return file;
}

inline std::string jpeg_of(const Image& image) {
  tjhandle encoder = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;
  const int rc =
      tjCompress2(encoder, image.rgb.data(), image.width, 0, image.height, TJPF_RGB, &data, &size, TJSAMP_444, 95, 0);
  std::string file(reinterpret_cast<const char*>(data), size);
  tjFree(data);
  tjDestroy(encoder);
  if (rc != 0) throw std::runtime_error("cannot encode");
  return file;
}

/// A PNG of any kind of pixels, by libpng's longer way. `rows`: the bytes of the pixels, row by row.
inline std::string png_of(int width, int height, int depth, int colour_type, const std::string& rows,
                          bool interlaced = false) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string file;
  png_set_write_fn(
      png, &file,
      [](png_structp p, png_bytep data, std::size_t size) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<const char*>(data), size);
      },
      nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), depth, colour_type,
               interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  const std::size_t row = rows.size() / static_cast<std::size_t>(height);
  std::vector<png_bytep> pointers;
  for (int y = 0; y < height; ++y) {
    const char* begin = rows.data() + static_cast<std::size_t>(y) * row;
    pointers.push_back(reinterpret_cast<png_bytep>(const_cast<char*>(begin)));
  }
  png_set_rows(png, info, pointers.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  return file;
}

/// A whole PNG but for its pixels: a header that claims a size, with a right checksum, and an end.
inline std::string png_that_claims(std::uint32_t width, std::uint32_t height) {
  const auto number = [](std::uint32_t n) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(n >> shift & 0xFF);
    return text;
  };
  const auto chunk = [&](const std::string& kind, const std::string& data) {
    const std::string body = kind + data;
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
    return number(static_cast<std::uint32_t>(data.size())) + body + number(static_cast<std::uint32_t>(sum));
  };
  const std::string rgb("\x08\x02\x00\x00\x00", 5);
  return "\x89PNG\r\n\x1A\n" + chunk("IHDR", number(width) + number(height) + rgb) +
         chunk("IDAT", std::string("\x78\x9C\x03\x00\x00\x00\x00\x01", 8)) + chunk("IEND", "");
}

/// A JPEG for print.
inline std::string cmyk_jpeg() {
  tjhandle encoder = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;
  const std::vector<unsigned char> pixels(std::size_t{16} * 16 * 4, 100);
  const int rc = tjCompress2(encoder, pixels.data(), 16, 0, 16, TJPF_CMYK, &data, &size, TJSAMP_444, 95, 0);
  std::string file(reinterpret_cast<const char*>(data), size);
  tjFree(data);
  tjDestroy(encoder);
  if (rc != 0) throw std::runtime_error("cannot encode");
  return file;
}

}  // namespace assay::input::test
