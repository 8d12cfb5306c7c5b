#include <fmt/format.h>

#include "backend/open.hpp"

namespace assay::backend {
namespace {

std::vector<TensorInfo> tensor_infos(const assay_tensor_info* infos, std::size_t count) {
  std::vector<TensorInfo> result;
  for (std::size_t i = 0; i < count; ++i) {
    const assay_tensor_info& c = infos[i];
    TensorInfo info;
    info.name = c.name;
    info.dtype = static_cast<DType>(c.dtype);
    for (std::int32_t axis = 0; axis < c.rank; ++axis) {
      info.shape.push_back(c.shape[axis]);
      info.axes.emplace_back(c.axes != nullptr && c.axes[axis] != nullptr ? c.axes[axis] : "");
    }
    info.rank_known = c.rank >= 0;
    result.push_back(std::move(info));
  }
  return result;
}

SessionInfo session_info(const assay_session_info& c) {
  SessionInfo info;
  info.from_cache = c.from_cache != 0;
  info.useful_slots = std::max(1, c.useful_slots);
  info.short_batch = c.short_batch;
  info.slot_open = std::chrono::nanoseconds(c.slot_open_ns);
  info.computes_in_wait = c.computes_in_wait != 0;
  info.alignment = std::max(1U, c.alignment);
  info.memory_kinds = c.memory_kinds | (1U << ASSAY_HOST);
  info.inputs = tensor_infos(c.inputs, c.input_count);
  info.outputs = tensor_infos(c.outputs, c.output_count);
  for (std::size_t i = 0; i < c.in_force_count; ++i) info.in_force[c.in_force[i].key] = c.in_force[i].value;
  return info;
}

}  // namespace

BackendSession::Open::~Open() {
  if (session != nullptr) table->close(session, nullptr);
}

BackendSession::BackendSession(std::unique_ptr<Open> open) : open_(std::move(open)), info_(describe(*open_)) {}

SessionInfo BackendSession::describe(const Open& open) {
  const std::lock_guard lock(open.mutex);  // what it answers is valid until it is asked again
  ErrorSlot error;
  assay_session_info info{};
  info.struct_size = sizeof info;
  check(open.table->describe(open.session, &info, &error.error), error, "describe", open.table->name);
  return session_info(info);
}

std::map<std::string, std::string> BackendSession::in_force() const { return describe(*open_).in_force; }

BackendSession::BackendSession(BackendSession&&) noexcept = default;
BackendSession& BackendSession::operator=(BackendSession&&) noexcept = default;
BackendSession::~BackendSession() = default;

Slot BackendSession::open_slot(std::span<const Shape> shapes) {
  if (shapes.size() != info_.inputs.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} input shapes were given, the model has {} inputs", shapes.size(), info_.inputs.size()),
                open_->table->name);
  }
  std::vector<assay_fixed_shape> fixed;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    fixed.push_back({info_.inputs[i].name.c_str(), static_cast<std::int32_t>(shapes[i].size()), 0, shapes[i].data()});
  }
  ErrorSlot error;
  assay_slot* slot = nullptr;
  check(open_->table->slot_open(open_->session, fixed.data(), fixed.size(), &slot, &error.error), error, "slot_open",
        open_->table->name);
  if (slot == nullptr) {
    throw Error(ErrorCode::kInternal, "the plugin's slot_open answered success and no slot", open_->table->name);
  }
  return {open_->table, open_->session, slot};
}

std::string BackendSession::report(const std::string& kind) {
  const std::lock_guard lock(open_->mutex);
  ErrorSlot error;
  const char* text = nullptr;
  check(open_->table->report(open_->session, kind.c_str(), &text, &error.error), error, "report", open_->table->name);
  return text == nullptr ? "" : text;
}

void* BackendSession::allocate(assay_memory kind, std::uint64_t bytes) {
  ErrorSlot error;
  void* data = nullptr;
  // 0 bytes would mean "free" at the boundary.
  check(open_->table->buffer(open_->session, kind, std::max<std::uint64_t>(bytes, 1), &data, &error.error), error,
        "buffer", open_->table->name);
  return data;
}

void BackendSession::release(assay_memory kind, void* data) noexcept {
  if (data == nullptr) return;
  ErrorSlot error;
  (void)open_->table->buffer(open_->session, kind, 0, &data, &error.error);
}

Slot::Slot(const assay_backend_table* table, assay_session* session, assay_slot* slot)
    : table_(table), session_(session), slot_(slot) {}

Slot::Slot(Slot&& other) noexcept
    : table_(other.table_), session_(other.session_), slot_(std::exchange(other.slot_, nullptr)) {}

Slot& Slot::operator=(Slot&& other) noexcept {
  std::swap(table_, other.table_);
  std::swap(session_, other.session_);
  std::swap(slot_, other.slot_);
  return *this;
}

Slot::~Slot() {
  if (slot_ != nullptr) table_->close(session_, slot_);
}

void Slot::submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
                  void* user) {
  ErrorSlot error;
  check(table_->submit(slot_, inputs.data(), inputs.size(), outputs.data(), outputs.size(), done, user, &error.error),
        error, "submit", table_->name);
}

void Slot::wait(std::span<assay_tensor> outputs, assay_timing* timing) {
  if (timing != nullptr) timing->struct_size = sizeof *timing;
  ErrorSlot error;
  check(table_->wait(slot_, outputs.data(), outputs.size(), timing, &error.error), error, "wait", table_->name);
}

}  // namespace assay::backend
