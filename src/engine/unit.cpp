#include "engine/unit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/copy.hpp"
#include "core/strided.hpp"
#include "engine/ensemble/one_graph.hpp"

namespace assay::engine {
namespace {

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
constexpr std::size_t kAlignment = 64;

std::vector<std::size_t> inverse(const std::vector<std::size_t>& order, std::size_t size) {
  std::vector<std::size_t> result(size, kNowhere);
  for (std::size_t i = 0; i < order.size(); ++i) result[order[i]] = i;
  return result;
}

std::size_t bytes_of_shape(const TensorLayout& t, const Shape& shape) {
  return static_cast<std::size_t>(element_count(shape)) * t.element_size;
}

assay_tensor tensor_of(const TensorLayout& t, const Shape& shape, bool sized) {
  assay_tensor c{};
  c.dtype = static_cast<assay_dtype>(t.info.dtype);
  c.memory = ASSAY_HOST;
  if (!sized) return c;
  c.rank = static_cast<std::int32_t>(shape.size());
  c.shape = shape.data();
  c.bytes = bytes_of_shape(t, shape);
  return c;
}

/// Frameworks say only that the memory does not fit what came out: here is why it may not.
Error with_assumptions(const Error& e, const Layout& layout) {
  if (e.code() != ErrorCode::kFramework && e.code() != ErrorCode::kInvalidArgument) return e;
  std::string names, options;
  for (const TensorLayout& t : layout.outputs) {
    if (!t.assumed) continue;
    names += (names.empty() ? "'" : ", '") + t.info.name + "'";
    options += " --batch-axis " + t.info.name + "=none";
  }
  if (names.empty()) return e;
  return {
      e.code(),
      fmt::format("{}\nThe first axis of {} has no name in the model and was taken for the batch; if it is not, say "
                  "so ({}, Params::batch_axis -1)",
                  e.message(), names, options.substr(1)),
      e.context()};
}

/// Within a handler: the same again; of members that are one graph, with their names.
[[noreturn]] void throw_again(const Layout& layout) {
  if (layout.one_graph == nullptr) throw;
  throw layout.one_graph->error();
}

}  // namespace

StagingMemory::StagingMemory(backend::BackendSession& session)
    : session_(session), kind_((session.info().memory_kinds & (1U << ASSAY_PINNED)) != 0 ? ASSAY_PINNED : ASSAY_HOST) {}

std::byte* StagingMemory::allocate(std::size_t bytes, const std::string& what) {
  try {
    return static_cast<std::byte*>(session_.allocate(kind_, bytes));
  } catch (const Error& e) {
    throw Error(
        ErrorCode::kOutOfMemory,
        fmt::format("no {} bytes of pinned memory for a batch ({}); use a smaller batch size", bytes, e.message()),
        what);
  }
}

void StagingMemory::release(std::byte* data) noexcept { session_.release(kind_, data); }

void Buffer::Free::operator()(std::byte* p) const noexcept {
  if (from != nullptr) {
    from->release(p);
  } else {
    std::free(p);
  }
}

std::byte* Buffer::at_least(std::size_t bytes, const std::string& what) {
  if (data_ != nullptr && bytes_ >= bytes) return data_.get();
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + kAlignment - 1) / kAlignment * kAlignment;
  StagingMemory* const from = data_.get_deleter().from;
  bytes_ = 0;
  data_.reset(from != nullptr ? from->allocate(rounded, what)
                              : static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
  if (data_ == nullptr) {
    throw Error(ErrorCode::kOutOfMemory, fmt::format("no {} bytes for a batch; use a smaller batch size", rounded),
                what);
  }
  bytes_ = rounded;
  return data_.get();
}

Unit::Unit(const Layout& layout, Group& of, backend::Slot slot, StagingMemory& staging)
    : group(of),
      layout_(layout),
      slot_(std::move(slot)),
      own_memory_(staging.kind()),
      place_(inverse(layout.output_order, layout.outputs.size())),
      input_place_(inverse(layout.input_order, layout.inputs.size())),
      own_input_(layout.inputs.size(), false) {
  StagingMemory* const from = own_memory_ == ASSAY_HOST ? nullptr : &staging;
  for (std::size_t i = 0; i < layout.inputs.size(); ++i) input_buffers_.emplace_back(from);
  for (std::size_t i = 0; i < layout.outputs.size(); ++i) output_buffers_.emplace_back(from);
  for (const std::size_t i : layout.input_order) {
    input_tensors_.push_back(tensor_of(layout.inputs[i], group.inputs[i], true));
  }
  for (const std::size_t i : layout.output_order) {
    output_tensors_.push_back(tensor_of(layout.outputs[i], group.outputs[i], layout.outputs[i].sized));
  }
  results_ = output_tensors_;
  for (std::size_t i = 0; i < layout.inputs.size(); ++i) {
    fill_views_.push_back({nullptr, layout.inputs[i].info.dtype, group.inputs[i], {}});
    padded_strides_.push_back(contiguous_strides(group.inputs[i]));
    fill_views_.back().strides.reserve(group.inputs[i].size());
  }
  for (std::size_t i = 0; i < layout.outputs.size(); ++i) {
    outputs_.push_back({nullptr, layout.outputs[i].info.dtype, group.outputs[i], {}});
  }
  drain_views_ = outputs_;
  for (TensorView& v : drain_views_) v.strides.reserve(kMaxRank);
}

std::byte* Unit::input_buffer(std::size_t i) {
  const TensorLayout& t = layout_.inputs[i];
  std::byte* data = input_buffers_[i].at_least(bytes_of_shape(t, group.inputs[i]), t.info.name);
  bind_input(i, data);
  own_input_[i] = true;
  if (input_place_[i] != kNowhere) input_tensors_[input_place_[i]].memory = own_memory_;
  return data;
}

void Unit::bind_input(std::size_t i, const void* memory) {
  own_input_[i] = false;
  if (input_place_[i] == kNowhere) return;
  assay_tensor& tensor = input_tensors_[input_place_[i]];
  tensor.data = const_cast<void*>(memory);  // the boundary has one type for both ways; a backend only reads inputs
  tensor.memory = ASSAY_HOST;
}

void Unit::bind_own_output(std::size_t i) {
  const TensorLayout& t = layout_.outputs[i];
  void* memory = nullptr;
  if (t.sized) memory = output_buffers_[i].at_least(bytes_of_shape(t, group.outputs[i]), t.info.name);
  bind_output(i, memory);
  if (memory != nullptr) output_tensors_[place_[i]].memory = own_memory_;
}

void Unit::bind_output(std::size_t i, void* memory) {
  output_tensors_[place_[i]].data = memory;
  output_tensors_[place_[i]].memory = ASSAY_HOST;
}

void Unit::pad_inputs() {
  if (record.count >= group.count) return;
  for (std::size_t i = 0; i < layout_.inputs.size(); ++i) {
    const TensorLayout& t = layout_.inputs[i];
    if (t.info.batch_axis < 0 || !own_input_[i]) continue;
    std::byte* data = input_buffers_[i].at_least(0, t.info.name);
    const Block last{data, &group.inputs[i], &padded_strides_[i], record.count - 1};
    Block extra = last;
    for (extra.first = record.count; extra.first < group.count; ++extra.first) {
      copy_block(extra, last, t.info.batch_axis, 1, t.element_size);
    }
  }
}

void Unit::submit(assay_done_fn done) {
  record.submitted = now();
  // Before: `done` may be called, and the unit be drained, before submit returns.
  must_wait = true;
  if (layout_.one_graph != nullptr) computing_.emplace(layout_.one_graph->computing());
  try {
    slot_.submit(input_tensors_, output_tensors_, done, this);
  } catch (...) {
    must_wait = false;
    computing_.reset();
    throw_again(layout_);
  }
}

void Unit::wait() {
  try {
    take_results();
    computing_.reset();
  } catch (...) {
    computing_.reset();
    throw_again(layout_);
  }
}

void Unit::take_results() {
  results_ = output_tensors_;
  assay_timing timing{};
  timing.struct_size = sizeof timing;
  timing.copy_in_ns = timing.compute_ns = timing.copy_out_ns = timing.ahead_ns = -1;
  must_wait = false;
  try {
    slot_.wait(results_, &timing);
  } catch (const Error& e) {
    throw with_assumptions(e, layout_);
  }
  if (record.done.count() == 0) record.done = now();
  const auto known = [](std::int64_t ns) { return std::chrono::nanoseconds(std::max<std::int64_t>(ns, 0)); };
  record.copy_in = known(timing.copy_in_ns);
  record.copy_out = known(timing.copy_out_ns);
  record.ahead = std::chrono::nanoseconds(timing.ahead_ns);
  const std::chrono::nanoseconds whole = record.done - record.submitted;
  record.compute = timing.compute_ns >= 0 ? known(timing.compute_ns) : whole - record.copy_in - record.copy_out;
  group.compute.store(record.compute, std::memory_order_relaxed);
  const std::chrono::nanoseconds waiting = whole - record.copy_in - record.compute - record.copy_out;
  record.queue = std::max(record.submitted - record.fill_end, std::chrono::nanoseconds::zero()) +
                 std::max(waiting, std::chrono::nanoseconds::zero());
  for (std::size_t p = 0; p < results_.size(); ++p) check_result(layout_.output_order[p], results_[p]);
}

void Unit::check_result(std::size_t ours, const assay_tensor& result) {
  const TensorLayout& t = layout_.outputs[ours];
  TensorView& view = outputs_[ours];
  if (result.dtype != static_cast<assay_dtype>(t.info.dtype)) {
    throw Error(ErrorCode::kFramework,
                fmt::format("the backend answered {}, the model says {}", to_string(static_cast<DType>(result.dtype)),
                            to_string(t.info.dtype)),
                t.info.name);
  }
  const auto rank = static_cast<std::size_t>(std::max(result.rank, 0));
  if (t.sized) {
    const Shape& expected = group.outputs[ours];
    if (rank != expected.size() || !std::equal(expected.begin(), expected.end(), result.shape)) {
      throw Error(ErrorCode::kFramework,
                  fmt::format("the backend answered a shape of {} where {} was expected; if its first axis is not the "
                              "batch, say so (--batch-axis {}=none)",
                              to_string(rank == 0 ? Shape{} : Shape(result.shape, result.shape + rank)),
                              to_string(expected), t.info.name),
                  t.info.name);
    }
  } else {
    view.shape.assign(result.shape, result.shape + rank);
  }
  view.data = result.data;
}

std::span<const MutableTensorView> Unit::fill_views(std::int64_t count) {
  for (std::size_t i = 0; i < fill_views_.size(); ++i) {
    MutableTensorView& view = fill_views_[i];
    view.data = input_buffer(i);
    const int axis = layout_.inputs[i].info.batch_axis;
    if (axis < 0) continue;
    view.shape[static_cast<std::size_t>(axis)] = count;
    view.strides.clear();
    if (count != group.count && axis > 0) view.strides = padded_strides_[i];
  }
  return fill_views_;
}

/// What of an output was added can only be told where it has one row a sample.
void Unit::check_padded(std::size_t i, int axis) const {
  const Shape& shape = outputs_[i].shape;
  const auto a = static_cast<std::size_t>(axis);
  if (axis >= 0 && a < shape.size() && shape[a] == group.count) return;
  throw Error(
      ErrorCode::kUnsupported,
      fmt::format("a batch of {} samples was filled up to {}, but the output's shape is {}, with no row for "
                  "each: ask for a multiple of the batch size, load with a batch size of 0, or say which axis is the "
                  "batch (--batch-axis {}=K, Params::batch_axis)",
                  record.count, group.count, to_string(shape), layout_.outputs[i].info.name),
      layout_.outputs[i].info.name);
}

std::span<const TensorView> Unit::drain_views() {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    TensorView& view = drain_views_[i];
    view.data = outputs_[i].data;
    view.shape = outputs_[i].shape;  // assigns within its capacity
    view.strides.clear();
    const int axis = layout_.outputs[i].info.batch_axis;
    if (record.count == group.count) continue;
    check_padded(i, axis);
    if (axis > 0) {  // rows that were added lie between those that count
      view.strides.resize(view.shape.size());
      std::int64_t step = 1;
      for (std::size_t a = view.shape.size(); a-- > 0; step *= view.shape[a]) view.strides[a] = step;
    }
    view.shape[static_cast<std::size_t>(axis)] = record.count;
  }
  return drain_views_;
}

