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

constexpr const char* kCutShort = "the file is cut short";

[[noreturn]] void refuse_image(const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, "is not an image that can be read: " + why);
}

bool begins_with(std::span<const std::byte> file, std::string_view bytes) {
  return file.size() >= bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), reinterpret_cast<const char*>(file.data()));
}

struct ImageSize {
  int width = 0, height = 0;
};

ImageSize checked(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMaximumPixels / height) {
    refuse_image(fmt::format("it claims {} x {} pixels; 1 to {} million are accepted", width, height,
                             kMaximumPixels / 1'000'000));
  }
  return {static_cast<int>(width), static_cast<int>(height)};
}

/// Its memory not filled yet.
Image image_of(ImageSize size) {
  const std::size_t pixels = static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  return {size.width, size.height, std::vector<std::uint8_t>(pixels * 3)};
}

class JpegReader {
 public:
  explicit JpegReader(std::span<const std::byte> file) : file_(file), decoder_(tjInitDecompress(), close) {
    if (decoder_ == nullptr) throw Error(ErrorCode::kInternal, "TurboJPEG does not start");
    int width = 0;
    int height = 0;
    int subsampling = 0;
    int colours = 0;
    check(tjDecompressHeader3(decoder_.get(), bytes(), file_.size(), &width, &height, &subsampling, &colours));
    if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
      refuse_image("its colours are for print (CMYK); convert it to RGB");
    }
    size_ = checked(width, height);
  }
  /// Without the mark of its end it is cut short; with one it may be a thumbnail's.
  [[nodiscard]] bool has_end() const {
    constexpr std::byte kEnd[] = {std::byte{0xFF}, std::byte{0xD9}};
    return std::find_end(file_.begin(), file_.end(), std::begin(kEnd), std::end(kEnd)) != file_.end();
  }
  [[nodiscard]] Image decode() const {
    Image image = image_of(size_);
    check(tjDecompress2(decoder_.get(), bytes(), file_.size(), image.rgb.data(), image.width, image.width * 3,
                        image.height, TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS));
    return image;
  }

 private:
  static void close(void* handle) { tjDestroy(handle); }
  [[nodiscard]] const unsigned char* bytes() const { return reinterpret_cast<const unsigned char*>(file_.data()); }
  void check(int result) const {
    // A warning (a stray byte, say) leaves a picture that every viewer shows; a file cut short is not accepted.
    if (result == 0) return;
    const std::string why = tjGetErrorStr2(decoder_.get());
    const bool cut = why.find("remature end") != std::string::npos;
    if (tjGetErrorCode(decoder_.get()) != TJERR_WARNING || cut) refuse_image(cut ? kCutShort : why);
  }

  std::span<const std::byte> file_;
  std::unique_ptr<void, void (*)(void*)> decoder_;
  ImageSize size_;
};

class PngReader {
 public:
  explicit PngReader(std::span<const std::byte> file) : file_(file) {
    reader_.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_memory(&reader_, file.data(), file.size()) == 0) refuse_image(reader_.message);
    try {
      size_ = checked(reader_.width, reader_.height);
    } catch (...) {
      png_image_free(&reader_);
      throw;
    }
  }
  ~PngReader() { png_image_free(&reader_); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  /// PNG, section 5: chunks of length, name, data and checksum, up to the one that is called IEND.
  [[nodiscard]] bool has_end() const {
    constexpr std::size_t kSignature = 8, kAround = 12;
    for (std::size_t at = kSignature; at + kAround <= file_.size();) {
      std::size_t length = 0;
      for (std::size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<std::size_t>(file_[at + i]);
      if (length > file_.size() - at - kAround) return false;
      if (begins_with(file_.subspan(at + 4), "IEND")) return true;
      at += kAround + length;
    }
    return false;
  }
  [[nodiscard]] Image decode() {
    reader_.format = PNG_FORMAT_RGB;
    Image image = image_of(size_);
    const png_color black{0, 0, 0};
    if (png_image_finish_read(&reader_, &black, image.rgb.data(), image.width * 3, nullptr) == 0) {
      refuse_image(reader_.message);
    }
    return image;
  }

 private:
  std::span<const std::byte> file_;
  png_image reader_{};
  ImageSize size_;
};

/// Calls `use` with the reader for the file's kind.
template <class Use>
auto with_reader(std::span<const std::byte> file, const Use& use) {
  if (begins_with(file, "\xFF\xD8\xFF")) {
    JpegReader reader(file);
    return use(reader);
  }
  if (begins_with(file, "\x89PNG\r\n\x1A\n")) {
    PngReader reader(file);
    return use(reader);
  }
  refuse_image(file.empty() ? "it is empty" : "it is neither JPEG nor PNG");
}

template <class Use>
auto with_file(const std::filesystem::path& path, const Use& use) {
  const MappedFile file(path);
  try {
    return with_reader(file.bytes(), use);
  } catch (const Error& e) {
    throw Error(e.code(), e.message(), path.string());
  }
}

}  // namespace

Image decode_image(std::span<const std::byte> file) {
  return with_reader(file, [](auto& reader) { return reader.decode(); });
}

void check_image(const std::filesystem::path& path) {
  with_file(path, [](auto& reader) {
    if (!reader.has_end()) refuse_image(kCutShort);
  });
}

Image read_image(const std::filesystem::path& path) {
  return with_file(path, [](auto& reader) { return reader.decode(); });
}

bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

}  // namespace assay::input
