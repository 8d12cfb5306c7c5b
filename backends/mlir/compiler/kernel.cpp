#include "kernel.hpp"

#include <functional>

namespace assay::compiler {
namespace {

void for_each_operand(StridedKernel& kernel, const std::function<void(Operand&)>& visit) {
  for (Operand& o : kernel.inputs) visit(o);
  for (Operand& o : kernel.others) visit(o);
  visit(kernel.output);
}

void erase_loop(StridedKernel& kernel, std::size_t k) {
  if (k >= kernel.sizes.size() - kernel.reduced) --kernel.reduced;
  kernel.sizes.erase(kernel.sizes.begin() + static_cast<std::ptrdiff_t>(k));
  for_each_operand(
      kernel, [&](Operand& o) { o.access.strides.erase(o.access.strides.begin() + static_cast<std::ptrdiff_t>(k)); });
}

/// Whether loops k and k + 1 are one for every operand.
bool joinable(StridedKernel& kernel, std::size_t k) {
  if (k + 1 == kernel.sizes.size() - kernel.reduced) return false;  // one is reduced, the other not
  bool all = true;
  for_each_operand(
      kernel, [&](Operand& o) { all = all && o.access.strides[k] == o.access.strides[k + 1] * kernel.sizes[k + 1]; });
  return all;
}

}  // namespace

StridedKernel simplified(StridedKernel kernel) {
  for (std::size_t k = kernel.sizes.size(); k-- > 0;) {
    if (kernel.sizes[k] == 1) erase_loop(kernel, k);
  }
  for (std::size_t k = kernel.sizes.size(); k-- > 1;) {
    if (!joinable(kernel, k - 1)) continue;
    kernel.sizes[k] *= kernel.sizes[k - 1];
    erase_loop(kernel, k - 1);
  }
  return kernel;
}

}  // namespace assay::compiler
