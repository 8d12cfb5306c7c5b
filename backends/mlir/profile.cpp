#include "profile.hpp"

#include <cstdio>

#include "assay/backend_kit_json.hpp"

namespace assay::mlir_backend {
namespace {

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

void Profile::add(const compiler::Plan& plan, std::span<const std::int64_t> step_ns) {
  const std::lock_guard lock(mutex_);
  ++batches_;
  for (std::size_t i = 0; i < step_ns.size(); ++i) {
    const compiler::Step& step = plan.steps[i];
    const auto [at, is_new] = by_name_.try_emplace(step.label, nodes_.size());
    if (is_new) nodes_.push_back({step.label, {}});
    Node& node = nodes_[at->second];
    node.ns += step_ns[i];
    ++node.steps;
    node.operations += step.operations;
    if (!step.schedule.empty()) node.schedule = step.schedule;
  }
}

std::string Profile::json(double peak) const {
  const std::lock_guard lock(mutex_);
  std::string text =
      "{\"batches\": " + std::to_string(batches_) + ", \"peak_gflops\": " + number_text(peak) + ", \"nodes\": [";
  for (const Node& node : nodes_) {
    constexpr std::int64_t kNsOfUs = 1000;
    if (&node != &nodes_.front()) text += ", ";
    text += "{\"name\": " + kit::json_string(node.name) + ", \"steps\": " + std::to_string(node.steps) +
            ", \"wall_us\": " + std::to_string(node.ns / kNsOfUs);
    if (!node.schedule.empty() && node.ns > 0) {
      const double rate = node.operations / static_cast<double>(node.ns);
      text += ", \"schedule\": " + kit::json_string(node.schedule) + ", \"gflops\": " + number_text(rate) +
              ", \"of_peak\": " + number_text(rate / peak);
    }
    text += "}";
  }
  return text + "]}";
}

}  // namespace assay::mlir_backend
