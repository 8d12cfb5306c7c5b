// Nodes to kernels. A value is seen through a view (a buffer, an offset, a stride an axis), so that a slice, a
// transpose or a reshape is no step where whoever takes it can read it so.

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>

#include "plan.hpp"

namespace assay::compiler {
namespace {

struct View {
  int buffer = -1;
  Access access;
};

Expression identity(Element element) {
  Formula f;
  return f.done(f.input(0, element));
}

class Scheduler {
 public:
  Scheduler(const Graph& graph, const Target& target) : graph_(graph), target_(target) {}

  Plan run() {
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
      const ValueId id = graph_.inputs[i];
      views_[id] = whole(id, add_buffer(id, Buffer::Place::kInput, static_cast<int>(i)));
      plan_.inputs.push_back(graph_.value(id));
    }
    for (const Node& node : graph_.nodes) {
      node_ = &node;
      std::visit([this](const auto& operation) { lower(operation); }, node.operation);
    }
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) hand_out(graph_.outputs[i], static_cast<int>(i));
    separate_prologue();
    place_buffers(plan_);
    return std::move(plan_);
  }

 private:
  // Buffers and views.

  int add_buffer(std::int64_t bytes, Buffer::Place place) {
    plan_.buffers.push_back({place, bytes, -1, nullptr, 0});
    return static_cast<int>(plan_.buffers.size()) - 1;
  }
  int add_buffer(ValueId id, Buffer::Place place, int number = -1) {
    const Value& v = graph_.value(id);
    const int buffer = add_buffer(count(v.shape) * static_cast<std::int64_t>(bytes_of(v.element)), place);
    plan_.buffers.back().number = number;
    plan_.buffers.back().constant = place == Buffer::Place::kConstant ? v.constant : nullptr;
    return buffer;
  }
  [[nodiscard]] View whole(ValueId id, int buffer) const { return {buffer, {0, contiguous_strides(shape(id))}}; }
  [[nodiscard]] const Shape& shape(ValueId id) const { return graph_.value(id).shape; }
  [[nodiscard]] Element element(ValueId id) const { return graph_.value(id).element; }

  const View& view(ValueId id) {
    const auto found = views_.find(id);
    if (found != views_.end()) return found->second;
    return views_[id] = whole(id, add_buffer(id, Buffer::Place::kConstant));
  }

  View new_output() { return views_[node_->output] = whole(node_->output, add_buffer(node_->output, Buffer::Place::kArena)); }

  [[nodiscard]] static bool is_contiguous(const Access& access, const Shape& shape) {
    const Shape wanted = contiguous_strides(shape);
    for (std::size_t k = 0; k < shape.size(); ++k) {
      if (shape[k] != 1 && access.strides[k] != wanted[k]) return false;
    }
    return true;
  }

  /// The value's elements in order; copied where they do not lie so.
  View contiguous(ValueId id) {
    const View seen = view(id);
    if (is_contiguous(seen.access, shape(id))) return seen;
    const View copied = whole(id, add_buffer(id, Buffer::Place::kArena));
    copy(seen, copied, shape(id), element(id));
    return views_[id] = copied;
  }

  // Steps.

  void add_step(const KernelText& text, std::vector<int> buffers) {
    if (text.units == 0) return;
    const auto [at, is_new] = kernels_.try_emplace(text.text + std::to_string(text.units), static_cast<int>(plan_.kernels.size()));
    if (is_new) plan_.kernels.push_back(text);
    plan_.steps.push_back({at->second, std::move(buffers), node_ != nullptr ? node_->label : "output"});
  }

  /// Operands' buffers in the kernel's order.
  void add_step(const StridedKernel& kernel, std::vector<int> buffers) {
    const auto parallel = std::span(kernel.sizes).first(kernel.sizes.size() - kernel.reduced);
    if (count(parallel) > 0) add_step(emit(simplified(kernel), target_), std::move(buffers));
  }

  void copy(const View& from, const View& to, const Shape& size, Element type) {
    StridedKernel kernel;
    kernel.sizes = size;
    kernel.expression = identity(type);
    kernel.inputs = {{type, from.access}};
    kernel.output = {type, to.access};
    add_step(kernel, {from.buffer, to.buffer});
  }

  void fill(const View& to, const Shape& size, Element type, double value) {
    StridedKernel kernel;
    kernel.sizes = size;
    Formula f;
    kernel.expression = f.done(f.number(value, type));
    kernel.output = {type, to.access};
    add_step(kernel, {to.buffer});
  }

