#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "assay/tensor.hpp"
#include "base/file.hpp"

namespace assay::input {

/// What stands before an array's bytes. Format: NumPy enhancement proposal 1 and numpy.lib.format, versions 1 to 3.
struct NpyHeader {
  DType dtype = DType::kFloat32;
  bool fortran_order = false;
  Shape shape;
  std::size_t data_offset = 0;
};

/// Reads the header of a whole .npy file and checks that the array's bytes are all there. Bytes may be hostile. Throws
/// Error(kInvalidArgument).
NpyHeader parse_npy(std::span<const std::byte> file);

/// An .npy file, mapped; the view lives as long as the object.
class NpyFile {
 public:
  explicit NpyFile(const std::filesystem::path& path);
  [[nodiscard]] const TensorView& view() const { return view_; }

 private:
  MappedFile file_;
  TensorView view_;
};

/// Writes version 1.0 (2.0 where the header is too long for it), atomically. bfloat16, which NumPy does not have, is
/// refused. Throws Error.
void write_npy(const std::filesystem::path& path, const TensorView& tensor);

}  // namespace assay::input
