#include "input/image.hpp"

#include <fmt/format.h>
#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string>

#include "assay/error.hpp"
#include "base/file.hpp"

namespace assay::input {
namespace {

constexpr std::int64_t kMaximumPixels = 100'000'000;

[[noreturn]] void refuse_image(const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, "is not an image that can be read: " + why);
}

/// An image of that size, its memory not filled yet.
Image sized(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMaximumPixels / height) {
    refuse_image(fmt::format("it claims {} x {} pixels; 1 to {} million are accepted", width, height,
                             kMaximumPixels / 1'000'000));
  }
  return {static_cast<int>(width), static_cast<int>(height),
          std::vector<std::uint8_t>(static_cast<std::size_t>(width * height) * 3)};
}

Image decode_jpeg(std::span<const std::byte> file) {
  const auto close = [](void* handle) { tjDestroy(handle); };
  const std::unique_ptr<void, decltype(close)> decoder(tjInitDecompress(), close);
  if (decoder == nullptr) throw Error(ErrorCode::kInternal, "TurboJPEG does not start");
  const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colours = 0;
  const auto check = [&](int result) {
    // A warning (a stray byte, say) leaves a picture that every viewer shows; a file cut short is not accepted.
    if (result == 0) return;
    const std::string why = tjGetErrorStr2(decoder.get());
    const bool cut = why.find("remature end") != std::string::npos;
    if (tjGetErrorCode(decoder.get()) != TJERR_WARNING || cut) refuse_image(cut ? "the file is cut short" : why);
  };
  check(tjDecompressHeader3(decoder.get(), bytes, file.size(), &width, &height, &subsampling, &colours));
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) refuse_image("its colours are for print (CMYK); convert it to RGB");
  Image image = sized(width, height);
  check(tjDecompress2(decoder.get(), bytes, file.size(), image.rgb.data(), width, width * 3, height, TJPF_RGB,
                      TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS));
  return image;
}

Image decode_png(std::span<const std::byte> file) {
  png_image reader{};
  reader.version = PNG_IMAGE_VERSION;
  const auto close = [](png_image* p) { png_image_free(p); };
  const std::unique_ptr<png_image, decltype(close)> guard(&reader, close);
  if (png_image_begin_read_from_memory(&reader, file.data(), file.size()) == 0) refuse_image(reader.message);
  reader.format = PNG_FORMAT_RGB;
  Image image = sized(reader.width, reader.height);
  const png_color black{0, 0, 0};
  if (png_image_finish_read(&reader, &black, image.rgb.data(), image.width * 3, nullptr) == 0)
    refuse_image(reader.message);
  return image;
}

bool begins_with(std::span<const std::byte> file, std::string_view bytes) {
  return file.size() >= bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), reinterpret_cast<const char*>(file.data()));
}

}  // namespace

Image decode_image(std::span<const std::byte> file) {
  if (begins_with(file, "\xFF\xD8\xFF")) return decode_jpeg(file);
  if (begins_with(file, "\x89PNG\r\n\x1A\n")) return decode_png(file);
  refuse_image(file.empty() ? "it is empty" : "it is neither JPEG nor PNG");
}

Image read_image(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    return decode_image(file.bytes());
  } catch (const Error& e) {
    throw Error(e.code(), e.message(), path.string());
  }
}

bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

}  // namespace assay::input
