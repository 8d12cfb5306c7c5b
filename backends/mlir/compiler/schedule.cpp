#include "scheduler.hpp"

#include <algorithm>
#include <stdexcept>

namespace assay::compiler {
namespace {

Expression identity(Element element) {
  Formula f;
  return f.done(f.input(0, element));
}

bool is_contiguous(const Access& access, const Shape& shape) {
  const Shape wanted = contiguous_strides(shape);
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (shape[k] != 1 && access.strides[k] != wanted[k]) return false;
  }
  return true;
}

}  // namespace

Scheduler::Scheduler(const Graph& graph, const Target& target, Math math, const PackedWeights* there)
    : graph_(graph),
      target_(target),
      lanes_(target.vector_floats),
      kept_(there),
      layouts_(layouts_of(graph, target, math, kept_)) {}

Plan Scheduler::run() {
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    const ValueId id = graph_.inputs[i];
    views_[id] = whole(id, add_buffer(id, Buffer::Place::kInput, static_cast<int>(i)));
    plan_.inputs.push_back(graph_.value(id));
  }
  for (const Node& node : graph_.nodes) {
    node_ = &node;
    std::visit(
        [this](const auto& operation) {
          if (!blocked(operation)) lower(operation);
        },
        node.operation);
  }
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) hand_out(graph_.outputs[i], static_cast<int>(i));
  if (graph_.planning.constants) separate_prologue();
  place_buffers(plan_, graph_.planning.memory);
  return std::move(plan_);
}

int Scheduler::add_buffer(std::int64_t bytes, Buffer::Place place) {
  Buffer buffer;
  buffer.place = place;
  buffer.bytes = bytes;
  plan_.buffers.push_back(buffer);
  return static_cast<int>(plan_.buffers.size()) - 1;
}

int Scheduler::add_buffer(ValueId id, Buffer::Place place, int number) {
  const Value& v = graph_.value(id);
  const int buffer = add_buffer(count(v.shape) * static_cast<std::int64_t>(bytes_of(v.element)), place);
  plan_.buffers.back().number = number;
  plan_.buffers.back().constant = place == Buffer::Place::kConstant ? v.constant : nullptr;
  return buffer;
}

int Scheduler::add_constant(std::vector<float> values) {
  const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  const auto [at, is_new] = constants_.try_emplace(bytes, static_cast<int>(plan_.buffers.size()));
  if (!is_new) return at->second;
  add_buffer(static_cast<std::int64_t>(bytes.size()), Buffer::Place::kConstant);
  plan_.buffers.back().constant = Constant::of(std::move(values));
  return at->second;
}

int Scheduler::add_packed(int constant, std::string order, std::int64_t floats, std::function<void(float*)> make) {
  const auto bytes = floats * static_cast<std::int64_t>(sizeof(float));
  const std::shared_ptr<const Constant> of = plan_.buffers[static_cast<std::size_t>(constant)].constant;
  const auto [begin, end] = packed_.equal_range(order);
  for (auto at = begin; at != end; ++at) {
    const Buffer& there = plan_.buffers[static_cast<std::size_t>(at->second)];
    if (!there.constant->equals(*of)) continue;
    if (there.bytes != bytes) throw std::logic_error("weights of two sizes are packed as one: " + order);
    return at->second;
  }
  packed_.emplace(order, static_cast<int>(plan_.buffers.size()));
  const int added = add_buffer(bytes, Buffer::Place::kPacked);
  Buffer& buffer = plan_.buffers.back();
  buffer.constant = of;
  buffer.order = std::move(order);
  buffer.make = std::move(make);
  return added;
}

const View& Scheduler::view(ValueId id) {
  const auto found = views_.find(id);
  if (found != views_.end()) return found->second;
  const auto lies = blocked_.find(id);
  if (lies == blocked_.end()) return views_[id] = whole(id, add_buffer(id, Buffer::Place::kConstant));
  const View plain = whole(id, add_buffer(id, Buffer::Place::kArena));
  Shape four(4 - shape(id).size(), 1);
  four.insert(four.end(), shape(id).begin(), shape(id).end());
  View aligned = plain;
  aligned.access.strides = contiguous_strides(four);
  to_plain(lies->second, aligned, four);
  return views_[id] = plain;
}

View Scheduler::new_output() {
  return views_[node_->output] = whole(node_->output, add_buffer(node_->output, Buffer::Place::kArena));
}

View Scheduler::contiguous(ValueId id) {
  const View seen = view(id);
  if (is_contiguous(seen.access, shape(id))) return seen;
  const View copied = whole(id, add_buffer(id, Buffer::Place::kArena));
  copy(seen, copied, shape(id), element(id));
  return views_[id] = copied;
}

View Scheduler::at_zero(ValueId id) {
  const View seen = contiguous(id);
  if (seen.access.offset == 0) return seen;
  const View copied = whole(id, add_buffer(id, Buffer::Place::kArena));
  copy(seen, copied, shape(id), element(id));
  return views_[id] = copied;
}

int Scheduler::number_of(const KernelText& text) {
  const auto [at, is_new] =
      kernels_.try_emplace(text.text + std::to_string(text.units), static_cast<int>(plan_.kernels.size()));
  if (is_new) plan_.kernels.push_back(text);
  plan_.scratch_bytes = std::max(plan_.scratch_bytes, text.scratch_bytes);
  return at->second;
}