  /// Under a shape to which the value broadcasts.
  [[nodiscard]] Access broadcast_access(const View& from, const Shape& own, std::size_t rank) const {
    Access access{from.access.offset, Shape(rank, 0)};
    for (std::size_t k = 0; k < own.size(); ++k) {
      if (own[k] != 1) access.strides[rank - own.size() + k] = from.access.strides[k];
    }
    return access;
  }

  // One for each kind of node.

  void lower(const Map& map) {
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
    add_step(kernel, std::move(buffers));
  }

  void lower(const Reduce& reduce) {
    const ValueId x = node_->inputs[0];
    const View from = view(x), out = new_output();
    StridedKernel kernel;
    kernel.combine = reduce.combine;
    kernel.expression = identity(element(x));
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
      add_step(kernel, {from.buffer, out.buffer});
    }
  }

  /// x with a border, contiguous; x itself where the border is empty.
  View bordered(ValueId x, const Shape& begin, const Shape& end, double value, Shape* padded) {
    *padded = shape(x);
    for (std::size_t k = 0; k < begin.size(); ++k) (*padded)[k + 2] += begin[k] + end[k];
    if (*padded == shape(x)) return view(x);
    const int buffer = add_buffer(count(*padded) * static_cast<std::int64_t>(bytes_of(element(x))), Buffer::Place::kArena);
    const View border{buffer, {0, contiguous_strides(*padded)}};
    View inside = border;
    for (std::size_t k = 0; k < begin.size(); ++k) inside.access.offset += begin[k] * border.access.strides[k + 2];
    fill(border, *padded, element(x), value);
    copy(view(x), inside, shape(x), element(x));
    return border;
  }

  /// Points: batch, group, output of the group, space …; accumulated over channel of the group, window ….
  void lower(const Conv& conv) {
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
    add_step(kernel, std::move(buffers));
  }

  /// Bias and what follows the result, whose operands are placed as the output's axes are: batch, channels in two loops,
  /// space.
  void add_after(StridedKernel& kernel, const Conv& conv, std::int64_t of_group, std::vector<int>& buffers) {
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

  /// `after` of the conv, of the biased result: its other inputs come behind the bias.
  static Expression after_bias(const Conv& conv, const Expression& biased) {
    if (biased.terms.empty()) return conv.after;
    int most = 0;
    for (const Term& t : conv.after.terms) {
      if (t.op == Op::kInput) most = std::max(most, static_cast<int>(t.number));
    }
    std::vector<int> others = {-1};
    for (int i = 1; i <= most; ++i) others.push_back(i + 1);
    return composed(conv.after, 0, biased, others, {0, 1});
  }

  void lower(const Pool& pool) {
    const ValueId x = node_->inputs[0];
    const bool average = pool.kind == Pool::Kind::kAverage;
    Shape padded;
    const double around = average ? 0 : -std::numeric_limits<double>::infinity();
    const View from = bordered(x, pool.begin, pool.end, around, &padded), out = new_output();
    const Shape& os = shape(node_->output);
    StridedKernel kernel;
    kernel.combine = average ? Reduce::Combine::kSum : Reduce::Combine::kMaximum;
    kernel.expression = identity(Element::kF32);
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
    if (average) buffers.push_back(divide(kernel, pool, shape(x)));
    buffers.push_back(out.buffer);
    add_step(kernel, std::move(buffers));
  }

  /// By how many elements each window has; answers the buffer of the factors, one for each place in space.
  int divide(StridedKernel& kernel, const Pool& pool, const Shape& x) {
    const std::size_t n = pool.kernel.size();
    const Shape space(kernel.sizes.begin() + 2, kernel.sizes.begin() + 2 + static_cast<std::ptrdiff_t>(n));
    std::vector<float> factors(static_cast<std::size_t>(count(space)), 1);
    const Shape strides = contiguous_strides(space);
    for (std::size_t i = 0; i < factors.size(); ++i) {
      std::int64_t elements = 1;
      for (std::size_t k = 0; k < n; ++k) {
        const std::int64_t from = static_cast<std::int64_t>(i) / strides[k] % space[k] * pool.strides[k] - pool.begin[k];
        std::int64_t inside = 0;
        for (std::int64_t j = 0; j < pool.kernel[k]; ++j) {
          const std::int64_t at = from + j * pool.dilations[k];
          if (pool.counts_padding || (at >= 0 && at < x[k + 2])) ++inside;
        }
        elements *= inside;
      }
      factors[i] = 1.0F / static_cast<float>(std::max<std::int64_t>(elements, 1));
    }
    const int buffer = add_buffer(static_cast<std::int64_t>(factors.size() * sizeof(float)), Buffer::Place::kConstant);
    plan_.buffers.back().constant = std::make_shared<const Constant>(Constant::of(std::move(factors)));
    Operand operand{Element::kF32, {0, Shape(kernel.sizes.size(), 0)}};
    for (std::size_t k = 0; k < n; ++k) operand.access.strides[k + 2] = strides[k];
    kernel.others = {operand};
    Formula f;
    const X sum = f.input(0), factor = f.input(1);
    kernel.after = f.done(sum * factor);
    return buffer;
  }

  void lower(const MatMul&) {
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
    add_step(kernel, {left.buffer, right.buffer, out.buffer});
  }

  void lower(const Reshape&) {
    const View from = contiguous(node_->inputs[0]);
    views_[node_->output] = {from.buffer, {from.access.offset, contiguous_strides(shape(node_->output))}};
  }

  void lower(const Strided& strided) {
    const View from = contiguous(node_->inputs[0]);
    views_[node_->output] = {from.buffer, {from.access.offset + strided.offset, strided.strides}};
  }

  void lower(const Concat& concat) {
    const View out = new_output();
    View part = out;
    for (const ValueId id : node_->inputs) {
      copy(view(id), part, shape(id), element(id));
      part.access.offset += shape(id)[concat.axis] * out.access.strides[concat.axis];
    }
  }

  void lower(const Pad& pad) {
    const ValueId x = node_->inputs[0];
    const View out = new_output();
    View inside = out;
    for (std::size_t k = 0; k < pad.begin.size(); ++k) inside.access.offset += pad.begin[k] * out.access.strides[k];
    fill(out, shape(node_->output), element(x), pad.value);
    copy(view(x), inside, shape(x), element(x));
  }

  void lower(const Gather& gather) {
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
    if (kernel.inner > 0 && kernel.extent > 0) add_step(emit(kernel, target_), {data.buffer, index.buffer, out.buffer});
  }

  /// Contiguous from the buffer's beginning on.
  View at_zero(ValueId id) {
    const View seen = contiguous(id);
    if (seen.access.offset == 0) return seen;
    const View copied = whole(id, add_buffer(id, Buffer::Place::kArena));
    copy(seen, copied, shape(id), element(id));
    return views_[id] = copied;
  }

  // The end.

  /// An output is computed in the caller's memory where it has a buffer of its own; else it is copied there.
  void hand_out(ValueId id, int number) {
    node_ = nullptr;
    const View seen = view(id);
    plan_.outputs.push_back(graph_.value(id));
    Buffer& buffer = plan_.buffers[static_cast<std::size_t>(seen.buffer)];
    const std::int64_t bytes = count(shape(id)) * static_cast<std::int64_t>(bytes_of(element(id)));
    if (buffer.place == Buffer::Place::kArena && buffer.bytes == bytes && seen.access.offset == 0 &&
        is_contiguous(seen.access, shape(id))) {
      buffer.place = Buffer::Place::kOutput;
      buffer.number = number;
      return;
    }
    copy(seen, whole(id, add_buffer(id, Buffer::Place::kOutput, number)), shape(id), element(id));
  }

  /// What is computed from constants alone is computed once.
  void separate_prologue() {
    std::vector<bool> varies(plan_.buffers.size(), false);
    for (std::size_t b = 0; b < varies.size(); ++b) {
      const Buffer::Place place = plan_.buffers[b].place;
      varies[b] = place == Buffer::Place::kInput || place == Buffer::Place::kOutput;
    }
    for (bool changed = true; changed;) {  // a buffer that several steps write varies where one of them does
      changed = false;
      for (const Step& s : plan_.steps) {
        const auto out = static_cast<std::size_t>(s.buffers.back());
        const auto varying = [&](int b) { return varies[static_cast<std::size_t>(b)]; };
        if (varies[out] || std::none_of(s.buffers.begin(), s.buffers.end(), varying)) continue;
        varies[out] = true;
        changed = true;
      }
    }
    std::vector<Step> steps;
    for (Step& s : plan_.steps) {
      const auto out = static_cast<std::size_t>(s.buffers.back());
      if (!varies[out]) plan_.buffers[out].place = Buffer::Place::kPrepared;
      (varies[out] ? steps : plan_.prologue).push_back(std::move(s));
    }
    plan_.steps = std::move(steps);
  }

  const Graph& graph_;
  const Target& target_;
  const Node* node_ = nullptr;
  Plan plan_;
  std::unordered_map<ValueId, View> views_;
  std::map<std::string, int> kernels_;
};

}  // namespace

Plan schedule(const Graph& graph, const Target& target) { return Scheduler(graph, target).run(); }

}  // namespace assay::compiler
