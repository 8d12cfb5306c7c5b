#pragma once
// What is computed by one function of machine code, before it is MLIR: loops with an access for each operand.

#include <string>
#include <vector>

#include "graph.hpp"

namespace assay::compiler {

/// Where an operand's element for a point of the loops lies in its buffer: offset + Σ i[k] * strides[k], in elements.
struct Access {
  std::int64_t offset = 0;
  Shape strides;
};

struct Operand {
  Element element = Element::kF32;
  Access access;
};

/// For every point of the loops: output = expression(inputs). With `reduced` loops: output = after(accumulated, others…),
/// accumulated over the last so many loops, along which the output and the others have stride 0.
struct StridedKernel {
  Shape sizes;  ///< of the loops, outermost first
  std::size_t reduced = 0;
  Reduce::Combine combine = Reduce::Combine::kSum;
  Expression expression;
  std::vector<Operand> inputs;  ///< of the expression
  Expression after;             ///< input 0: what was accumulated; without reduction not looked at
  std::vector<Operand> others;  ///< of `after`, from input 1 on
  Operand output;
};

/// output[o, p, i] = data[o, index[p], i]; negative indices count from the end. One outside is taken for the nearest
/// inside: what a model computes is no reason to read elsewhere.
struct GatherKernel {
  std::int64_t outer = 1, picked = 1, inner = 1;
  std::int64_t extent = 1;  ///< of the axis that is indexed
  Element element = Element::kF32, index = Element::kI64;
};

/// Loops of one step are left out, and neighbours become one where every operand allows it.
StridedKernel simplified(StridedKernel kernel);

/// A kernel as a function of MLIR: pointers to the operands (inputs, others, output), then the first and the last unit
/// to be computed.
struct KernelText {
  std::string text;         ///< `@kernel` is its name
  std::int64_t units = 0;   ///< that threads may divide among them
};

struct Target {
  std::string cpu;        ///< LLVM's name: "znver4", "x86-64-v3"
  std::string features;   ///< LLVM's: "+avx2,+fma"; empty: the CPU's own
  int vector_floats = 8;  ///< in one register
};

KernelText emit(const StridedKernel& kernel, const Target& target);
KernelText emit(const GatherKernel& kernel, const Target& target);

}  // namespace assay::compiler