template <class Kernel>
void Scheduler::add_step(Kernel kernel, const std::vector<int>& buffers) {
  if constexpr (std::is_same_v<Kernel, StridedKernel>) {
    if (count(std::span(kernel.sizes).first(kernel.sizes.size() - kernel.reduced)) == 0) return;
    kernel = simplified(std::move(kernel));
  }
  Step step{-1, {}, node_ != nullptr ? node_->label : "output"};
  step.outputs = outputs_of(kernel);
  const std::vector<std::int64_t> offsets = take_offsets(kernel);
  for (std::size_t i = 0; i < buffers.size(); ++i) step.pointers.push_back({buffers[i], offsets[i]});
  auto& known = std::get<std::vector<std::pair<Kernel, int>>>(known_);
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == kernel; });
  step.kernel = found != known.end() ? found->second : number_of(emit(kernel, target_));
  if (found == known.end()) known.emplace_back(std::move(kernel), step.kernel);
  if (plan_.kernels[static_cast<std::size_t>(step.kernel)].units > 0) plan_.steps.push_back(std::move(step));
}

template <class Kernel>
void Scheduler::add_step(Kernel kernel, const std::vector<int>& buffers, std::string schedule, double products) {
  const std::size_t before = plan_.steps.size();
  add_step(std::move(kernel), buffers);
  if (plan_.steps.size() == before) return;
  constexpr double kMultiplyAndAdd = 2;
  plan_.steps.back().schedule = std::move(schedule);
  plan_.steps.back().operations = kMultiplyAndAdd * products;
}

template <class Kernel>
void Scheduler::add_convolution(Kernel kernel, const std::vector<int>& buffers, const Convolution& c,
                                const std::string& method) {
  std::string schedule = method + ", " + std::to_string(kernel.tile) + " pixels x " + std::to_string(kernel.vectors) +
                         " vectors, " + std::to_string(kernel.groups) + " groups";
  const std::int64_t of_pixel = count(c.window) * c.x_shape[1] / c.conv.groups;
  add_step(std::move(kernel), buffers, std::move(schedule),
           static_cast<double>(count(c.out_shape)) * static_cast<double>(of_pixel));
}

template void Scheduler::add_step(ConvKernel kernel, const std::vector<int>& buffers, std::string schedule,
                                  double products);
template void Scheduler::add_convolution(ConvKernel kernel, const std::vector<int>& buffers, const Convolution& c,
                                         const std::string& method);
template void Scheduler::add_step(StridedKernel kernel, const std::vector<int>& buffers, std::string schedule,
                                  double products);
template void Scheduler::add_step(BandKernel kernel, const std::vector<int>& buffers, std::string schedule,
                                  double products);
template void Scheduler::add_convolution(WinogradKernel kernel, const std::vector<int>& buffers, const Convolution& c,
                                         const std::string& method);
template void Scheduler::add_step(StridedKernel kernel, const std::vector<int>& buffers);
template void Scheduler::add_step(GatherKernel kernel, const std::vector<int>& buffers);
template void Scheduler::add_step(BorderKernel kernel, const std::vector<int>& buffers);
template void Scheduler::add_step(ConvKernel kernel, const std::vector<int>& buffers);
template void Scheduler::add_step(BandKernel kernel, const std::vector<int>& buffers);
template void Scheduler::add_step(WinogradKernel kernel, const std::vector<int>& buffers);

void Scheduler::copy(const View& from, const View& to, const Shape& size, Element type) {
  StridedKernel kernel;
  kernel.sizes = size;
  kernel.expression = identity(type);
  kernel.inputs = {{type, from.access}};
  kernel.output = {type, to.access};
  add_step(kernel, {from.buffer, to.buffer});
}

void Scheduler::fill(const View& to, const Shape& size, Element type, double value) {
  StridedKernel kernel;
  kernel.sizes = size;
  Formula f;
  kernel.expression = f.done(f.number(value, type));
  kernel.output = {type, to.access};
  add_step(kernel, {to.buffer});
}

Access Scheduler::broadcast_access(const View& from, const Shape& own, std::size_t rank) {
  Access access{from.access.offset, Shape(rank, 0)};
  for (std::size_t k = 0; k < own.size(); ++k) {
    if (own[k] != 1) access.strides[rank - own.size() + k] = from.access.strides[k];
  }
  return access;
}

void Scheduler::hand_out(ValueId id, int number) {
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

void Scheduler::separate_prologue() {
  std::vector<bool> varies(plan_.buffers.size(), false);
  for (std::size_t b = 0; b < varies.size(); ++b) {
    const Buffer::Place place = plan_.buffers[b].place;
    varies[b] = place == Buffer::Place::kInput || place == Buffer::Place::kOutput;
  }
  for (bool changed = true; changed;) {  // a buffer that several steps write varies where one of them does
    changed = false;
    for (const Step& s : plan_.steps) {
      const auto varying = [&](const Pointer& p) { return varies[static_cast<std::size_t>(p.buffer)]; };
      const auto out = s.written();
      if (std::all_of(out.begin(), out.end(), varying) || std::none_of(s.pointers.begin(), s.pointers.end(), varying))
        continue;
      for (const Pointer& p : out) varies[static_cast<std::size_t>(p.buffer)] = true;
      changed = true;
    }
  }
  std::vector<Step> steps;
  for (Step& s : plan_.steps) {
    const bool once = !varies[static_cast<std::size_t>(s.pointers.back().buffer)];
    for (const Pointer& p : s.written()) {
      if (once) plan_.buffers[static_cast<std::size_t>(p.buffer)].place = Buffer::Place::kPrepared;
    }
    (once ? plan_.prologue : steps).push_back(std::move(s));
  }
  plan_.steps = std::move(steps);
}

Plan schedule(const Graph& graph, const Target& target, Math math, const PackedWeights* there) {
  return Scheduler(graph, target, math, there).run();
}

}  // namespace assay::compiler
