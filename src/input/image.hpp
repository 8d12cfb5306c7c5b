#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace assay::input {

/// Pixels, red green blue, row by row from the top.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;  ///< 3 x width x height
};

/// JPEG (libjpeg-turbo) or PNG (libpng; transparency is laid over black), told apart by their first bytes. Bytes may be
/// hostile: more than 100 million pixels are refused before they are decoded. Throws Error(kInvalidArgument).
Image decode_image(std::span<const std::byte> file);

/// Throws what read_image would for a picture whose header is broken, or of which the end is missing; nothing is
/// decoded, so what is broken within is not found.
void check_image(const std::filesystem::path& path);

/// decode_image with the path in the error.
Image read_image(const std::filesystem::path& path);

/// ".jpg", ".jpeg", ".png", in any case of letters.
bool is_image_name(const std::filesystem::path& path);

}  // namespace assay::input
