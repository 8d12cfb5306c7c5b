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

std::string microseconds(std::int64_t ns) {
  constexpr double kNsOfUs = 1000;
  return number_text(static_cast<double>(ns) / kNsOfUs);
}

template <class Pairs, class Text>
std::string object_text(const Pairs& pairs, Text text) {
  std::string all;
  for (const auto& pair : pairs) all += (all.empty() ? "" : ", ") + text(pair);
  return "{" + all + "}";
}

/// `{"x": "1x3x32x32"}`
std::string shapes_text(const std::vector<compiler::Value>& inputs) {
  return object_text(inputs, [](const compiler::Value& v) {
    return kit::json_string(v.name) + ": " + kit::json_string(compiler::to_text(v.shape));
  });
}

std::string list_text(const std::vector<std::string>& texts, const char* between) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : between) + text;
  return "[" + all + "]";
}

std::string tuning_text(const compiler::Tuning& tuning) {
  std::vector<std::string> changed;
  for (const auto& [problem, tuned] : tuning.schedules) {
    changed.push_back("{\"convolution\": " + kit::json_string(problem) + ", \"model_us\": " +
                      microseconds(tuned.model_ns) + ", \"tuned_us\": " + microseconds(tuned.ns) + "}");
  }
  return "{\"different_convolutions\": " + std::to_string(tuning.problems) +
         ", \"measured\": " + std::to_string(tuning.measured) + ", \"changed\": " + list_text(changed, ",\n ") + "}";
}

std::string case_text(const ProfiledCase& of, const std::vector<std::string>& shapes) {
  std::string text = "\"backend\": \"mlir\", \"model\": " + kit::json_string(of.model);
  if (of.batch_size > 0) text += ", \"batch_size\": " + std::to_string(of.batch_size);
  text +=
      ", \"inputs\": " + list_text(shapes, ", ") + ",\n\"in_force\": " + object_text(of.in_force, [](const auto& p) {
        return kit::json_string(p.first) + ": " + kit::json_string(p.second);
      });
  return of.tuning == nullptr ? text : text + ",\n\"autotune\": " + tuning_text(*of.tuning);
}

}  // namespace

void Profile::add(const compiler::Plan& plan, std::span<const std::int64_t> step_ns) {
  const std::lock_guard lock(mutex_);
  ++batches_;
  if (plans_.insert(&plan).second) shapes_.push_back(shapes_text(plan.inputs));
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

std::string Profile::text_of(const Node& node, double peak) const {
  constexpr std::int64_t kNsOfUs = 1000;
  std::string text = "{\"name\": " + kit::json_string(node.name) + ", \"steps\": " + std::to_string(node.steps) +
                     ", \"wall_us\": " + std::to_string(node.ns / kNsOfUs) +
                     ", \"wall_us_per_batch\": " + microseconds(node.ns / batches_);
  if (!node.schedule.empty() && node.ns > 0) {
    const double rate = node.operations / static_cast<double>(node.ns);
    text += ", \"schedule\": " + kit::json_string(node.schedule) + ", \"gflop_per_s\": " + number_text(rate) +
            ", \"share_of_peak\": " + number_text(rate / peak);
  }
  return text + "}";
}

std::string Profile::json(const ProfiledCase& of) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> nodes;
  for (const Node& node : nodes_) nodes.push_back(text_of(node, of.peak));
  return "{" + case_text(of, shapes_) + ",\n\"batches\": " + std::to_string(batches_) +
         ", \"peak_gflop_per_s\": " + number_text(of.peak) + ", \"nodes\": " + list_text(nodes, ",\n ") + "}\n";
}

}  // namespace assay::mlir_backend
