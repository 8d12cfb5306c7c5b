#include "cpu_features/cpu_features.hpp"

#include <array>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace assay::cpu_features {
namespace {

bool bit(std::uint64_t value, unsigned index) { return ((value >> index) & 1U) != 0; }

}  // namespace

CpuFeatures decode(const CpuRegisters& r) {
  CpuFeatures f;
  f.vendor = r.vendor;
  f.brand = r.brand;
  const unsigned base_family = (r.leaf1_eax >> 8) & 0xF;
  const unsigned base_model = (r.leaf1_eax >> 4) & 0xF;
  f.family = base_family == 0xF ? base_family + ((r.leaf1_eax >> 20) & 0xFF) : base_family;
  f.model = base_family == 0x6 || base_family == 0xF ? base_model + ((r.leaf1_eax >> 12) & 0xF0) : base_model;

  // A unit counts only if the system saves its registers: XCR0 bits 1-2 (YMM), 5-7 (ZMM), 17-18 (tiles).
  const bool ymm = bit(r.leaf1_ecx, 27) && (r.xcr0 & 0x6) == 0x6;
  const bool zmm = ymm && (r.xcr0 & 0xE0) == 0xE0;
  const bool tiles = zmm && (r.xcr0 & 0x60000) == 0x60000;
  f.avx = ymm && bit(r.leaf1_ecx, 28);
  f.fma = ymm && bit(r.leaf1_ecx, 12);
  f.f16c = ymm && bit(r.leaf1_ecx, 29);
  f.avx2 = ymm && bit(r.leaf7_ebx, 5);
  f.avx_vnni = ymm && bit(r.leaf7_1_eax, 4);
  f.avx512f = zmm && bit(r.leaf7_ebx, 16);
  f.avx512_core = f.avx512f && bit(r.leaf7_ebx, 17) && bit(r.leaf7_ebx, 30) && bit(r.leaf7_ebx, 31);
  f.avx512_vnni = f.avx512f && bit(r.leaf7_ecx, 11);
  f.avx512_bf16 = f.avx512_core && bit(r.leaf7_1_eax, 5);
  f.avx512_fp16 = f.avx512_core && bit(r.leaf7_edx, 23);
  f.amx_tile = tiles && bit(r.leaf7_edx, 24);
  f.amx_bf16 = f.amx_tile && bit(r.leaf7_edx, 22);
  f.amx_int8 = f.amx_tile && bit(r.leaf7_edx, 25);
  f.amx_fp16 = f.amx_tile && bit(r.leaf7_1_eax, 21);
  return f;
}

std::string CpuFeatures::flags() const {
  const std::array<std::pair<bool, const char*>, 14> all = {{{avx, "avx"},
                                                             {fma, "fma"},
                                                             {f16c, "f16c"},
                                                             {avx2, "avx2"},
                                                             {avx_vnni, "avx_vnni"},
                                                             {avx512f, "avx512f"},
                                                             {avx512_core, "avx512_core"},
                                                             {avx512_vnni, "avx512_vnni"},
                                                             {avx512_bf16, "avx512_bf16"},
                                                             {avx512_fp16, "avx512_fp16"},
                                                             {amx_tile, "amx_tile"},
                                                             {amx_bf16, "amx_bf16"},
                                                             {amx_int8, "amx_int8"},
                                                             {amx_fp16, "amx_fp16"}}};
  std::string text;
  for (const auto& [present, name] : all) {
    if (present) text += (text.empty() ? "" : " ") + std::string(name);
  }
  return text;
}

std::string CpuFeatures::described() const { return (brand.empty() ? "this processor" : brand) + " (" + flags() + ")"; }

std::string CpuFeatures::identity() const {
  return vendor + " family " + std::to_string(family) + " model " + std::to_string(model) + ": " + flags();
}

#if defined(__x86_64__)

CpuRegisters read_cpu_registers() {
  CpuRegisters r;
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(0, &a, &b, &c, &d) == 0) return r;
  std::array<std::uint32_t, 3> vendor = {b, d, c};
  r.vendor.assign(reinterpret_cast<const char*>(vendor.data()), sizeof vendor);
  if (__get_cpuid(1, &a, &b, &c, &d) != 0) {
    r.leaf1_eax = a;
    r.leaf1_ecx = c;
  }
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
    const std::uint32_t last_sub_leaf = a;
    r.leaf7_ebx = b;
    r.leaf7_ecx = c;
    r.leaf7_edx = d;
    if (last_sub_leaf >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) r.leaf7_1_eax = a;
  }
  if (bit(r.leaf1_ecx, 27)) {  // XGETBV may be used
    std::uint32_t low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    r.xcr0 = (static_cast<std::uint64_t>(high) << 32) | low;
  }
  std::array<std::uint32_t, 12> brand{};
  for (std::uint32_t i = 0; i < 3; ++i) {
    std::uint32_t* part = brand.data() + std::size_t{4} * i;
    if (__get_cpuid(0x80000002U + i, part, part + 1, part + 2, part + 3) == 0) return r;
  }
  const auto* text = reinterpret_cast<const char*>(brand.data());
  r.brand.assign(text, ::strnlen(text, sizeof brand));
  const auto first = r.brand.find_first_not_of(' ');
  r.brand.erase(0, first == std::string::npos ? r.brand.size() : first);
  return r;
}

#else

CpuRegisters read_cpu_registers() { return {}; }

#endif

CpuFeatures of_this_machine() { return decode(read_cpu_registers()); }

}  // namespace assay::cpu_features
