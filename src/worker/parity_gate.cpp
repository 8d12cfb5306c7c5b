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

void require_fit(const Request& request, const Session& session, const Reference& reference) {
  const auto samples = static_cast<std::size_t>(std::max(1, request.effort.parity_samples));
  std::string why;
  if (reference.data_key != parity_data_key(request)) why = "it was made of other inputs";
  if (reference.outputs.size() != session.outputs().size()) {
    why = fmt::format("it has {} outputs, the session {}", reference.outputs.size(), session.outputs().size());
  }
  for (const ReferenceOutput& output : reference.outputs) {
    if (output.samples.size() != samples)
      why = fmt::format("output {} has {} samples", output.name, output.samples.size());
  }
  if (why.empty()) return;
  throw Error(ErrorCode::kParity,
              "the reference does not belong to this case: " + why + "; remove it, it is made again",
              request.reference_file.string());
}

}  // namespace

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
  const std::int64_t samples = std::max(1, request.effort.parity_samples);
  const std::int64_t batch = engine::samples_per_batch(session);
  // Whole batches: what is verified is the shape that will be timed. Sample i is that of i mod `samples`.
  run_batches(session, parity_inputs(request, session), (samples + batch - 1) / batch,
              [&](std::int64_t first, std::int64_t count, std::span<const TensorView> views) {
                for_each_sample(session.outputs(), first, count, views,
                                [&](std::size_t output, std::int64_t sample, const TensorView& view) {
                                  const auto& expected = reference.outputs[output].samples;
                                  check.add(output, view, expected[static_cast<std::size_t>(sample % samples)].view());
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
