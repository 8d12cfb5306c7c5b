#include <algorithm>
#include <map>

#include "plan.hpp"

namespace assay::compiler {
namespace {

constexpr std::int64_t kAlignment = 64;

std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

struct Lifetime {
  int buffer = -1;
  std::size_t first = 0, last = 0;  // steps
};

std::vector<Lifetime> lifetimes(const Plan& plan) {
  std::map<int, Lifetime> found;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    for (const int b : plan.steps[i].buffers) {
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

}  // namespace

/// The largest first, each at the lowest place that is free during its life.
void place_buffers(Plan& plan) {
  std::vector<Lifetime> lives = lifetimes(plan);
  const auto bytes = [&](const Lifetime& l) { return aligned(plan.buffers[static_cast<std::size_t>(l.buffer)].bytes); };
  std::stable_sort(lives.begin(), lives.end(), [&](const auto& a, const auto& b) { return bytes(a) > bytes(b); });
  plan.arena_bytes = 0;
  for (std::size_t i = 0; i < lives.size(); ++i) {
    std::vector<std::pair<std::int64_t, std::int64_t>> taken;
    for (std::size_t j = 0; j < i; ++j) {
      if (lives[j].last < lives[i].first || lives[i].last < lives[j].first) continue;
      taken.emplace_back(plan.buffers[static_cast<std::size_t>(lives[j].buffer)].offset, bytes(lives[j]));
    }
    std::sort(taken.begin(), taken.end());
    const std::int64_t at = lowest_gap(taken, bytes(lives[i]));
    plan.buffers[static_cast<std::size_t>(lives[i].buffer)].offset = at;
    plan.arena_bytes = std::max(plan.arena_bytes, at + bytes(lives[i]));
  }
  plan.prepared_bytes = 0;
  for (Buffer& b : plan.buffers) {
    if (b.place != Buffer::Place::kPrepared) continue;
    b.offset = plan.prepared_bytes;
    plan.prepared_bytes += aligned(b.bytes);
  }
}

}  // namespace assay::compiler