UnitPool::UnitPool(const Layout& layout, backend::BackendSession& session, std::size_t per_group)
    : layout_(layout), session_(session), staging_(session), per_group_(per_group) {}

UnitPool::~UnitPool() = default;

bool UnitPool::matches(const Group& group, std::int64_t count, std::span<const TensorView> whole) const {
  if (whole.empty()) return group.count == count;
  return std::equal(whole.begin(), whole.end(), group.inputs.begin(), group.inputs.end(),
                    [](const TensorView& view, const Shape& shape) { return view.shape == shape; });
}

Group& UnitPool::find_or_make(std::int64_t count, std::span<const TensorView> whole) {
  for (Group& g : groups_) {
    if (matches(g, count, whole)) return g;
  }
  forget_oldest();
  Group& g = groups_.emplace_back();
  g.count = count;
  for (std::size_t i = 0; i < layout_.inputs.size(); ++i) {
    g.inputs.push_back(whole.empty() ? layout_.inputs[i].with_count(count) : whole[i].shape);
  }
  for (const TensorLayout& t : layout_.outputs) g.outputs.push_back(t.with_count(count));
  g.idle.reserve(per_group_);
  return g;
}

/// Shapes come and go (whole graphs, last batches): those unused longest give their slots back.
void UnitPool::forget_oldest() {
  while (groups_.size() >= kGroups) {
    auto oldest = groups_.end();
    for (auto it = groups_.begin(); it != groups_.end(); ++it) {
      const bool main = layout_.batch_size > 0 && it->count == layout_.batch_size;
      if (it->users == 0 && !main && (oldest == groups_.end() || it->last_use < oldest->last_use)) oldest = it;
    }
    if (oldest == groups_.end()) return;  // all are in use
    groups_.erase(oldest);
  }
}

