#pragma once
// Which number formats this processor computes in, and what of it a compiled graph depends on.

#include <cstdint>
#include <string>

namespace assay::cpu_features {

/// Registers of CPUID and XCR0, as read or as made up by a test.
struct CpuRegisters {
  std::uint32_t leaf1_eax = 0, leaf1_ecx = 0;
  std::uint32_t leaf7_ebx = 0, leaf7_ecx = 0, leaf7_edx = 0;  // leaf 7, sub-leaf 0
  std::uint32_t leaf7_1_eax = 0;                              // leaf 7, sub-leaf 1
  std::uint64_t xcr0 = 0;                                     // register state that the system saves
  std::string vendor, brand;
};

struct CpuFeatures {
  bool avx = false, fma = false, f16c = false, avx2 = false, avx_vnni = false;
  bool avx512f = false, avx512_core = false, avx512_vnni = false, avx512_bf16 = false, avx512_fp16 = false;
  bool amx_tile = false, amx_bf16 = false, amx_int8 = false, amx_fp16 = false;
  std::string vendor, brand;
  unsigned family = 0, model = 0;

  [[nodiscard]] bool computes_bf16() const { return avx512_bf16 || amx_bf16; }
  [[nodiscard]] bool computes_f16() const { return avx512_fp16 || amx_fp16; }
  /// The formats and vector sets in words: "avx2 fma f16c".
  [[nodiscard]] std::string flags() const;
  /// The processor for a message: "AMD EPYC (avx2 fma f16c)".
  [[nodiscard]] std::string described() const;
  /// Two machines of the same identity may share compiled graphs.
  [[nodiscard]] std::string identity() const;
};

CpuFeatures decode(const CpuRegisters& registers);

/// Of this machine. All false where it is not an x86-64.
CpuRegisters read_cpu_registers();
CpuFeatures of_this_machine();

}  // namespace assay::cpu_features
