#include "runner/reference.hpp"

#include <nlohmann/json.hpp>

#include "base/sha256.hpp"
#include "core/json.hpp"
#include "worker/rounded_models.hpp"

namespace assay::runner {
namespace {

/// Changes when what a reference worker does or writes changes.
constexpr int kFormat = 3;

}  // namespace

worker::Request reference_request(const Case& c, const ModelFacts& facts, const measure::Effort& effort) {
  worker::Request request;
  request.kind = worker::Request::Kind::kReference;
  request.test_case = c;
  request.test_case.backend = kReferenceBackend;
  request.test_case.device = kCpu;
  request.test_case.goal = Goal::kLatency;
  // What a batch answers together has no part for each of its samples.
  if (!facts.answers_together) request.test_case.batch_size = c.batch_size == 0 ? 0 : 1;
  request.test_case.in_flight = 1;
  request.test_case.precision = Precision::kFloat32;
  if (is_ensemble(c)) request.test_case.strategy = kSequential;
  request.test_case.placement = {};
  request.test_case.cache = false;
  request.test_case.options = {{"graph_optimization_level", "disabled"}};
  request.model = facts.path;
  request.members = facts.members;
  request.effort = effort;
  return request;
}

std::string reference_name(const worker::Request& request, const std::string& model_hash,
                           const std::string& reference_version) {
  Case of = request.test_case;
  of.model.clear();  // its content counts, not its name
  of.threads = 0;
  nlohmann::json identity = {{"case", to_json(of)},
                             {"model", model_hash},
                             {"samples", request.effort.parity_samples},
                             {"backend_version", reference_version},
                             {"format", kFormat}};
  if (worker::is_reduced(request.weights_rounded_to)) identity["rounded"] = to_string(request.weights_rounded_to);
  return sha256_of(identity.dump()).substr(0, 32) + ".reference";
}

}  // namespace assay::runner
