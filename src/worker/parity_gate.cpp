#include "worker/parity_gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/copy.hpp"
#include "worker/parity.hpp"
#include "worker/reference.hpp"

namespace assay::worker {
namespace {

/// An output without a batch axis has one answer for each batch.
std::int64_t answers_wanted(const TensorInfo& output, const ParityBatches& batches) {
  return output.batch_axis < 0 ? batches.count : batches.samples;
}

void require_fit(const Request& request, const Session& session, const Reference& reference) {
  const ParityBatches batches = parity_batches(request, session);
  std::string why;
  if (reference.data_key != parity_data_key(request)) why = "it was made of other inputs";
  if (reference.outputs.size() != session.outputs().size()) {
    why = fmt::format("it has {} outputs, the session {}", reference.outputs.size(), session.outputs().size());
  }
  for (std::size_t o = 0; o < reference.outputs.size() && why.empty(); ++o) {
    const ReferenceOutput& output = reference.outputs[o];
    const std::int64_t wanted = answers_wanted(session.outputs()[o], batches);
    if (static_cast<std::int64_t>(output.samples.size()) == wanted) continue;
    why = fmt::format("output {} has {} answers, {} are wanted", output.name, output.samples.size(), wanted);
  }
  if (why.empty()) return;
  throw Error(ErrorCode::kParity,
              "the reference does not belong to this case: " + why + "; remove it, it is made again",
              request.reference_file.string());
}

/// What rounding the weights moves the reference by, as an error; 0 where that is not known, or no number.
double error_of_rounding(const Request& request, const Session& session, const Reference& reference,
                         const Reference& rounded) {
  require_fit(request, session, rounded);
  double worst = 0;
  for (std::size_t o = 0; o < reference.outputs.size(); ++o) {
    const ReferenceOutput &plain = reference.outputs[o], &moved = rounded.outputs[o];
    ParityCheck check({.tolerance = INFINITY}, {plain.name}, {plain.softmax_axis});
    for (std::size_t i = 0; i < plain.samples.size(); ++i)
      check.add(0, moved.samples[i].view(), plain.samples[i].view());
    worst = std::max(worst, check.result().error);
  }
  return std::isfinite(worst) ? worst : 0;
}

struct Judgement {
  double tolerance = 0, rounding = 0;
};

Judgement judgement_of(const Request& request, const Session& session, const Reference& reference) {
  Judgement judged{.tolerance = request.parity_tolerance};
  if (request.rounded_reference_file.empty()) return judged;
  judged.rounding = error_of_rounding(request, session, reference, read_reference(request.rounded_reference_file));
  judged.tolerance = conditioned_tolerance(request.parity_tolerance, judged.rounding);
  return judged;
}

ParityCheck make_check(const Request& request, const Session& session, const Reference& reference, double tolerance) {
  std::vector<std::string> names;
  std::vector<std::optional<int>> axes;
  for (const TensorInfo& output : session.outputs()) names.push_back(output.name);
  for (const ReferenceOutput& output : reference.outputs) axes.push_back(output.softmax_axis);
  const ParityRule rule{.tolerance = tolerance, .by_top1 = request.test_case.precision == Precision::kInt8};
  return {rule, names, axes};
}

/// Against what it was compared, and how closely; "unverified: …" where the network lets nothing be told.
std::string verdict_text(const Request& request, const Reference& reference, const Judgement& judged, double error) {
  const char* precision = to_string(request.test_case.precision);
  std::string text =
      fmt::format("against {}, {} seeded inputs", reference.identity, std::max(1, request.effort.parity_samples));
  if (!std::isfinite(judged.tolerance)) {
    return fmt::format(
        "unverified: differs by {:.1e} of the largest value {}, and rounding the weights alone to {} makes "
        "{:.1e}: a wrong answer could not be told from a rounded one",
        error, text, precision, judged.rounding);
  }
  text += fmt::format(", tolerance {:.0e}", judged.tolerance);
  if (judged.rounding > 0) {
    text += fmt::format("; rounding the weights alone to {} makes {:.1e}", precision, judged.rounding);
  }
  return text;
}

}  // namespace

ParityBatches parity_batches(const Request& request, const Session& session) {
  ParityBatches batches;
  batches.samples = std::max(1, request.effort.parity_samples);
  batches.size = engine::samples_per_batch(session);
  batches.count = (batches.samples + batches.size - 1) / batches.size;
  return batches;
}

void for_each_sample(const std::vector<TensorInfo>& outputs, std::int64_t first, std::int64_t count,
                     std::span<const TensorView> views,
                     const std::function<void(std::size_t, std::int64_t, const TensorView&)>& visit) {
  for (std::size_t o = 0; o < views.size(); ++o) {
    const int axis = outputs[o].batch_axis;
    for (std::int64_t k = 0; k < (axis < 0 ? 1 : count); ++k) {
      const TensorView one = axis < 0 ? views[o] : slice(views[o], static_cast<std::size_t>(axis), k, 1);
      Tensor copy(one.dtype, one.shape);
      copy_elements(one, copy.mutable_view());
      visit(o, first + k, copy.view());
    }
  }
}

void check_parity(const Request& request, Session& session, TaskResult& result) {
  if (request.reference_file.empty()) {
    result.texts["parity"] = "unverified: there was no reference";
    return;
  }
  const Reference reference = read_reference(request.reference_file);
  require_fit(request, session, reference);
  const Judgement judged = judgement_of(request, session, reference);
  ParityCheck check = make_check(request, session, reference, judged.tolerance);
  const ParityBatches batches = parity_batches(request, session);
  const std::int64_t samples = batches.samples;
  // Whole batches: what is verified is the shape that will be timed. Sample i is that of i mod `samples`.
  run_batches(session, parity_inputs(request, session), batches.count,
              [&](std::int64_t first, std::int64_t count, std::span<const TensorView> views) {
                for_each_sample(session.outputs(), first, count, views,
                                [&](std::size_t output, std::int64_t sample, const TensorView& view) {
                                  const bool by_batch = session.outputs()[output].batch_axis < 0;
                                  const std::int64_t i = by_batch ? first / batches.size : sample % samples;
                                  const auto& expected = reference.outputs[output].samples;
                                  check.add(output, view, expected[static_cast<std::size_t>(i)].view());
                                });
              });
  const ParityResult parity = check.result();
  if (!parity.failure.empty()) {
    throw Error(ErrorCode::kParity,
                fmt::format("{} (reference: {}, {} seeded inputs)", parity.failure, reference.identity, samples));
  }
  result.texts["parity"] = verdict_text(request, reference, judged, parity.error);
  if (!std::isfinite(judged.tolerance)) return;
  result.values["parity.error"] = {parity.error};
  result.values["parity.samples"] = {static_cast<double>(samples)};
  if (parity.top1)
    result.values["parity.top1"] = {*parity.top1};
  else
    result.texts["remark.parity.top1"] =
        "no answer of the reference is sure beyond the tolerance, or there are no classes";
}

}  // namespace assay::worker
