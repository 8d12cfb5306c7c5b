#include "cli/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/case.hpp"
#include "measure/weights.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

using measure::Paired;
using measure::Share;

constexpr std::int64_t kFew = 5;  // top-5
constexpr std::size_t kJudgedColumns = 34;
constexpr std::size_t kShareColumns = 22;

/// Of the members together: of values, or of votes.
Judged judge(std::string name, const Answered& answered, const std::vector<double>& weights,
             const measure::Samples& samples) {
  return {std::move(name), measure::ranks(answered.scores, weights, answered.labels, samples),
          answered.combine != Combine::kVote};
}

/// Each member's votes in place of its values.
Answered voted(const Answered& answered) {
  Answered votes{answered.model, answered.members, {}, answered.labels, answered.seed,
                 Combine::kVote, answered.weights};
  for (const measure::Scores& scores : answered.scores) votes.scores.push_back(measure::votes(scores));
  return votes;
}

std::string ensemble_name(const Answered& answered) {
  if (answered.weights.empty()) return fmt::format("ensemble ({})", to_string(answered.combine));
  return fmt::format("ensemble ({}, weights {})", to_string(answered.combine), fmt::join(answered.weights, ", "));
}

/// The weights that leave one member alone.
std::vector<double> only(std::size_t member, std::size_t members) {
  std::vector<double> weights(members, 0.0);
  weights[member] = 1;
  return weights;
}

std::optional<WeightSearch> search(const Answered& answered, const std::vector<double>& equal) {
  const measure::Halves halves = measure::halves(answered.labels, answered.seed);
  if (halves.search.empty() || halves.judge.empty()) return std::nullopt;
  WeightSearch found;
  // In whole parts, with which votes that are even stay so, here and where they are given back.
  found.weights = measure::search_weights(answered.scores, answered.labels, halves.search);
  found.searched = std::ssize(halves.search);
  found.equal = judge("equal weights", answered, equal, halves.judge);
  found.weighted = judge("weights found", answered, found.weights, halves.judge);
  found.paired = measure::paired(found.weighted.ranks, found.equal.ranks);
  return found;
}

/// Means of probabilities and of other values would be led by the larger ones.
std::optional<std::string> mixed_scales(const Answered& answered) {
  std::vector<std::string> probabilities, others;
  for (std::size_t m = 0; m < answered.members.size(); ++m) {
    (measure::are_probabilities(answered.scores[m]) ? probabilities : others).push_back(answered.members[m]);
  }
  if (probabilities.empty() || others.empty()) return std::nullopt;
  return fmt::format(
      "{} answer probabilities, {} other values: their mean mixes two scales; end all members with a "
      "softmax, or none",
      fmt::join(probabilities, ", "), fmt::join(others, ", "));
}

std::string percent(double share) { return fmt::format("{:.1f}", 100 * share); }

std::string share_text(const Share& share) {
  const measure::Interval i = share.interval();
  return fmt::format("{} [{}, {}]", percent(share.value()), percent(i.low), percent(i.high));
}

bool has_top5(const Judged& judged, std::int64_t classes) { return judged.ranks_all && classes > kFew; }

std::string row_text(const Judged& judged, std::int64_t classes) {
  const std::string top5 = has_top5(judged, classes) ? share_text(judged.top(kFew)) : "–";
  return report::pad_right(report::cut(judged.name, kJudgedColumns - 1), kJudgedColumns) +
         report::pad_right(share_text(judged.top(1)), kShareColumns) + top5 + "\n";
}

std::string head_text(const std::string& title) {
  return report::pad_right(title, kJudgedColumns) + report::pad_right("top-1 %", kShareColumns) + "top-5 %\n";
}

std::string sentence(const std::string& text) { return report::wrap(text, report::kColumns) + "\n"; }

std::string images(std::int64_t count) { return report::counted(static_cast<std::size_t>(count), "image"); }

/// "p = 0.021", "p < 0.0001".
std::string p_text(const Paired& paired) {
  constexpr double kSmall = 1e-4;
  return paired.p() < kSmall ? std::string("p < 0.0001") : fmt::format("p = {:.2g}", paired.p());
}

std::string ensemble_sentence(const Evaluation& e) {
  const std::string& best = e.members[e.best].name;
  const char* verdict = e.paired.first_is_better()    ? "the ensemble is better"
                        : e.paired.second_is_better() ? "the ensemble is worse"
                                                      : "no difference can be shown";
  return sentence(
      fmt::format("Against its best member, {}, the ensemble alone is right about {}, {} alone about "
                  "{} (McNemar's exact test, {}): {}.",
                  best, images(e.paired.only_first), best, e.paired.only_second, p_text(e.paired), verdict));
}

