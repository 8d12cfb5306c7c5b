#include "measure/weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

namespace assay::measure {
namespace {

constexpr int kSteps = 12;                // of the simplex: divisible by 2, 3 and 4
constexpr std::size_t kMostForAGrid = 4;  // members; 455 points
constexpr int kMostRounds = 20;           // of the ascent: it ends by itself where nothing gets better

/// In whole numbers, so that the same weights are the same: (2, 1, 1).
using Parts = std::vector<int>;

std::vector<double> as_weights(const Parts& parts) { return {parts.begin(), parts.end()}; }

/// The same ratios in the smallest whole numbers.
Parts reduced(Parts parts) {
  const int divisor = std::accumulate(parts.begin(), parts.end(), 0, [](int a, int b) { return std::gcd(a, b); });
  for (int& part : parts) part /= divisor;
  return parts;
}

/// Judges weights on the samples. Only a class that some member rates as high as the label can ever overtake it: the
/// others are left out once, so that a point of the grid costs a few additions a sample and not thousands.
class Jury {
 public:
  Jury(std::span<const Scores> members, std::span<const std::int64_t> labels, const Samples& samples)
      : members_(members),
        labels_(labels),
        samples_(samples),
        probabilities_(std::all_of(members.begin(), members.end(), are_probabilities)) {
    for (const std::size_t sample : samples) add_rivals(sample);
  }

  [[nodiscard]] std::int64_t right(const Parts& parts) const {
    std::int64_t count = 0;
    std::size_t rival = 0;
    for (const std::size_t end : ends_) {
      bool beaten = false;
      for (; rival < end && !beaten; ++rival) beaten = overtakes(rival, parts);
      rival = end;
      count += beaten ? 0 : 1;
    }
    return count;
  }

  /// Of the labels, under the weights.
  [[nodiscard]] double mean_log_probability(const Parts& parts) const {
    const std::vector<double> weights = normalised(as_weights(parts));
    double sum = 0;
    for (const std::size_t sample : samples_) sum += log_probability(sample, weights);
    return sum / static_cast<double>(samples_.size());
  }

 private:
  void add_rivals(std::size_t sample) {
    const auto label = static_cast<std::size_t>(labels_[sample]);
    const auto classes = static_cast<std::size_t>(members_.front().classes);
    for (std::size_t c = 0; c < classes; ++c) {
      if (c == label || std::none_of(members_.begin(), members_.end(),
                                     [&](const Scores& m) { return m.row(sample)[c] >= m.row(sample)[label]; })) {
        continue;
      }
      for (const Scores& m : members_) {
        leads_.push_back(static_cast<double>(m.row(sample)[c]) - static_cast<double>(m.row(sample)[label]));
      }
      wins_draws_.push_back(c < label);
    }
    ends_.push_back(wins_draws_.size());
  }

  [[nodiscard]] bool overtakes(std::size_t rival, const Parts& parts) const {
    double lead = 0;
    for (std::size_t m = 0; m < parts.size(); ++m) lead += parts[m] * leads_[rival * parts.size() + m];
    return lead > 0 || (lead == 0 && wins_draws_[rival]);
  }

  [[nodiscard]] double log_probability(std::size_t sample, std::span<const double> weights) const {
    const auto label = static_cast<std::size_t>(labels_[sample]);
    const auto mean = [&](std::size_t c) {
      double value = 0;
      for (std::size_t m = 0; m < members_.size(); ++m) {
        value += weights[m] * static_cast<double>(members_[m].row(sample)[c]);
      }
      return value;
    };
    // A probability that was rounded to 0 does not outweigh all others.
    constexpr double kLeast = 1e-12;
    if (probabilities_) return std::log(std::max(mean(label), kLeast));
    double largest = -std::numeric_limits<double>::infinity();
    std::vector<double> row(static_cast<std::size_t>(members_.front().classes));
    for (std::size_t c = 0; c < row.size(); ++c) largest = std::max(largest, row[c] = mean(c));
    double sum = 0;
    for (const double v : row) sum += std::exp(v - largest);
    return std::max(row[label] - largest - std::log(sum), std::log(kLeast));
  }

