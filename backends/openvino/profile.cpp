#include "profile.hpp"

#include "assay/backend_kit_json.hpp"

namespace assay::openvino {
namespace {

constexpr int kExecuted = 2;

std::string or_empty(const char* text) { return text != nullptr ? text : ""; }

}  // namespace

void Profile::add(const ov_profiling_info_list& batch) {
  const std::lock_guard lock(mutex_);
  ++batches_;
  for (std::size_t i = 0; i < batch.size; ++i) {
    const ov_profiling_info& info = batch.infos[i];
    const std::string name = or_empty(info.node_name);
    const auto [it, is_new] = index_.try_emplace(name, nodes_.size());
    if (is_new) nodes_.push_back({name, or_empty(info.node_type), or_empty(info.exec_type)});
    if (info.status != kExecuted) continue;
    Node& node = nodes_[it->second];
    ++node.runs;
    node.wall_us += info.real_time;
    node.cpu_us += info.cpu_time;
  }
}

std::uint64_t Profile::batches() const {
  const std::lock_guard lock(mutex_);
  return batches_;
}

std::string Profile::json() const {
  const std::lock_guard lock(mutex_);
  std::string text = "{\"batches\": " + std::to_string(batches_) + ", \"nodes\": [";
  for (const Node& node : nodes_) {
    if (&node != nodes_.data()) text += ", ";
    text += "{\"name\": " + kit::json_string(node.name) + ", \"type\": " + kit::json_string(node.type) +
            ", \"implementation\": " + kit::json_string(node.implementation) +
            ", \"runs\": " + std::to_string(node.runs) + ", \"wall_us\": " + std::to_string(node.wall_us) +
            ", \"cpu_us\": " + std::to_string(node.cpu_us) + "}";
  }
  return text + "]}";
}

}  // namespace assay::openvino
