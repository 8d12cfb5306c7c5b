#include "onnx_graph/storage.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "assay/error.hpp"

namespace assay::onnx_graph {
namespace fs = std::filesystem;

ByteSpan Storage::map_file(const Reading& reading, const fs::path& path, const char* what) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw Error(ErrorCode::kIo, fmt::format("there is no such {} file", what), path.string());
  if (fs::is_directory(status)) {
    throw Error(ErrorCode::kIo, "a folder, where an ONNX file was expected", path.string());
  }
  if (!fs::is_regular_file(status)) throw Error(ErrorCode::kIo, "not a regular file", path.string());
  const std::uintmax_t size = fs::file_size(path, error);
  if (!error && size > reading.limits.file_bytes) {
    reading.fail(
        fmt::format("the file has {} bytes; ONNX files end at {} (larger models keep weights in external data)", size,
                    reading.limits.file_bytes));
  }
  if (size == 0) return {};
  file_ = MappedFile(path);
  return file_.bytes();
}

const MappedFile& Storage::open(Reading& reading, const std::string& location) {
  if (const auto known = opened_.find(location); known != opened_.end()) return files_.at(known->second);
  if (folder_.empty()) {
    reading.fail(
        fmt::format("a tensor's data is said to be in the file {}, but this model has no folder: external data "
                    "is read only for models that are files",
                    quote(location)));
  }
  const auto refuse = [&](const char* why) {
    reading.fail(
        fmt::format("external data {} {}: only files in the model's own folder are read", quote(location), why));
  };
  const fs::path relative(location);
  if (location.empty()) refuse("has an empty name");
  if (location.find('\0') != std::string::npos) refuse("has a name with a zero byte");
  if (relative.is_absolute()) refuse("is an absolute path");
  if (std::find(relative.begin(), relative.end(), "..") != relative.end()) refuse("leads out of the folder by \"..\"");
  std::error_code error;
  const fs::path root = fs::canonical(folder_, error);
  const fs::path file = fs::canonical(folder_ / relative, error);
  if (error) {
    reading.fail(fmt::format("external data {} cannot be opened ({}): it must lie beside the model", quote(location),
                             error.message()));
  }
  const auto end = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (end.first != root.end()) refuse("leads out of the folder by a symbolic link");
  if (!fs::is_regular_file(file, error)) refuse("is not a regular file");
  opened_[location] = file.string();
  if (const auto same = files_.find(file.string()); same != files_.end()) return same->second;
  if (order_.size() >= reading.limits.external_files) {
    reading.fail(fmt::format("more than {} external data files: refused as hostile", reading.limits.external_files));
  }
  order_.push_back(folder_ / relative);
  return files_.emplace(file.string(), MappedFile(file)).first->second;
}

ByteSpan Storage::external(Reading& reading, const std::string& location, std::uint64_t offset,
                           std::optional<std::uint64_t> length) {
  const ByteSpan all = open(reading, location).bytes();
  const std::uint64_t left = offset <= all.size() ? all.size() - offset : 0;
  if (offset > all.size() || (length && *length > left)) {
    reading.fail(fmt::format("external data {} has {} bytes, but {} bytes at {} are asked for: is the file complete?",
                             quote(location), all.size(), length ? fmt::to_string(*length) : "some", offset));
  }
  return all.subspan(offset, length.value_or(left));
}

void Storage::let_go(std::span<const std::byte> bytes) const {
  const auto is_in = [&](const MappedFile& file) {
    const std::span<const std::byte> all = file.bytes();
    return !all.empty() && bytes.data() >= all.data() && bytes.data() + bytes.size() <= all.data() + all.size();
  };
  if (!is_in(file_) && std::none_of(files_.begin(), files_.end(), [&](const auto& f) { return is_in(f.second); }))
    return;
  // Whole pages alone: what else lies in the first and the last one may be wanted.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // NOLINT: an address
}

}  // namespace assay::onnx_graph
