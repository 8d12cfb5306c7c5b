#include "cpu_features/cpu_features.hpp"

#include <gtest/gtest.h>

namespace assay::cpu_features {
namespace {

/// An Intel Sapphire Rapids: everything, tiles too.
CpuRegisters sapphire_rapids() {
  CpuRegisters r;
  r.vendor = "GenuineIntel";
  r.brand = "Intel(R) Xeon(R)";
  r.leaf1_eax = 0x000806F8;
  r.leaf1_ecx = (1U << 12) | (1U << 27) | (1U << 28) | (1U << 29);
  r.leaf7_ebx = (1U << 5) | (1U << 16) | (1U << 17) | (1U << 30) | (1U << 31);
  r.leaf7_ecx = 1U << 11;
  r.leaf7_edx = (1U << 22) | (1U << 23) | (1U << 24) | (1U << 25);
  r.leaf7_1_eax = (1U << 4) | (1U << 5);
  r.xcr0 = 0x600E7;
  return r;
}

TEST(CpuFeatures, ReadsFamilyModelAndFlags) {
  const CpuFeatures f = decode(sapphire_rapids());
  EXPECT_EQ(f.family, 6U);
  EXPECT_EQ(f.model, 0x8FU);
  EXPECT_EQ(f.flags(),
            "avx fma f16c avx2 avx_vnni avx512f avx512_core avx512_vnni avx512_bf16 avx512_fp16 amx_tile amx_bf16 "
            "amx_int8");
  EXPECT_EQ(f.identity().rfind("GenuineIntel family 6 model 143: avx ", 0), 0U);
  EXPECT_TRUE(f.computes_bf16());
  EXPECT_TRUE(f.computes_f16());
}

TEST(CpuFeatures, AvxWithoutBf16IsNotBf16) {
  CpuRegisters r = sapphire_rapids();
  r.leaf7_1_eax = 0;
  r.leaf7_edx = 0;
  const CpuFeatures f = decode(r);
  EXPECT_TRUE(f.avx512_vnni);
  EXPECT_FALSE(f.computes_bf16());
  EXPECT_FALSE(f.computes_f16());
}

TEST(CpuFeatures, AUnitWhoseRegistersAreNotSavedDoesNotCount) {
  CpuRegisters r = sapphire_rapids();
  r.xcr0 = 0xE7;  // no tiles
  EXPECT_FALSE(decode(r).amx_bf16);
  EXPECT_TRUE(decode(r).avx512_bf16);
  r.xcr0 = 0x7;  // no ZMM
  EXPECT_FALSE(decode(r).avx512f);
  EXPECT_FALSE(decode(r).computes_bf16());
  EXPECT_TRUE(decode(r).avx2);
  r.xcr0 = 0x3;  // no YMM
  EXPECT_EQ(decode(r).flags(), "");
}

TEST(CpuFeatures, AmdFamiliesAddTheExtendedOne) {
  CpuRegisters r;
  r.leaf1_eax = 0x00A00F11;  // Zen 3
  EXPECT_EQ(decode(r).family, 25U);
  EXPECT_EQ(decode(r).model, 1U);
}

TEST(CpuFeatures, ThisMachineCanBeAsked) {
  const CpuFeatures f = decode(read_cpu_registers());
#if defined(__x86_64__)
  EXPECT_FALSE(f.vendor.empty());
  EXPECT_GT(f.family, 0U);
  EXPECT_EQ(f.avx2, __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(f.avx512f, __builtin_cpu_supports("avx512f") != 0);
  EXPECT_EQ(f.avx512_bf16, __builtin_cpu_supports("avx512bf16") != 0);
#else
  EXPECT_EQ(f.flags(), "");
#endif
}

}  // namespace
}  // namespace assay::cpu_features
