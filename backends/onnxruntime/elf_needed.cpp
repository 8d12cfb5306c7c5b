#include "elf_needed.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "onnx_wire.hpp"

namespace assay::ort {
namespace {

using ElfBytes = std::span<const std::uint8_t>;

/// A T at `offset`; zeros where the file ends before.
template <class T>
T read_at(ElfBytes elf, std::uint64_t offset) {
  T value{};
  if (offset <= elf.size() && elf.size() - offset >= sizeof(T)) std::memcpy(&value, elf.data() + offset, sizeof(T));
  return value;
}

std::vector<Elf64_Phdr> program_headers(ElfBytes elf) {
  const auto header = read_at<Elf64_Ehdr>(elf, 0);
  const bool is_elf = std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64;
  if (!is_elf || header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > elf.size()) return {};
  std::vector<Elf64_Phdr> headers;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    headers.push_back(read_at<Elf64_Phdr>(elf, header.e_phoff + std::uint64_t{i} * sizeof(Elf64_Phdr)));
  }
  return headers;
}

/// Where in the file the byte lies that is loaded at `address`; beyond its end where none is.
std::uint64_t offset_of(const std::vector<Elf64_Phdr>& headers, std::uint64_t address) {
  for (const Elf64_Phdr& h : headers) {
    if (h.p_type == PT_LOAD && address >= h.p_vaddr && address - h.p_vaddr < h.p_filesz) {
      return h.p_offset + (address - h.p_vaddr);
    }
  }
  return UINT64_MAX;
}

std::string text_at(ElfBytes elf, std::uint64_t offset) {
  if (offset >= elf.size()) return {};
  const ElfBytes rest = elf.subspan(offset);
  const auto end = std::find(rest.begin(), rest.end(), std::uint8_t{0});
  return end == rest.end() ? std::string() : std::string(rest.begin(), end);
}

}  // namespace

std::vector<std::string> parse_needed(ElfBytes elf) {
  const std::vector<Elf64_Phdr> headers = program_headers(elf);
  std::vector<std::uint64_t> names;  // offsets into the table of strings
  std::uint64_t strings = UINT64_MAX;
  for (const Elf64_Phdr& h : headers) {
    if (h.p_type != PT_DYNAMIC || h.p_offset > elf.size()) continue;
    const std::uint64_t size = std::min<std::uint64_t>(h.p_filesz, elf.size() - h.p_offset);
    for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= size; at += sizeof(Elf64_Dyn)) {
      const auto entry = read_at<Elf64_Dyn>(elf, h.p_offset + at);
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_NEEDED) names.push_back(entry.d_un.d_val);
      if (entry.d_tag == DT_STRTAB) strings = offset_of(headers, entry.d_un.d_ptr);
    }
  }
  std::vector<std::string> result;
  for (const std::uint64_t name : names) {
    if (strings > elf.size() || name > elf.size()) continue;
    std::string text = text_at(elf, strings + name);
    if (!text.empty()) result.push_back(std::move(text));
  }
  return result;
}

std::vector<std::string> needed_libraries(const std::string& path) {
  const wire::MappedFile file(path);
  return parse_needed(file.bytes());
}

}  // namespace assay::ort
