#pragma once
// What a shared library asks the loader for.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace assay::ort {

/// The names of the libraries that a 64-bit ELF file needs (DT_NEEDED), in its order: "libcublas.so.13". Empty where
/// the bytes are no such file. Never reads out of bounds.
std::vector<std::string> parse_needed(std::span<const std::uint8_t> elf);
/// The same of a file; empty where it cannot be read.
std::vector<std::string> needed_libraries(const std::string& path);

}  // namespace assay::ort