  std::span<const Scores> members_;
  std::span<const std::int64_t> labels_;
  const Samples& samples_;
  bool probabilities_;
  std::vector<double> leads_;      ///< rival by member: its value less the label's
  std::vector<bool> wins_draws_;   ///< by rival: its class comes first
  std::vector<std::size_t> ends_;  ///< by sample: its rivals end here
};

/// The best so far. The second criterion is computed only where the first does not decide.
class Best {
 public:
  Best(const Jury& jury, Parts start) : jury_(jury), parts_(std::move(start)), right_(jury.right(parts_)) {}

  /// Whether it took the place of the best.
  bool offer(const Parts& parts) {
    const std::int64_t right = jury_.right(parts);
    if (right < right_) return false;
    std::optional<double> log_probability;
    if (right == right_) {
      log_probability = jury_.mean_log_probability(parts);
      if (!log_probability_) log_probability_ = jury_.mean_log_probability(parts_);
      constexpr double kRounding = 1e-12;
      if (*log_probability <= *log_probability_ + kRounding) return false;
    }
    parts_ = parts;
    right_ = right;
    log_probability_ = log_probability;
    return true;
  }
  [[nodiscard]] const Parts& parts() const { return parts_; }

 private:
  const Jury& jury_;
  Parts parts_;
  std::int64_t right_;
  std::optional<double> log_probability_;
};

/// Every way to share `left` parts among the members from `first` on.
void offer_all(Best& best, Parts& parts, std::size_t first, int left) {
  if (first + 1 == parts.size()) {
    parts[first] = left;
    best.offer(parts);
    return;
  }
  for (int part = 0; part <= left; ++part) {
    parts[first] = part;
    offer_all(best, parts, first + 1, left - part);
  }
}

/// One member's weight at a time, the others held, until none gets better.
void ascend(Best& best) {
  constexpr std::array kTries = {0, 3, 6, 9, 12, 18, 24, 36, 48};  // equal weights are 12 each
  bool better = true;
  for (int round = 0; better && round < kMostRounds; ++round) {
    better = false;
    for (std::size_t m = 0; m < best.parts().size(); ++m) {
      for (const int part : kTries) {
        Parts parts = best.parts();
        parts[m] = part;
        const bool nothing = std::all_of(parts.begin(), parts.end(), [](int p) { return p == 0; });
        if (!nothing && parts != best.parts() && best.offer(parts)) better = true;
      }
    }
  }
}

/// Not std::shuffle: its results differ between standard libraries.
template <class T>
void shuffle_by(std::mt19937_64& generator, std::vector<T>& all) {
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[generator() % i]);
}

}  // namespace

Halves halves(std::span<const std::int64_t> labels, std::uint64_t seed) {
  std::map<std::int64_t, Samples> by_class;
  for (std::size_t i = 0; i < labels.size(); ++i) by_class[labels[i]].push_back(i);
  std::mt19937_64 generator(seed);
  std::vector<Samples> classes;
  for (auto& [label, samples] : by_class) {
    shuffle_by(generator, samples);
    classes.push_back(std::move(samples));
  }
  shuffle_by(generator, classes);  // whose odd one goes where is drawn, too
  Halves result;
  for (const Samples& samples : classes) {
    const bool more_to_search = result.search.size() < result.judge.size();
    const std::size_t cut = (samples.size() + (more_to_search ? 1 : 0)) / 2;
    const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(cut);
    result.search.insert(result.search.end(), samples.begin(), middle);
    result.judge.insert(result.judge.end(), middle, samples.end());
  }
  return result;
}

std::vector<double> search_weights(std::span<const Scores> members, std::span<const std::int64_t> labels,
                                   const Samples& samples) {
  const Jury jury(members, labels, samples);
  Best best(jury, Parts(members.size(), kSteps));
  if (members.size() <= kMostForAGrid) {
    Parts parts(members.size(), 0);
    offer_all(best, parts, 0, kSteps);
  } else {
    ascend(best);
  }
  return as_weights(reduced(best.parts()));
}

std::vector<double> normalised(std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> result;
  for (const double w : weights) result.push_back(w / sum);
  return result;
}

}  // namespace assay::measure
