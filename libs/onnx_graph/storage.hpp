#pragma once
// Files behind a Model or a tensor of its own: the file itself and its external data, mapped.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "onnx_graph/wire.hpp"

namespace assay::onnx_graph {

class Storage {
 public:
  /// External data may lie in `folder` and below; an empty folder: nowhere.
  explicit Storage(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The file that is read itself, after a look at what it is and how large; `what` it holds, for errors.
  ByteSpan map_file(const Reading& reading, const std::filesystem::path& path, const char* what);
  /// `length` bytes (or, where nothing is said, what is left) at `offset` of a file named in a model. Fails on paths
  /// that leave the folder, by "..", as absolute ones or through a symbolic link.
  ByteSpan external(Reading& reading, const std::string& location, std::uint64_t offset,
                    std::optional<std::uint64_t> length);
  /// These bytes, where they are of a file here, are not wanted for now: their memory is given back, and read again
  /// when somebody looks. Other bytes are left alone.
  void let_go(std::span<const std::byte> bytes) const;
  [[nodiscard]] const std::vector<std::filesystem::path>& external_files() const noexcept { return order_; }

 private:
  const MappedFile& open(Reading& reading, const std::string& location);

  std::filesystem::path folder_;
  MappedFile file_;
  std::map<std::string, MappedFile> files_;    // by canonical path
  std::map<std::string, std::string> opened_;  // location → canonical path
  std::vector<std::filesystem::path> order_;
};

}  // namespace assay::onnx_graph
