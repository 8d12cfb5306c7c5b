#include "packed_weights.hpp"

#include <algorithm>

#include "layout.hpp"

namespace assay::compiler {

std::string order_text(const std::string& method, std::int64_t vectors, std::int64_t lanes, const WeightView& weights) {
  return method + ", " + std::to_string(vectors) + " vectors of " + std::to_string(lanes) + ", from " +
         std::to_string(weights.access.offset) + " by " + to_text(weights.access.strides) + ": " +
         std::to_string(weights.outputs) + " of " + std::to_string(weights.channels) + " by " + to_text(weights.window);
}

std::string order_text(const Packing& packing, std::int64_t lanes, const WeightView& weights) {
  return order_text(packing.m == 0 ? "direct" : "winograd " + std::to_string(packing.m), packing.vectors, lanes,
                    weights);
}

std::shared_ptr<const std::byte> PackedWeights::find(const std::string& order, const Constant& of) const {
  const auto [begin, end] = packed_.equal_range(order);
  const auto found = std::find_if(begin, end, [&](const auto& entry) { return entry.second.of->equals(of); });
  return found != end ? found->second.packed : nullptr;
}

bool PackedWeights::knows(const Constant& of) const {
  const auto [begin, end] = known_.equal_range(of.size());
  return std::any_of(begin, end, [&](const auto& entry) { return entry.second->equals(of); });
}

void PackedWeights::add(const std::string& order, const Constant& of, std::shared_ptr<const std::byte> packed,
                        std::int64_t bytes) {
  const std::shared_ptr<const Constant> kept = of.not_computed();
  bytes_ += bytes;
  if (!knows(of)) {
    first_bytes_ += bytes;
    known_.emplace(of.size(), kept);
  }
  packed_.emplace(order, Packed{kept, std::move(packed)});
}

const std::vector<Packing>& Kept::of(const Constant& constant, const WeightView& weights, std::int64_t lanes) {
  static const std::vector<Packing> none;
  if (there_ == nullptr || there_->bytes() == 0) return none;
  const auto [at, is_new] = found_.try_emplace({&constant, order_text(Packing{}, lanes, weights)});
  if (!is_new) return at->second;
  const std::int64_t blocks = (weights.outputs + lanes - 1) / lanes;
  for (const std::int64_t m : {0, 2, 4}) {
    for (std::int64_t v = 1; v <= std::min(blocks, kMostVectors); ++v) {
      const Packing packing{m, v};
      if (there_->find(order_text(packing, lanes, weights), constant)) at->second.push_back(packing);
    }
  }
  return at->second;
}

bool Kept::may_add(const Constant& constant, double bytes) {
  if (there_ == nullptr || added_of_.contains(&constant)) return true;
  const auto first = static_cast<double>(there_->first_bytes()), all = static_cast<double>(there_->bytes());
  if (all + added_ + bytes > 2 * first) return false;
  added_ += bytes;
  added_of_.insert(&constant);
  return true;
}

}  // namespace assay::compiler
