#include "compiler/target.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

#include "compiler/graph.hpp"

namespace assay::compiler {
namespace {

Cpu cpu_with(std::initializer_list<const char*> features) {
  Cpu cpu{"some", {{"sse4a", false}}};
  for (const char* f : features) cpu.features[f] = true;
  return cpu;
}

Cpu with_avx512() {
  return cpu_with({"sse4.2", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"});
}
Cpu with_avx2() { return cpu_with({"sse4.2", "avx2", "fma"}); }

TEST(Target, TheHostIsAllThatItsCpuHas) {
  const Target of512 = target_on(with_avx512(), "host"), of2 = target_on(with_avx2(), "host"),
               of4 = target_on(cpu_with({"sse4.2"}), "host");
  EXPECT_EQ(of512.vector_floats, 16);
  EXPECT_EQ(of512.registers, 32);
  EXPECT_EQ(of2.vector_floats, 8);
  EXPECT_EQ(of2.registers, 16);
  EXPECT_EQ(of2.cpu, "some");
  EXPECT_EQ(of2.features, "+avx2,+fma,+sse4.2,-sse4a");
  EXPECT_EQ(of4.vector_floats, 4);
}

TEST(Target, PartOfALevelIsNotThatLevel) {
  Cpu part = with_avx512();
  part.features["avx512vl"] = false;
  EXPECT_EQ(target_on(part, "host").vector_floats, 8);
  EXPECT_THROW((void)target_on(part, "avx512"), Unsupported);
  EXPECT_EQ(target_on(cpu_with({"sse4.2", "avx2"}), "host").vector_floats, 4) << "no fused multiply-add";
}

TEST(Target, ALevelBelowTheCpusOwnIsCompiledForAsThatLevel) {
  const Target target = target_on(with_avx512(), "avx2");
  EXPECT_EQ(target.cpu, "x86-64-v3");
  EXPECT_EQ(target.vector_floats, 8);
}

TEST(Target, ALevelThatTheCpuHasNotIsRefusedWithItsName) {
  const auto message = [](const Cpu& cpu, const char* name) -> std::string {
    try {
      (void)target_on(cpu, name);
      return "";
    } catch (const Unsupported& e) {
      return e.what();
    }
  };
  EXPECT_EQ(message(with_avx2(), "avx512"), "code for avx512 was asked for, which this CPU (some) does not have");
  EXPECT_EQ(message(cpu_with({"sse4.2"}), "avx2"), "code for avx2 was asked for, which this CPU (some) does not have");
  EXPECT_NE(message(with_avx512(), "avx1024"), "");
}

}  // namespace
}  // namespace assay::compiler
