// The .npy reader: whatever the bytes, an answer that fits into them, or an Error.
#include <cstdlib>

#include "assay/error.hpp"
#include "input/npy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto bytes = std::as_bytes(std::span(data, size));
    const assay::input::NpyHeader header = assay::input::parse_npy(bytes);
    const auto needed = static_cast<std::size_t>(assay::element_count(header.shape)) * assay::size_of(header.dtype);
    if (header.data_offset + needed > size) std::abort();
  } catch (const assay::Error&) {
  }
  return 0;
}
