#include "model/zoo/weights.hpp"

#include <bit>
#include <cmath>

// Compiled with -ffp-contract=off: a fused multiply-add rounds once where others round twice.

namespace assay::model {
namespace {

class RowMaker {
 public:
  explicit RowMaker(const WeightRows& recipe)
      : recipe_(recipe), raw_(recipe.inputs * recipe.taps), row_(raw_.size()), common_(recipe.taps) {
    for (const Normal& channel : *recipe.seen) mean_power_ += channel.mean * channel.mean;
  }

  std::span<const float> make(std::int64_t index, const RandomTensor& random) {
    random.fill(static_cast<std::uint64_t>(index) * raw_.size(), raw_.data(), raw_.size());
    if (recipe_.depthwise) {
      make_depthwise(index);
    } else {
      make_dense(index);
    }
    return row_;
  }

 private:
  void make_dense(std::int64_t index) {
    const Moments& seen = *recipe_.seen;
    const std::int64_t taps = recipe_.taps;
    const bool centred = mean_power_ > 0 && recipe_.inputs > 1;
    std::fill(common_.begin(), common_.end(), 0.0);
    if (centred) {
      for (std::int64_t i = 0; i < recipe_.inputs; ++i) {
        for (std::int64_t t = 0; t < taps; ++t) common_[t] += raw_[i * taps + t] * seen[i].mean;
      }
      for (double& c : common_) c /= mean_power_;
    }
    double power = 0;
    for (std::int64_t i = 0; i < recipe_.inputs; ++i) {
      double channel_power = 0;
      for (std::int64_t t = 0; t < taps; ++t) {
        const double w = raw_[i * taps + t] - common_[t] * seen[i].mean;
        channel_power += w * w;
      }
      power += channel_power * seen[i].variance;
    }
    const double scale = power > 0 ? recipe_.deviation[index] / std::sqrt(power) : 0;
    const double through =
        centred && !recipe_.through.empty() ? recipe_.through[index] / (mean_power_ * static_cast<double>(taps)) : 0;
    for (std::int64_t i = 0; i < recipe_.inputs; ++i) {
      for (std::int64_t t = 0; t < taps; ++t) {
        const double centred_weight = (raw_[i * taps + t] - common_[t] * seen[i].mean) * scale;
        row_[i * taps + t] = static_cast<float>(centred_weight + through * seen[i].mean);
      }
    }
  }

  // One part averages over the taps, the other has no mean; together they have length 1.
  void make_depthwise(std::int64_t index) {
    const auto taps = static_cast<double>(recipe_.taps);
    double mean = 0;
    for (const std::int32_t r : raw_) mean += r;
    mean /= taps;
    double power = 0;
    for (const std::int32_t r : raw_) power += (r - mean) * (r - mean);
    const double share = kDepthwiseThrough * kDepthwiseThrough / taps;
    const double detail = std::sqrt((1 - share) / power);
    const double average = kDepthwiseThrough / taps;
    const double scale = recipe_.deviation[index] / std::sqrt((*recipe_.seen)[index].variance);
    for (std::size_t t = 0; t < raw_.size(); ++t) {
      row_[t] = static_cast<float>(((raw_[t] - mean) * detail + average) * scale);
    }
  }

  const WeightRows& recipe_;
  double mean_power_ = 0;
  std::vector<std::int32_t> raw_;
  std::vector<float> row_;
  std::vector<double> common_;  // per tap: how much of the inputs' mean the raw row lets through
};

}  // namespace

void make_rows(const WeightRows& recipe, const RandomTensor& random,
               const std::function<void(std::span<const float>)>& sink) {
  RowMaker maker(recipe);
  for (std::int64_t r = 0; r < recipe.rows; ++r) sink(maker.make(r, random));
}

Moments foreseen(const WeightRows& recipe) {
  Moments out(recipe.rows);
  for (std::int64_t r = 0; r < recipe.rows; ++r) {
    const double deviation = recipe.deviation[r];
    out[r] = {recipe.through.empty() ? 0 : recipe.through[r], deviation * deviation};
    if (recipe.depthwise) {
      const Normal& in = (*recipe.seen)[r];
      out[r].mean = in.mean * kDepthwiseThrough * deviation / std::sqrt(in.variance);
    }
  }
  return out;
}

std::uint16_t half_from(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000;
  const std::uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude >= 0x47800000) return static_cast<std::uint16_t>(sign | (magnitude > 0x7F800000 ? 0x7E00 : 0x7C00));
  if (magnitude < 0x38800000) {  // subnormal: the sum's own rounding leaves the value in the last bits
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000));
  }
  const std::uint32_t rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

}  // namespace assay::model