UnitPool::Claim UnitPool::claim(std::int64_t count, std::span<const TensorView> whole) {
  const std::lock_guard lock(mutex_);
  Group& group = find_or_make(count, whole);
  ++group.users;
  group.last_use = ++uses_;
  return {*this, group};
}

void UnitPool::unclaim(Group& group) noexcept {
  const std::lock_guard lock(mutex_);
  --group.users;
}

Unit& UnitPool::acquire(Group& group) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!group.idle.empty()) {
      Unit& unit = *group.idle.back();
      group.idle.pop_back();
      return unit;
    }
    if (group.units.size() + group.opening < per_group_) break;
    group.returned.wait(lock);
  }
  ++group.opening;
  lock.unlock();
  try {
    std::vector<Shape> shapes;
    for (const std::size_t i : layout_.input_order) shapes.push_back(group.inputs[i]);
    backend::Slot slot = session_.open_slot(shapes);
    lock.lock();
    --group.opening;
    return group.units.emplace_back(layout_, group, std::move(slot), staging_);
  } catch (...) {
    if (!lock.owns_lock()) {
      lock.lock();
      --group.opening;
    }
    group.returned.notify_one();
    throw_again(layout_);
  }
}

void UnitPool::release(Unit& unit) noexcept {
  const std::lock_guard lock(mutex_);
  unit.failure = nullptr;
  unit.group.idle.push_back(&unit);  // within its reserve
  unit.group.returned.notify_one();
}

}  // namespace assay::engine
