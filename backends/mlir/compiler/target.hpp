#pragma once
// What is compiled for.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace assay::compiler {

struct Tuning;

struct Target {
  std::string cpu;        ///< LLVM's name: "znver4", "x86-64-v3"
  std::string features;   ///< LLVM's: "+avx2,+fma"; empty: the CPU's own
  int vector_floats = 8;  ///< in one register
  int registers = 16;     ///< for vectors
  std::int64_t l2_bytes = std::int64_t{1} << 20,
               l3_bytes = std::int64_t{32} << 20;  ///< a core's own cache; that of several cores
  std::shared_ptr<const Tuning> tuning{};  ///< what was measured to be fastest on it (tuning.hpp); nullptr: nothing
};

/// A level of instructions, "avx512", "avx2" or "sse4" (for tests: what a CPU without AVX2 has), whatever this machine
/// has; caches of a size that many have. Throws Unsupported for another.
Target feature_level(const std::string& name);

struct Cpu {
  std::string name;                      ///< LLVM's: "znver4"
  std::map<std::string, bool> features;  ///< LLVM's names, and whether it has each
};

/// All that a CPU has ("host"), or a level of instructions; caches as above. Throws Unsupported for a level that the
/// CPU has not.
Target target_on(const Cpu& cpu, const std::string& name);

}  // namespace assay::compiler
