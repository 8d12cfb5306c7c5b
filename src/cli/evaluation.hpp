#pragma once
// What evaluate concludes from its members' answers, and how that is told. Pure.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "assay/ensemble.hpp"
#include "measure/accuracy.hpp"

namespace assay::cli {

/// What was answered: for each member a row of values an image.
struct Answered {
  std::string model;                 ///< as the user named it
  std::vector<std::string> members;  ///< one: no ensemble
  std::vector<measure::Scores> scores;
  std::vector<std::int64_t> labels;
  std::uint64_t seed = 1;            ///< of the halves
  Combine combine = Combine::kMean;  ///< or kVote
  std::vector<double> weights{};     ///< by member, as the user gave them; empty: all alike
};

/// A classifier on some of the images.
struct Judged {
  std::string name;
  std::vector<std::int64_t> ranks;  ///< of the labels
  bool ranks_all = true;            ///< false: of votes, where most classes get none and only the first place counts
  [[nodiscard]] measure::Share top(std::int64_t k) const { return measure::top(ranks, k); }
};

/// Weights found on one half of the images, and what they are worth on the other.
struct WeightSearch {
  std::vector<double> weights;  ///< by member, in whole parts: "5, 1, 4, 2"
  std::int64_t searched = 0;    ///< images of the first half
  Judged equal, weighted;
  measure::Paired paired;  ///< weighted first, equal second
};

struct Evaluation {
  std::string model;
  std::int64_t images = 0, classes = 0;
  std::uint64_t seed = 1;
  std::vector<Judged> members;
  std::size_t best = 0;                 ///< the member with the most right; of several, the first
  std::optional<Judged> ensemble;       ///< all together; none of one member
  Combine combine = Combine::kMean;     ///< of the ensemble
  std::vector<double> given;            ///< weights of the user's, under which it is judged; else empty
  measure::Paired paired;               ///< ensemble first, best member second
  std::optional<WeightSearch> weights;  ///< none of one member, or one image, or where they were given
  std::vector<std::string> warnings;
};

Evaluation evaluation_of(const Answered& answered);

/// A table and sentences of at most 80 columns. A difference that the paired test cannot show is called none.
std::string evaluation_text(const Evaluation& evaluation);
/// docs/user-guide.md. What says nothing is null: top5 of votes or of at most five classes, ensemble
/// and weights of one member.
nlohmann::json evaluation_json(const Evaluation& evaluation);

}  // namespace assay::cli
