#include "input/npy.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "assay/error.hpp"
#include "core/copy.hpp"

namespace assay::input {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaximumRank = 32;  // NumPy's own limit (NPY_MAXDIMS before NumPy 2)

struct Descr {
  DType dtype;
  std::string_view text;
};
constexpr std::array kDescr = {
    Descr{DType::kFloat32, "<f4"}, Descr{DType::kFloat16, "<f2"}, Descr{DType::kFloat64, "<f8"},
    Descr{DType::kUint8, "|u1"},   Descr{DType::kInt8, "|i1"},    Descr{DType::kUint16, "<u2"},
    Descr{DType::kInt16, "<i2"},   Descr{DType::kUint32, "<u4"},  Descr{DType::kInt32, "<i4"},
    Descr{DType::kUint64, "<u8"},  Descr{DType::kInt64, "<i8"},   Descr{DType::kBool, "|b1"},
};

[[noreturn]] void refuse_npy(const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, "is not an .npy file that can be read: " + why);
}

DType dtype_of(std::string_view descr) {
  for (const Descr& d : kDescr) {
    // '<', '|' and '=' mean the same here: little endian, or one byte.
    if (descr.size() == 3 && descr.substr(1) == d.text.substr(1) &&
        std::string_view("<|=").find(descr[0]) != std::string_view::npos) {
      return d.dtype;
    }
  }
  if (!descr.empty() && descr[0] == '>') {
    refuse_npy(
        fmt::format("its numbers are big-endian ({}); convert it with array.astype(array.dtype.newbyteorder('<'))",
                    descr.substr(0, 20)));
  }
  refuse_npy(fmt::format("element type '{}' is not one that Assay handles", descr.substr(0, 20)));
}

/// The few forms of a Python literal that a header may hold: {'descr': '…', 'fortran_order': False, 'shape': (1, 2)}.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    bool descr = false;
    bool order = false;
    bool shape = false;
    expect('{');
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr") {
        header.dtype = dtype_of(quoted());
        descr = true;
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
        order = true;
      } else if (key == "shape") {
        header.shape = tuple();
        shape = true;
      } else {
        refuse_npy(fmt::format("its header has an unknown key '{}'", key.substr(0, 20)));
      }
      if (!take(',') && !peek('}')) refuse_npy("its header's dictionary is broken");
    }
    skip_space();
    if (!rest_.empty()) refuse_npy("something follows its header's dictionary");
    if (!descr || !order || !shape) refuse_npy("its header lacks descr, fortran_order or shape");
    return header;
  }

 private:
  void skip_space() {
    const std::size_t n = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(n == std::string_view::npos ? rest_.size() : n);
  }
  bool peek(char c) {
    skip_space();
    return !rest_.empty() && rest_.front() == c;
  }
  bool take(char c) {
    if (!peek(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse_npy(fmt::format("its header lacks a '{}'", c));
  }
  std::string_view quoted() {
    skip_space();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    if (quote != '\'' && quote != '"') refuse_npy("its header is broken (structured arrays are not supported)");
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) refuse_npy("its header is broken");
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool boolean() {
    skip_space();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return value;
      }
    }
    refuse_npy("fortran_order is neither True nor False");
  }
  Shape tuple() {
    Shape shape;
    expect('(');
    while (!take(')')) {
      skip_space();
      std::int64_t axis = 0;
      const auto [next, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), axis);
      if (error != std::errc() || axis < 0) refuse_npy("its shape is broken");
      rest_.remove_prefix(static_cast<std::size_t>(next - rest_.data()));
      if (!rest_.empty() && rest_.front() == 'L') rest_.remove_prefix(1);  // written by Python 2
      shape.push_back(axis);
      if (shape.size() > kMaximumRank) refuse_npy(fmt::format("it has more than {} axes", kMaximumRank));
      if (!take(',') && !peek(')')) refuse_npy("its shape is broken");
    }
    return shape;
  }

  std::string_view rest_;
};

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

Shape fortran_strides(const Shape& shape) {
  Shape strides;
  std::int64_t step = 1;
  for (const std::int64_t axis : shape) {
    strides.push_back(step);
    step *= axis;
  }
  return strides;
}

std::string header_text(const TensorView& tensor) {
  std::string_view descr;
  for (const Descr& d : kDescr) {
    if (d.dtype == tensor.dtype) descr = d.text;
  }
  if (descr.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("NumPy has no element type {}; it cannot be written as .npy", to_string(tensor.dtype)));
  }
  std::string shape;
  for (const std::int64_t axis : tensor.shape) shape += std::to_string(axis) + (tensor.shape.size() == 1 ? "," : ", ");
  if (tensor.shape.size() > 1) shape.resize(shape.size() - 2);
  return fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, shape);
}

}  // namespace

NpyHeader parse_npy(std::span<const std::byte> file) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (text.empty()) refuse_npy("it is empty");
  if (text.size() < 10 || !text.starts_with(kMagic)) refuse_npy("it does not begin as one");
  const int version = static_cast<unsigned char>(text[6]);
  if (version < 1 || version > 3) refuse_npy(fmt::format("it is of version {}; 1 to 3 are known", version));
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t begin = 8 + length_bytes;
  if (text.size() < begin) refuse_npy("it is cut short in the header");
  const std::size_t length = little_endian(text.substr(8, length_bytes));
  if (length > text.size() - begin) refuse_npy("it is cut short in the header");
  NpyHeader header = HeaderParser(text.substr(begin, length)).parse();
  header.data_offset = begin + length;
  const std::uint64_t room = text.size() - header.data_offset;
  const auto count = static_cast<std::uint64_t>(element_count(header.shape));
  const std::size_t element = size_of(header.dtype);
  if (count > room / element) {
    refuse_npy(fmt::format("it is cut short: shape {} of {} needs {} elements, there is room for {}",
                           to_string(header.shape), to_string(header.dtype), count, room / element));
  }
  return header;
}

NpyFile::NpyFile(const std::filesystem::path& path) : file_(path) {
  try {
    const NpyHeader header = parse_npy(file_.bytes());
    view_.data = file_.bytes().data() + header.data_offset;
    view_.dtype = header.dtype;
    view_.shape = header.shape;
    if (header.fortran_order && header.shape.size() > 1) view_.strides = fortran_strides(header.shape);
  } catch (const Error& e) {
    throw Error(e.code(), e.message(), path.string());
  }
}

void write_npy(const std::filesystem::path& path, const TensorView& tensor) {
  std::string header = header_text(tensor);
  const bool long_header = header.size() > 65000;
  const std::size_t before = kMagic.size() + 2 + (long_header ? 4 : 2);
  const std::size_t padding = 64 - (before + header.size() + 1) % 64;  // NumPy aligns the array to 64 bytes
  header += std::string(padding % 64, ' ') + '\n';
  const auto elements = static_cast<std::size_t>(element_count(tensor.shape)) * size_of(tensor.dtype);
  std::string file;
  file.reserve(before + header.size() + elements);
  file += kMagic;
  file += long_header ? '\x02' : '\x01';
  file += '\0';
  for (std::size_t i = 0; i < (long_header ? 4U : 2U); ++i) file += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  file += header;
  const std::size_t offset = file.size();
  file.resize(offset + elements);
  copy_elements(tensor, {file.data() + offset, tensor.dtype, tensor.shape, {}});
  write_file_atomically(path, file);
}

}  // namespace assay::input
