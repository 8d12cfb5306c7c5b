#include "target.hpp"

#include <algorithm>
#include <array>

#include "graph.hpp"

namespace assay::compiler {
namespace {

struct Level {
  const char* name;
  const char* cpu;       ///< LLVM's
  const char* features;  ///< LLVM's
  int vector_floats, registers;
  std::array<const char*, 5> needs;  ///< LLVM's names; nullptr: no more
};

/// Best first.
constexpr std::array<Level, 3> kLevels = {{
    {"avx512", "x86-64-v4", "-prefer-256-bit", 16, 32, {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"}},
    {"avx2", "x86-64-v3", "", 8, 16, {"avx2", "fma", nullptr, nullptr, nullptr}},
    {"sse4", "x86-64-v2", "", 4, 16, {"sse4.2", nullptr, nullptr, nullptr, nullptr}},
}};

bool has(const Cpu& cpu, const Level& level) {
  return std::all_of(level.needs.begin(), level.needs.end(), [&](const char* need) {
    if (need == nullptr) return true;
    const auto found = cpu.features.find(need);
    return found != cpu.features.end() && found->second;
  });
}

Target host(const Cpu& cpu) {
  const auto* best = std::find_if(kLevels.begin(), kLevels.end(), [&](const Level& l) { return has(cpu, l); });
  const Level& level = best != kLevels.end() ? *best : kLevels.back();
  std::string all;
  for (const auto& [feature, there] : cpu.features)
    all += (all.empty() ? "" : ",") + std::string(there ? "+" : "-") + feature;
  return {cpu.name, all, level.vector_floats, level.registers};
}

}  // namespace

Target feature_level(const std::string& name) {
  for (const Level& l : kLevels) {
    if (name == l.name) return {l.cpu, l.features, l.vector_floats, l.registers};
  }
  throw Unsupported("there is no level of instructions called " + name);
}

Target target_on(const Cpu& cpu, const std::string& name) {
  if (name == "host") return host(cpu);
  for (const Level& l : kLevels) {
    if (name == l.name && has(cpu, l)) return feature_level(name);
  }
  throw Unsupported("code for " + name + " was asked for, which this CPU (" + cpu.name + ") does not have");
}

}  // namespace assay::compiler