/// "resnet50 5, vgg19 0 (that is, left out)": --weights takes no 0.
std::string weights_list(const std::vector<Judged>& members, const std::vector<double>& weights) {
  std::vector<std::string> texts;
  for (std::size_t m = 0; m < weights.size(); ++m) {
    texts.push_back(
        fmt::format("{} {:.3g}{}", members[m].name, weights[m], weights[m] > 0 ? "" : " (that is, left out)"));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string weights_verdict(const WeightSearch& found, Combine combine) {
  const bool equal = std::equal(found.weights.begin() + 1, found.weights.end(), found.weights.begin());
  if (equal) return "No weights were found that do better than equal ones.";
  const std::string counts = fmt::format(
      "On the second half the weighted {} alone is right about {}, the plain one alone about {} "
      "(McNemar's exact test, {})",
      to_string(combine), images(found.paired.only_first), found.paired.only_second, p_text(found.paired));
  if (found.paired.second_is_better()) return counts + ": the weights are worse than equal ones.";
  if (!found.paired.first_is_better()) return counts + ": no gain can be shown; equal weights will do.";
  return counts + ": the weights are better than equal ones.";
}

std::string weights_text(const Evaluation& e) {
  if (!e.given.empty()) return sentence("Weights are those given; without --weights they are searched for.");
  if (!e.weights) return sentence("Weights: there are too few images to search for them.");
  const WeightSearch& found = *e.weights;
  return sentence(fmt::format("Weights, searched on half of the images ({}), judged on the other ({}; --seed {}): {}",
                              found.searched, found.equal.ranks.size(), e.seed,
                              weights_list(e.members, found.weights))) +
         head_text("") + row_text(found.equal, e.classes) + row_text(found.weighted, e.classes) +
         sentence(weights_verdict(found, e.combine));
}

nlohmann::json share_json(const Share& share) {
  const measure::Interval i = share.interval();
  return {{"value", share.value()}, {"low", i.low}, {"high", i.high}};
}

nlohmann::json judged_json(const Judged& judged, std::int64_t classes) {
  nlohmann::json j = {{"name", judged.name}, {"n", judged.ranks.size()}, {"top1", share_json(judged.top(1))}};
  j["top5"] = has_top5(judged, classes) ? share_json(judged.top(kFew)) : nlohmann::json();
  return j;
}

nlohmann::json weights_json(const Evaluation& e) {
  if (!e.weights) return nullptr;
  const WeightSearch& found = *e.weights;
  return {{"seed", e.seed},
          {"searched", found.searched},
          {"found", found.weights},
          {"equal", judged_json(found.equal, e.classes)},
          {"weighted", judged_json(found.weighted, e.classes)},
          {"paired",
           {{"only_weighted", found.paired.only_first},
            {"only_equal", found.paired.only_second},
            {"p", found.paired.p()},
            {"gain_shown", found.paired.first_is_better()}}}};
}

void judge_ensemble(const Answered& combined, const measure::Samples& all, Evaluation& e) {
  const std::vector<double> equal(combined.members.size(), 1.0);
  e.combine = combined.combine;
  e.given = combined.weights;
  e.ensemble = judge(ensemble_name(combined), combined, e.given.empty() ? equal : whole_parts(e.given), all);
  e.paired = measure::paired(e.ensemble->ranks, e.members[e.best].ranks);
  if (e.given.empty()) e.weights = search(combined, equal);
}

}  // namespace

Evaluation evaluation_of(const Answered& answered) {
  const std::size_t members = answered.members.size();
  const measure::Samples all = measure::all_samples(answered.labels.size());
  Evaluation e;
  e.model = answered.model;
  e.images = std::ssize(answered.labels);
  e.classes = answered.scores.front().classes;
  e.seed = answered.seed;
  for (std::size_t m = 0; m < members; ++m) {
    e.members.push_back({answered.members[m], measure::ranks(answered.scores, only(m, members), answered.labels, all)});
    if (e.members[m].top(1).hits > e.members[e.best].top(1).hits) e.best = m;
  }
  if (members == 1) return e;
  if (answered.combine == Combine::kVote) {
    judge_ensemble(voted(answered), all, e);
  } else {
    judge_ensemble(answered, all, e);
    if (const auto warning = mixed_scales(answered)) e.warnings.push_back(*warning);
  }
  return e;
}

std::string evaluation_text(const Evaluation& e) {
  std::string text = sentence(fmt::format("{}: {}, {} {}", e.model, images(e.images), e.classes,
                                          e.classes == 1 ? "class" : "classes")) +
                     "\n";
  text += head_text("");
  for (const Judged& member : e.members) text += row_text(member, e.classes);
  if (e.ensemble) text += row_text(*e.ensemble, e.classes);
  text += "\n" + sentence("In brackets: 95 % intervals (Wilson's score).");
  if (e.ensemble) text += ensemble_sentence(e) + "\n" + weights_text(e);
  return text;
}

nlohmann::json evaluation_json(const Evaluation& e) {
  nlohmann::json members = nlohmann::json::array();
  for (const Judged& member : e.members) members.push_back(judged_json(member, e.classes));
  nlohmann::json j = {
      {"schema", 1},         {"model", e.model},          {"n", e.images}, {"classes", e.classes}, {"members", members},
      {"ensemble", nullptr}, {"weights", weights_json(e)}};
  if (!e.ensemble) return j;
  j["ensemble"] = judged_json(*e.ensemble, e.classes);
  j["ensemble"]["combine"] = to_string(e.combine);
  j["ensemble"]["given_weights"] = e.given.empty() ? nlohmann::json() : nlohmann::json(e.given);
  j["ensemble"]["paired"] = {{"best_member", e.members[e.best].name},
                             {"only_ensemble", e.paired.only_first},
                             {"only_member", e.paired.only_second},
                             {"p", e.paired.p()}};
  return j;
}

}  // namespace assay::cli
