#include "elf_needed.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "cuda_libraries.hpp"

namespace assay::ort {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A file of one loaded segment: header, two program headers, the dynamic section, the strings.
std::vector<std::uint8_t> small_library(const std::vector<std::string>& needed) {
  std::string strings(1, '\0');
  std::vector<Elf64_Dyn> dynamic;
  for (const std::string& name : needed) {
    dynamic.push_back({DT_NEEDED, {strings.size()}});
    strings += name + '\0';
  }
  constexpr std::uint64_t kAddress = 0x10000;
  const std::uint64_t at = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  const std::uint64_t dynamic_bytes = (dynamic.size() + 2) * sizeof(Elf64_Dyn);
  dynamic.push_back({DT_STRTAB, {kAddress + at + dynamic_bytes}});
  dynamic.push_back({DT_NULL, {0}});
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  Elf64_Phdr load{}, section{};
  load.p_type = PT_LOAD;
  load.p_vaddr = kAddress;
  load.p_filesz = at + dynamic_bytes + strings.size();
  section.p_type = PT_DYNAMIC;
  section.p_offset = at;
  section.p_filesz = dynamic_bytes;
  std::vector<std::uint8_t> file;
  const auto append = [&](const void* data, std::size_t bytes) {
    const auto* begin = static_cast<const std::uint8_t*>(data);
    file.insert(file.end(), begin, begin + bytes);
  };
  append(&header, sizeof header);
  append(&load, sizeof load);
  append(&section, sizeof section);
  append(dynamic.data(), dynamic_bytes);
  append(strings.data(), strings.size());
  return file;
}

TEST(ElfNeeded, AreTheNamesInTheirOrder) {
  EXPECT_THAT(parse_needed(small_library({"libcublas.so.13", "libc.so.6"})),
              ElementsAre("libcublas.so.13", "libc.so.6"));
  EXPECT_THAT(parse_needed(small_library({})), IsEmpty());
}

TEST(ElfNeeded, OfThisProgramAreThere) { EXPECT_THAT(needed_libraries("/proc/self/exe"), Contains("libc.so.6")); }

TEST(ElfNeeded, OfBytesThatAreNoLibraryAreNone) {
  EXPECT_THAT(parse_needed({}), IsEmpty());
  EXPECT_THAT(needed_libraries("/nowhere/libx.so"), IsEmpty());
  const std::vector<std::uint8_t> whole = small_library({"liba.so", "libb.so"});
  for (std::size_t size = 0; size < whole.size(); ++size) {  // cut anywhere: read without harm
    EXPECT_LE(parse_needed(std::span(whole).first(size)).size(), 2U);
  }
  std::vector<std::uint8_t> wrong = whole;
  for (std::size_t i = sizeof(Elf64_Ehdr); i < wrong.size(); ++i) {  // addresses that lead anywhere
    wrong[i] = static_cast<std::uint8_t>(~wrong[i]);
    parse_needed(wrong);
  }
}

TEST(CudnnVersion, IsOfTwoKinds) {
  EXPECT_EQ(cudnn_version_text(92000), "9.20.0");
  EXPECT_EQ(cudnn_version_text(90701), "9.7.1");
  EXPECT_EQ(cudnn_version_text(8907), "8.9.7");
}

}  // namespace
}  // namespace assay::ort
