#include "cli/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "measure/weights.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

using measure::Paired;
using measure::Share;

constexpr std::int64_t kFew = 5;  // top-5
constexpr std::size_t kJudgedColumns = 34;
constexpr std::size_t kShareColumns = 22;

Judged judge(std::string name, const Answered& answered, const std::vector<double>& weights,
             const measure::Samples& samples) {
  return {std::move(name), measure::ranks(answered.scores, weights, answered.labels, samples)};
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

std::string row_text(const Judged& judged, std::int64_t classes) {
  const std::string top5 = classes > kFew ? share_text(judged.top(kFew)) : "–";
  return report::pad_right(report::cut(judged.name, kJudgedColumns - 1), kJudgedColumns) +
         report::pad_right(share_text(judged.top(1)), kShareColumns) + top5 + "\n";
}

std::string head_text(const std::string& title) {
  return report::pad_right(title, kJudgedColumns) + report::pad_right("top-1 %", kShareColumns) + "top-5 %\n";
}

std::string sentence(const std::string& text) { return report::wrap(text, report::kColumns) + "\n"; }

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
      fmt::format("Against its best member, {}, the ensemble alone is right about {} images, {} alone about "
                  "{} (McNemar's exact test, {}): {}.",
                  best, e.paired.only_first, best, e.paired.only_second, p_text(e.paired), verdict));
}

std::string weights_list(const std::vector<double>& weights) {
  std::vector<std::string> texts;
  for (const double w : weights) texts.push_back(fmt::format("{:.3g}", w));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string weights_verdict(const WeightSearch& found) {
  const bool equal = std::equal(found.weights.begin() + 1, found.weights.end(), found.weights.begin());
  if (equal) return "No weights were found that do better than equal ones.";
  const std::string counts = fmt::format(
      "On the second half the weighted mean alone is right about {} images, the plain one alone about {} "
      "(McNemar's exact test, {})",
      found.paired.only_first, found.paired.only_second, p_text(found.paired));
  if (found.paired.second_is_better()) return counts + ": the weights are worse than equal ones.";
  if (!found.paired.first_is_better()) return counts + ": no gain can be shown; equal weights will do.";
  return counts + ": the weights are better than equal ones.";
}

std::string weights_text(const Evaluation& e) {
  if (!e.weights) return sentence("Weights: there are too few images to search for them.");
  const WeightSearch& found = *e.weights;
  return sentence(fmt::format("Weights, searched on half of the images ({}), judged on the other ({}; --seed {}): {}",
                              found.searched, found.equal.ranks.size(), e.seed, weights_list(found.weights))) +
         head_text("") + row_text(found.equal, e.classes) + row_text(found.weighted, e.classes) +
         sentence(weights_verdict(found));
}

nlohmann::json share_json(const Share& share) {
  const measure::Interval i = share.interval();
  return {{"value", share.value()}, {"low", i.low}, {"high", i.high}};
}

nlohmann::json judged_json(const Judged& judged, std::int64_t classes) {
  nlohmann::json j = {{"name", judged.name}, {"n", judged.ranks.size()}, {"top1", share_json(judged.top(1))}};
  j["top5"] = classes > kFew ? share_json(judged.top(kFew)) : nlohmann::json();
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
    e.members.push_back(judge(answered.members[m], answered, only(m, members), all));
    if (e.members[m].top(1).hits > e.members[e.best].top(1).hits) e.best = m;
  }
  if (members == 1) return e;
  const std::vector<double> equal(members, 1.0);
  e.ensemble = judge("ensemble (mean)", answered, equal, all);
  e.paired = measure::paired(e.ensemble->ranks, e.members[e.best].ranks);
  e.weights = search(answered, equal);
  if (const auto warning = mixed_scales(answered)) e.warnings.push_back(*warning);
  return e;
}

std::string evaluation_text(const Evaluation& e) {
  std::string text = sentence(fmt::format("{}: {} images, {} classes", e.model, e.images, e.classes)) + "\n";
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
  j["ensemble"]["paired"] = {{"best_member", e.members[e.best].name},
                             {"only_ensemble", e.paired.only_first},
                             {"only_member", e.paired.only_second},
                             {"p", e.paired.p()}};
  return j;
}

}  // namespace assay::cli
