#include <algorithm>
#include <map>

#include "aligned_memory.hpp"
#include "plan.hpp"

namespace assay::compiler {
namespace {

struct Lifetime {
  int buffer = -1;
  std::size_t first = 0, last = 0;  // steps
};

std::vector<Lifetime> lifetimes(const Plan& plan) {
  std::map<int, Lifetime> found;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    for (const auto& [b, offset] : plan.steps[i].pointers) {
      if (plan.buffers[static_cast<std::size_t>(b)].place != Buffer::Place::kArena) continue;
      const auto [at, is_new] = found.try_emplace(b, Lifetime{b, i, i});
      at->second.last = i;
    }
  }
  std::vector<Lifetime> result;
  for (const auto& [buffer, life] : found) result.push_back(life);
  return result;
}

/// The lowest place of so many bytes between what is taken, sorted by offset.
std::int64_t lowest_gap(const std::vector<std::pair<std::int64_t, std::int64_t>>& taken, std::int64_t bytes) {
  std::int64_t at = 0;
  for (const auto& [offset, size] : taken) {
    if (at + bytes <= offset) return at;
    at = std::max(at, offset + size);
  }
  return at;
}

bool together(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

/// One behind the other.
std::int64_t place_apart(Plan& plan, const std::vector<Lifetime>& lives) {
  std::int64_t end = 0;
  for (const Lifetime& life : lives) {
    Buffer& buffer = plan.buffers[static_cast<std::size_t>(life.buffer)];
    buffer.offset = end;
    end += aligned(buffer.bytes);
  }
  return end;
}

/// The largest first, each at the lowest place that is free during its life. Answers the bytes of all.
std::int64_t place_free(Plan& plan, std::vector<Lifetime> lives) {
  const auto buffer = [&](const Lifetime& l) -> Buffer& { return plan.buffers[static_cast<std::size_t>(l.buffer)]; };
  std::stable_sort(lives.begin(), lives.end(),
                   [&](const Lifetime& a, const Lifetime& b) { return buffer(a).bytes > buffer(b).bytes; });
  std::int64_t end = 0;
  for (std::size_t i = 0; i < lives.size(); ++i) {
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (std::size_t j = 0; j < i; ++j) {
      if (together(lives[i], lives[j])) taken.emplace_back(buffer(lives[j]).offset, aligned(buffer(lives[j]).bytes));
    }
    std::sort(taken.begin(), taken.end());
    buffer(lives[i]).offset = lowest_gap(taken, aligned(buffer(lives[i]).bytes));
    end = std::max(end, buffer(lives[i]).offset + aligned(buffer(lives[i]).bytes));
  }
  return end;
}

}  // namespace

void place_buffers(Plan& plan, bool shared) {
  plan.arena_bytes = shared ? place_free(plan, lifetimes(plan)) : place_apart(plan, lifetimes(plan));
  plan.prepared_bytes = plan.packed_bytes = 0;
  for (Buffer& b : plan.buffers) {
    if (b.place != Buffer::Place::kPrepared && b.place != Buffer::Place::kPacked) continue;
    std::int64_t& end = b.place == Buffer::Place::kPrepared ? plan.prepared_bytes : plan.packed_bytes;
    b.offset = end;
    end += aligned(b.bytes);
  }
}

}  // namespace assay::compiler
