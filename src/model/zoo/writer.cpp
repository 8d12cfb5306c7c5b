#include "model/zoo/writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "assay/error.hpp"
#include "onnx_graph/onnx.pb.h"

// The graph's length must precede it, and its weights are made only as they are written: so lengths are computed first,
// and the few enclosing fields are written by hand.

namespace assay::model {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

constexpr std::int64_t kOpset = 17;
constexpr std::int64_t kIrVersion = 8;

using google::protobuf::io::CodedOutputStream;

constexpr std::uint32_t bytes_tag(int field) { return static_cast<std::uint32_t>(field) << 3 | 2; }

std::size_t varint_size(std::uint64_t value) { return CodedOutputStream::VarintSize64(value); }

std::uint64_t field_size(int field, std::uint64_t content) {
  return varint_size(bytes_tag(field)) + varint_size(content) + content;
}

/// A temporary file beside `path` that replaces it at the end, or vanishes.
class ReplacingFile {
 public:
  ReplacingFile(std::filesystem::path path, std::uint64_t size) : path_(std::move(path)), size_(size) {
    name_ = path_.string() + ".XXXXXX";
    fd_ = ::mkostemp(name_.data(), O_CLOEXEC);
    if (fd_ < 0) fail(errno);
    // Room for all of it is asked for at once, where the file system can tell: no minute of writing before the news.
    if (::fallocate(fd_, 0, 0, static_cast<off_t>(size)) != 0 && errno == ENOSPC) {
      discard();
      fail(ENOSPC);
    }
  }
  ~ReplacingFile() { discard(); }
  ReplacingFile(const ReplacingFile&) = delete;
  ReplacingFile& operator=(const ReplacingFile&) = delete;

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail(errno);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  void commit() {
    ::fchmod(fd_, 0644);
    if (::fsync(fd_) != 0 || ::close(std::exchange(fd_, -1)) != 0) fail(errno);
    if (::rename(name_.c_str(), path_.c_str()) != 0) fail(errno);
    name_.clear();
  }

 private:
  void discard() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    if (!name_.empty()) ::unlink(std::exchange(name_, {}).c_str());
  }

  [[noreturn]] void fail(int error) const {
    if (error == ENOSPC || error == EDQUOT) {
      throw Error(ErrorCode::kIo,
                  fmt::format("cannot write the network: the disk is full, {:.1f} MB are needed; free some space or "
                              "choose another folder",
                              static_cast<double>(size_) / 1e6),
                  path_.string());
    }
    throw Error(ErrorCode::kIo, fmt::format("cannot write the network: {}", std::strerror(error)), path_.string());
  }

  std::filesystem::path path_;
  std::uint64_t size_;
  std::string name_;
  int fd_ = -1;
};

/// Gathers small writes.
class Buffer {
 public:
  Buffer(ReplacingFile& file, const std::atomic<bool>* stop) : file_(file), stop_(stop) { bytes_.reserve(kSize); }

  void append(std::span<const std::byte> bytes) {
    if (bytes_.size() + bytes.size() > kSize) flush();
    if (bytes.size() > kSize) {
      file_.write(bytes);
    } else {
      bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
  }
  void append(const std::string& text) { append(std::as_bytes(std::span(text))); }
  /// The start of a field of bytes: tag and length.
  void head(int field, std::uint64_t length) {
    std::uint8_t head[20];
    std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(bytes_tag(field), head);
    end = CodedOutputStream::WriteVarint64ToArray(length, end);
    append(std::as_bytes(std::span(head, end)));
  }
  void flush() {
    if (stop_ != nullptr && *stop_) throw Error(ErrorCode::kCancelled, "interrupted; the network was not written");
    file_.write(bytes_);
    bytes_.clear();
  }

 private:
  static constexpr std::size_t kSize = std::size_t{1} << 20;
  ReplacingFile& file_;
  const std::atomic<bool>* stop_;
  std::vector<std::byte> bytes_;
};

std::string serialized(const google::protobuf::MessageLite& message) {
  std::string text;
  google::protobuf::io::StringOutputStream stream(&text);
  CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return text;
}

std::uint64_t raw_size(const Initializer& tensor) {
  return static_cast<std::uint64_t>(element_count(tensor.dims)) * size_of(tensor.dtype);
}

/// An initializer but for its elements.
std::string head_of(const Initializer& tensor) {
  onnx::TensorProto proto;
  for (const std::int64_t d : tensor.dims) proto.add_dims(d);
  proto.set_data_type(static_cast<std::int32_t>(tensor.dtype));
  proto.set_name(tensor.name);
  return serialized(proto);
}

void write_floats(Buffer& out, DType dtype, std::span<const float> values) {
  if (dtype == DType::kFloat32) {
    out.append(std::as_bytes(values));
    return;
  }
  for (const float v : values) {
    const std::uint16_t half = half_from(v);
    out.append(std::as_bytes(std::span(&half, 1)));
  }
}

void write_elements(Buffer& out, const Initializer& tensor, std::uint64_t seed) {
  if (const auto* floats = std::get_if<std::vector<float>>(&tensor.elements)) {
    write_floats(out, tensor.dtype, *floats);
  } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&tensor.elements)) {
    out.append(std::as_bytes(std::span(*integers)));
  } else {
    const RandomTensor random(seed, tensor.name);
    make_rows(std::get<WeightRows>(tensor.elements), random,
              [&](std::span<const float> row) { write_floats(out, tensor.dtype, row); });
  }
}

}  // namespace

void write_model(const Graph& graph, const WriteSettings& settings, const std::string& doc,
                 const std::filesystem::path& path) {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("assay");
  model.set_doc_string(doc);
  onnx::ModelProto opsets;
  auto* opset = opsets.add_opset_import();
  opset->set_domain("");
  opset->set_version(kOpset);

  const std::string before = serialized(model);
  const std::string after = serialized(opsets);
  const std::string nodes = serialized(graph.proto());
  std::vector<std::string> heads;
  std::uint64_t graph_size = nodes.size();
  for (const Initializer& tensor : graph.initializers()) {
    heads.push_back(head_of(tensor));
    const std::uint64_t content =
        heads.back().size() + field_size(onnx::TensorProto::kRawDataFieldNumber, raw_size(tensor));
    graph_size += field_size(onnx::GraphProto::kInitializerFieldNumber, content);
  }

  ReplacingFile file(path, before.size() + field_size(onnx::ModelProto::kGraphFieldNumber, graph_size) + after.size());
  Buffer out(file, settings.stop);
  out.append(before);
  out.head(onnx::ModelProto::kGraphFieldNumber, graph_size);
  out.append(nodes);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const Initializer& tensor = graph.initializers()[i];
    const std::uint64_t raw = raw_size(tensor);
    out.head(onnx::GraphProto::kInitializerFieldNumber,
             heads[i].size() + field_size(onnx::TensorProto::kRawDataFieldNumber, raw));
    out.append(heads[i]);
    out.head(onnx::TensorProto::kRawDataFieldNumber, raw);
    write_elements(out, tensor, settings.seed);
  }
  out.append(after);
  out.flush();
  file.commit();
}

}  // namespace assay::model
