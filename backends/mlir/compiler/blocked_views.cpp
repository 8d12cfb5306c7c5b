// Values in blocked layout.

#include <algorithm>
#include <array>

#include "scheduler.hpp"

namespace assay::compiler {
namespace {

constexpr std::size_t kAxes = 4;

Expression as_it_is() {
  Formula f;
  return f.done(f.input(0));
}

}  // namespace

Shape Scheduler::four_axes(ValueId id) const {
  Shape four(kAxes - shape(id).size(), 1);
  four.insert(four.end(), shape(id).begin(), shape(id).end());
  return four;
}

View Scheduler::aligned(ValueId id) {
  View seen = view(id);
  seen.access.strides.insert(seen.access.strides.begin(), kAxes - shape(id).size(), 0);
  return seen;
}

BlockedView Scheduler::new_blocked(const Shape& four, const Border& border) {
  for (const std::int64_t width : {border.top, border.left, border.bottom, border.right}) (void)count(Shape{width});
  const std::int64_t height = four[2] + border.top + border.bottom, width = four[3] + border.left + border.right;
  (void)count(Shape{blocks_of(four[1]), four[0], height, width, lanes_});  // throws where it is too large
  BlockedView made;
  BlockedAccess& a = made.access;
  a.column = lanes_;
  a.row = width * a.column;
  a.batch = height * a.row;
  a.block = four[0] * a.batch;
  a.offset = border.top * a.row + border.left * a.column;
  const std::int64_t bytes = blocks_of(four[1]) * a.block * static_cast<std::int64_t>(sizeof(float));
  made.buffer = add_buffer(bytes, Buffer::Place::kArena);
  if (!border.empty()) {
    const BorderKernel kernel{
        blocks_of(four[1]) * four[0], four[2], four[3], border.top, border.left, border.bottom, border.right, lanes_};
    add_step(kernel, {made.buffer});
  }
  return made;
}

BlockedView Scheduler::new_blocked(ValueId id) {
  const auto part = layouts_.parts.find(id);
  // Where the whole was made in plain layout already, nobody would compute the rest of it here.
  const bool apart =
      part == layouts_.parts.end() || (views_.contains(part->second.whole) && !blocked_.contains(part->second.whole));
  if (apart) return blocked_[id] = new_blocked(four_axes(id), layouts_.borders[id]);
  const auto whole = blocked_.find(part->second.whole);
  BlockedView place = whole != blocked_.end() ? whole->second : new_blocked(part->second.whole);
  place.access.offset +=
      part->second.first_channel / lanes_ * place.access.block + part->second.first_sample * place.access.batch;
  return blocked_[id] = place;
}

const BlockedView& Scheduler::blocked_view(ValueId id) {
  const auto found = blocked_.find(id);
  if (found != blocked_.end()) return found->second;
  const View plain = aligned(id);
  const BlockedView made = new_blocked(id);
  to_blocked(plain, made, four_axes(id));
  return blocked_[id];
}

bool Scheduler::can_be_operand(ValueId id, const Shape& output) const {
  return element(id) == Element::kF32 && shape(id).size() <= kAxes &&
         (four_axes(id)[1] == output[1] || four_axes(id)[1] == 1);
}

BlockedView Scheduler::blocked_operand(ValueId id, const Shape& output) {
  const Shape own = four_axes(id);
  BlockedView seen;
  if (own[1] == output[1]) {
    seen = blocked_view(id);
  } else {
    const View plain = aligned(id);
    const Shape& s = plain.access.strides;
    seen = {plain.buffer, {plain.access.offset, 0, s[0], s[2], s[3], false}};
  }
  if (own[0] != output[0]) seen.access.batch = 0;
  if (own[2] != output[2]) seen.access.row = 0;
  if (own[3] != output[3]) seen.access.column = 0;
  return seen;
}

void Scheduler::move_lanes(const View& plain, const BlockedView& blocked, const Shape& four, bool out) {
  const std::int64_t whole = four[1] / lanes_, rest = four[1] % lanes_;
  for (const auto& [first, blocks, lanes] : {std::array<std::int64_t, 3>{0, whole, lanes_}, {whole, 1, rest}}) {
    if (blocks == 0 || lanes == 0) continue;
    const Shape& s = plain.access.strides;
    const BlockedAccess& b = blocked.access;
    const Operand there{Element::kF32,
                        {plain.access.offset + first * lanes_ * s[1], {lanes_ * s[1], s[0], s[2], s[3], s[1]}}};
    const Operand here{Element::kF32, {b.offset + first * b.block, {b.block, b.batch, b.row, b.column, 1}}};
    StridedKernel kernel;
    kernel.sizes = {blocks, four[0], four[2], four[3], lanes};
    kernel.expression = as_it_is();
    kernel.inputs = {out ? here : there};
    kernel.output = out ? there : here;
    add_step(std::move(kernel),
             out ? std::vector<int>{blocked.buffer, plain.buffer} : std::vector<int>{plain.buffer, blocked.buffer});
  }
}

}  // namespace assay::compiler
