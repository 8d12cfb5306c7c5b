// Nodes over plain layout, by the two general kernels.

#include <algorithm>
#include <limits>
#include <span>

#include "scheduler.hpp"

namespace assay::compiler {
namespace {

/// How, in the profile's words: by the strided loop.
constexpr const char* kGeneral = "general";

Expression identity_of(Element element) {
  Formula f;
  return f.done(f.input(0, element));
}

/// How many of a window's places, `step` apart from the first on, are in 0 … size-1.
std::int64_t inside(std::int64_t first, std::int64_t places, std::int64_t step, std::int64_t size) {
  if (first >= size) return 0;
  const std::int64_t before = first < 0 ? (-first + step - 1) / step : 0;
  return std::max<std::int64_t>(0, std::min(places, (size - 1 - first) / step + 1) - before);
}

}  // namespace

Expression after_bias(const Conv& conv, const Expression& biased) {
  if (biased.terms.empty()) return conv.after;
  if (conv.after.terms.empty()) return biased;
  int most = 0;
  for (const Term& t : conv.after.terms) {
    if (t.op == Op::kInput) most = std::max(most, static_cast<int>(t.number));
  }
  std::vector<int> others = {-1};
  for (int i = 1; i <= most; ++i) others.push_back(i + 1);
  return composed(conv.after, 0, biased, others, {0, 1});
}

Expression times_share() {
  Formula f;
  const X sum = f.input(0), factor = f.input(1);
  return f.done(sum * factor);
}

void Scheduler::lower(const Map& map) {
  StridedKernel kernel;
  kernel.sizes = shape(node_->output);
  kernel.expression = map.expression;
  std::vector<int> buffers;
  for (const ValueId id : node_->inputs) {
    kernel.inputs.push_back({element(id), broadcast_access(view(id), shape(id), kernel.sizes.size())});
    buffers.push_back(view(id).buffer);
  }
  const View out = new_output();
  kernel.output = {element(node_->output), out.access};
  buffers.push_back(out.buffer);
  add_step(std::move(kernel), buffers);
}

void Scheduler::lower(const Reduce& reduce) {
  const ValueId x = node_->inputs[0];
  const View from = view(x), out = new_output();
  StridedKernel kernel;
  kernel.combine = reduce.combine;
  kernel.expression = identity_of(element(x));
  Access in{from.access.offset, {}}, to{out.access.offset, {}};
  for (const bool reduced : {false, true}) {
    for (std::size_t k = 0; k < shape(x).size(); ++k) {
      if (reduced != (std::find(reduce.axes.begin(), reduce.axes.end(), k) != reduce.axes.end())) continue;
      kernel.sizes.push_back(shape(x)[k]);
      in.strides.push_back(from.access.strides[k]);
      to.strides.push_back(reduced ? 0 : out.access.strides[k]);
    }
  }
  kernel.reduced = reduce.axes.size();
  kernel.inputs = {{element(x), in}};
  kernel.output = {element(node_->output), to};
  if (kernel.reduced == 0) {
    copy(from, out, shape(x), element(x));
  } else {
    add_step(std::move(kernel), {from.buffer, out.buffer});
  }
}

View Scheduler::bordered(ValueId x, const Shape& begin, const Shape& end, double value, Shape* padded) {
  *padded = shape(x);
  for (std::size_t k = 0; k < begin.size(); ++k) (*padded)[k + 2] += begin[k] + end[k];
  if (*padded == shape(x)) return view(x);
  const int buffer =
      add_buffer(count(*padded) * static_cast<std::int64_t>(bytes_of(element(x))), Buffer::Place::kArena);
  const View border{buffer, {0, contiguous_strides(*padded)}};
  View inside = border;
  for (std::size_t k = 0; k < begin.size(); ++k) inside.access.offset += begin[k] * border.access.strides[k + 2];
  fill(border, *padded, element(x), value);
  copy(view(x), inside, shape(x), element(x));
  return border;
}

/// Points: batch, group, output of the group, space …; accumulated over channel of the group, window ….
void Scheduler::lower(const Conv& conv) {
  const ValueId x = node_->inputs[0], w = node_->inputs[1];
  Shape padded;
  const View from = bordered(x, conv.begin, conv.end, 0, &padded), weights = view(w);
  const View out = new_output();
  const Shape &ws = shape(w), &os = shape(node_->output);
  const std::int64_t of_group = ws[0] / conv.groups;
  const Shape &fx = from.access.strides, &fw = weights.access.strides, &fo = out.access.strides;
  StridedKernel kernel;
  Operand in{Element::kF32, {from.access.offset, {fx[0], ws[1] * fx[1], 0}}};
  Operand by{Element::kF32, {weights.access.offset, {0, of_group * fw[0], fw[0]}}};
  Operand to{Element::kF32, {out.access.offset, {fo[0], of_group * fo[1], fo[1]}}};
  kernel.sizes = {os[0], conv.groups, of_group};
  const auto loop = [&](std::int64_t size, std::int64_t sx, std::int64_t sw, std::int64_t so) {
    kernel.sizes.push_back(size);
    in.access.strides.push_back(sx);
    by.access.strides.push_back(sw);
    to.access.strides.push_back(so);
  };
  for (std::size_t k = 2; k < os.size(); ++k) loop(os[k], conv.strides[k - 2] * fx[k], 0, fo[k]);
  loop(ws[1], fx[1], fw[1], 0);
  for (std::size_t k = 2; k < os.size(); ++k) loop(ws[k], conv.dilations[k - 2] * fx[k], fw[k], 0);
  kernel.reduced = ws.size() - 1;
  Formula f;
  const X a = f.input(0), b = f.input(1);
  kernel.expression = f.done(a * b);
  kernel.inputs = {in, by};
  std::vector<int> buffers = {from.buffer, weights.buffer};
  add_after(kernel, conv, of_group, buffers);
  kernel.output = to;
  buffers.push_back(out.buffer);
  const auto of_output = static_cast<double>(count(std::span(ws).subspan(1)));
  add_step(std::move(kernel), buffers, kGeneral, static_cast<double>(count(os)) * of_output);
}

void Scheduler::add_after(StridedKernel& kernel, const Conv& conv, std::int64_t of_group, std::vector<int>& buffers) {
  if (conv.bias) {
    const View bias = view(node_->inputs[2]);
    Operand operand{Element::kF32, {bias.access.offset, Shape(kernel.sizes.size(), 0)}};
    operand.access.strides[1] = of_group * bias.access.strides[0];
    operand.access.strides[2] = bias.access.strides[0];
    kernel.others.push_back(operand);
    buffers.push_back(bias.buffer);
    Formula f;
    const X sum = f.input(0), summand = f.input(1);
    kernel.after = f.done(sum + summand);
  }
  const std::size_t first = conv.bias ? 3 : 2;
  for (std::size_t i = first; i < node_->inputs.size(); ++i) {
    const ValueId id = node_->inputs[i];
    const Access seen = broadcast_access(view(id), shape(id), shape(node_->output).size());
    Operand operand{element(id), {seen.offset, Shape(kernel.sizes.size(), 0)}};
    operand.access.strides[0] = seen.strides[0];
    operand.access.strides[1] = of_group * seen.strides[1];
    operand.access.strides[2] = seen.strides[1];
    for (std::size_t k = 2; k < seen.strides.size(); ++k) operand.access.strides[k + 1] = seen.strides[k];
    kernel.others.push_back(operand);
    buffers.push_back(view(id).buffer);
  }
  if (!conv.after.terms.empty()) kernel.after = after_bias(conv, conv.bias ? kernel.after : Expression{});
}

void Scheduler::lower(const Pool& pool) {
  const ValueId x = node_->inputs[0];
  const bool average = pool.kind == Pool::Kind::kAverage;
  Shape padded;
  const double around = average ? 0 : -std::numeric_limits<double>::infinity();
  const View from = bordered(x, pool.begin, pool.end, around, &padded), out = new_output();
  const Shape& os = shape(node_->output);
  StridedKernel kernel;
  kernel.combine = average ? Reduce::Combine::kSum : Reduce::Combine::kMaximum;
  kernel.expression = identity_of(Element::kF32);
  kernel.sizes = os;
  Operand in{Element::kF32, from.access}, to{Element::kF32, out.access};
  for (std::size_t k = 0; k < pool.kernel.size(); ++k) {
    in.access.strides[k + 2] *= pool.strides[k];
    kernel.sizes.push_back(pool.kernel[k]);
    in.access.strides.push_back(pool.dilations[k] * from.access.strides[k + 2]);
    to.access.strides.push_back(0);
  }
  kernel.reduced = pool.kernel.size();
  kernel.inputs = {in};
  kernel.output = to;
  std::vector<int> buffers = {from.buffer};
  if (average) {
    const Shape space(os.begin() + 2, os.end());
    buffers.push_back(add_constant(shares(pool, shape(x), space)));
    Operand operand{Element::kF32, {0, Shape(kernel.sizes.size(), 0)}};
    for (std::size_t k = 0; k < space.size(); ++k) operand.access.strides[k + 2] = contiguous_strides(space)[k];
    kernel.others = {operand};
    kernel.after = times_share();
  }
  buffers.push_back(out.buffer);
  add_step(std::move(kernel), buffers);
}

void Scheduler::lower(const MatMul& /*matmul*/) {
  const ValueId a = node_->inputs[0], b = node_->inputs[1];
  const View left = view(a), right = view(b), out = new_output();
  const std::size_t rank = shape(node_->output).size();
  StridedKernel kernel;
  kernel.sizes = shape(node_->output);
  kernel.sizes.push_back(shape(a).back());
  kernel.reduced = 1;
  Operand l{element(a), broadcast_access(left, shape(a), rank)}, r{element(b), broadcast_access(right, shape(b), rank)};
  l.access.strides[rank - 1] = 0;
  l.access.strides.push_back(left.access.strides.back());
  r.access.strides[rank - 2] = 0;
  r.access.strides.push_back(right.access.strides[shape(b).size() - 2]);
  Formula f;
  const X x = f.input(0, element(a)), y = f.input(1, element(b));
  kernel.expression = f.done(x * y);
  kernel.inputs = {l, r};
  kernel.output = {element(node_->output), out.access};
  kernel.output.access.strides.push_back(0);
  const std::vector<int> buffers = {left.buffer, right.buffer, out.buffer};
  if (!is_float(element(a))) return add_step(std::move(kernel), buffers);  // their rate is none of the peak's
  const double products = static_cast<double>(count(shape(node_->output))) * static_cast<double>(shape(a).back());
  add_step(std::move(kernel), buffers, kGeneral, products);
}

void Scheduler::lower(const Reshape& /*reshape*/) {
  const View from = contiguous(node_->inputs[0]);
  views_[node_->output] = {from.buffer, {from.access.offset, contiguous_strides(shape(node_->output))}};
}

void Scheduler::lower(const Strided& strided) {
  const View from = contiguous(node_->inputs[0]);
  views_[node_->output] = {from.buffer, {from.access.offset + strided.offset, strided.strides}};
}

void Scheduler::lower(const Concat& concat) {
  const View out = new_output();
  View part = out;
  for (const ValueId id : node_->inputs) {
    copy(view(id), part, shape(id), element(id));
    part.access.offset += shape(id)[concat.axis] * out.access.strides[concat.axis];
  }
}

void Scheduler::lower(const Pad& pad) {
  const ValueId x = node_->inputs[0];
  const View out = new_output();
  View inside = out;
  for (std::size_t k = 0; k < pad.begin.size(); ++k) inside.access.offset += pad.begin[k] * out.access.strides[k];
  fill(out, shape(node_->output), element(x), pad.value);
  copy(view(x), inside, shape(x), element(x));
}

void Scheduler::lower(const Gather& gather) {
  const ValueId x = node_->inputs[0], i = node_->inputs[1];
  const View data = at_zero(x), index = at_zero(i), out = new_output();
  GatherKernel kernel;
  const std::span<const std::int64_t> all(shape(x));
  kernel.outer = count(all.first(gather.axis));
  kernel.inner = count(all.subspan(gather.axis + 1));
  kernel.extent = all[gather.axis];
  kernel.picked = count(shape(i));
  kernel.element = element(x);
  kernel.index = element(i);
  if (kernel.extent == 0) fill(out, shape(node_->output), element(x), 0);
  if (kernel.inner > 0 && kernel.extent > 0) add_step(kernel, {data.buffer, index.buffer, out.buffer});
}

std::vector<float> Scheduler::shares(const Pool& pool, const Shape& x, const Shape& space) {
  std::vector<float> factors(static_cast<std::size_t>(count(space)), 1);
  const Shape strides = contiguous_strides(space);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    std::int64_t elements = 1;
    for (std::size_t k = 0; k < space.size(); ++k) {
      const std::int64_t from = static_cast<std::int64_t>(i) / strides[k] % space[k] * pool.strides[k] - pool.begin[k];
      elements *= pool.counts_padding ? pool.kernel[k] : inside(from, pool.kernel[k], pool.dilations[k], x[k + 2]);
    }
    factors[i] = 1.0F / static_cast<float>(std::max<std::int64_t>(elements, 1));
  }
  return factors;
}

}  // namespace assay::compiler
