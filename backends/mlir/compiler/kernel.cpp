#include "kernel.hpp"

#include <algorithm>
#include <functional>
#include <utility>

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

namespace {

/// Of f32.
std::int64_t taken(BlockedAccess& access) {
  return std::exchange(access.offset, 0) * static_cast<std::int64_t>(sizeof(float));
}

template <class Kernel>
std::vector<std::int64_t> taken_of_inputs(Kernel& k, std::int64_t& weight_offset,
                                          std::vector<std::int64_t> before_input) {
  std::vector<std::int64_t> offsets = std::move(before_input);
  offsets.push_back(taken(k.input));
  offsets.push_back(std::exchange(weight_offset, 0) * static_cast<std::int64_t>(sizeof(float)));
  for (BlockedAccess& o : k.others) offsets.push_back(taken(o));
  return offsets;
}

/// Behind all others.
void add_outputs(ConvKernel& k, std::vector<std::int64_t>& offsets) {
  if (k.sums) offsets.push_back(taken(*k.sums));
  offsets.push_back(taken(k.output));
}

}  // namespace

std::vector<std::int64_t> take_offsets(StridedKernel& kernel) {
  std::vector<std::int64_t> offsets;
  for_each_operand(kernel, [&](Operand& o) {
    std::int64_t below = 0;  // strides may run backwards
    for (std::size_t k = 0; k < kernel.sizes.size(); ++k)
      below += std::min<std::int64_t>(0, o.access.strides[k]) * std::max<std::int64_t>(0, kernel.sizes[k] - 1);
    offsets.push_back((o.access.offset + below) * static_cast<std::int64_t>(bytes_of(o.element)));
    o.access.offset = -below;
  });
  return offsets;
}

std::vector<std::int64_t> take_offsets(GatherKernel& /*kernel*/) { return {0, 0, 0}; }
std::vector<std::int64_t> take_offsets(BorderKernel& /*kernel*/) { return {0}; }
std::vector<std::int64_t> take_offsets(ConvKernel& kernel) {
  std::vector<std::int64_t> offsets = taken_of_inputs(kernel, kernel.weight_offset, {});
  add_outputs(kernel, offsets);
  return offsets;
}
std::vector<std::int64_t> take_offsets(BandKernel& k) {
  std::vector<std::int64_t> offsets = {0, taken(k.dense.input), 0};
  for (BlockedAccess& o : k.dense.others) offsets.push_back(taken(o));
  offsets.push_back(0);
  for (BlockedAccess& o : k.depthwise.others) offsets.push_back(taken(o));
  add_outputs(k.depthwise, offsets);
  return offsets;
}
std::vector<std::int64_t> take_offsets(WinogradKernel& kernel) {
  std::int64_t weight_offset = 0;
  std::vector<std::int64_t> offsets = taken_of_inputs(kernel, weight_offset, {0});
  offsets.push_back(taken(kernel.output));
  return offsets;
}

}  // namespace assay::compiler
