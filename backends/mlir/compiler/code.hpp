#pragma once
// Kernels as machine code. The one part that knows MLIR and LLVM.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernel.hpp"

namespace assay::compiler {

/// buffers: the kernel's, in its order; then the first unit and the one behind the last, and the thread's number.
using KernelFunction = void (*)(void* const* buffers, std::int64_t begin, std::int64_t end, std::int64_t part);

/// This machine, or one of its feature levels: "host", "avx512", "avx2", "sse4". Throws Unsupported where the machine
/// has it not.
Target target_of(const std::string& name);

/// Version of LLVM that is linked: "22.1.8".
std::string llvm_version();

/// Is told what lies between: "kernels<N>.mlir", ".llvm.mlir", ".ll" and ".s", N the first kernel that a thread
/// compiles, and the text; by all threads at once. Empty: nothing is printed.
using Dump = std::function<void(const std::string& name, const std::string& text)>;

/// The kernels as object files of the target, one for each of so many threads, which compile side by side. Throws
/// std::logic_error where MLIR refuses a text: a defect.
std::vector<std::string> compile(std::span<const KernelText> kernels, const Target& target, int threads,
                                 const Dump& dump = {});

/// Objects, linked into this process.
class Code {
 public:
  /// Throws std::runtime_error where one is none, or a kernel is missing.
  Code(std::span<const std::string> objects, std::size_t kernels);
  ~Code();
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  [[nodiscard]] KernelFunction kernel(int i) const { return functions_[static_cast<std::size_t>(i)]; }

 private:
  struct Linked;
  std::unique_ptr<Linked> linked_;
  std::vector<KernelFunction> functions_;
};

}  // namespace assay::compiler
