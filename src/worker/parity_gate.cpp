#include "worker/parity_gate.hpp"

#include <fmt/format.h>

#include "core/copy.hpp"
#include "worker/parity.hpp"
#include "worker/reference.hpp"

namespace assay::worker {
namespace {

ParityCheck make_check(const Request& request, const Session& session, const Reference& reference) {
  std::vector<std::string> names;
  std::vector<std::optional<int>> axes;
  for (const TensorInfo& output : session.outputs()) names.push_back(output.name);
  for (const ReferenceOutput& output : reference.outputs) axes.push_back(output.softmax_axis);
  const ParityRule rule{.tolerance = request.parity_tolerance,
                        .by_top1 = request.test_case.precision == Precision::kInt8};
  return {rule, names, axes};
}

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
  ParityCheck check = make_check(request, session, reference);
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
  result.values["parity.error"] = {parity.error};
  result.values["parity.samples"] = {static_cast<double>(samples)};
  if (parity.top1)
    result.values["parity.top1"] = {*parity.top1};
  else
    result.texts["remark.parity.top1"] =
        "no answer of the reference is sure beyond the tolerance, or there are no classes";
  result.texts["parity"] = fmt::format("against {}, {} seeded inputs, tolerance {:.0e}", reference.identity, samples,
                                       request.parity_tolerance);
}

}  // namespace assay::worker
