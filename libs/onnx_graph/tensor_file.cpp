// A TensorProto that is a file of its own.

#include <fmt/format.h>

#include "assay/error.hpp"
#include "onnx_graph/reader.hpp"

namespace assay::onnx_graph {
namespace {

TensorFile whole_tensor(Reading& reading, std::shared_ptr<Storage> storage, ByteSpan bytes) {
  // Zero bytes are a valid message that says nothing: a tensor of no type.
  if (bytes.empty()) reading.fail("the tensor is empty: was it written to the end?");
  Source source{reading, *storage};
  Tensor tensor = read_tensor(source, bytes);
  if (tensor.encoding == Tensor::Encoding::kStrings) {
    throw Error(ErrorCode::kUnsupported, "a tensor of strings; only numbers are read", quote(tensor.name));
  }
  return {std::move(tensor), std::move(storage)};
}

}  // namespace

TensorFile read_tensor_file(const std::filesystem::path& path, const Limits& limits) {
  Reading reading(path.string(), limits);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  auto storage = std::make_shared<Storage>(folder);
  const ByteSpan bytes = storage->map_file(reading, path, "tensor");
  return whole_tensor(reading, std::move(storage), bytes);
}

TensorFile parse_tensor(std::span<const std::byte> bytes, const Limits& limits) {
  Reading reading("tensor in memory", limits);
  if (bytes.size() > std::min<std::uint64_t>(limits.file_bytes, INT32_MAX)) {
    reading.fail(fmt::format("the tensor has {} bytes; at most {} are read", bytes.size(), limits.file_bytes));
  }
  return whole_tensor(reading, std::make_shared<Storage>(std::filesystem::path()), bytes);
}

}  // namespace assay::onnx_graph
