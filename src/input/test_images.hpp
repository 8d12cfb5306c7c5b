#pragma once
// Pictures for tests, made by the libraries' own encoders.

#include <png.h>
#include <turbojpeg.h>

#include <array>
#include <span>
#include <stdexcept>
#include <string>

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

}  // namespace assay::input::test
