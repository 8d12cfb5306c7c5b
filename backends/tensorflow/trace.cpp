#include "trace.hpp"

#include <set>

#include "assay/backend_kit_json.hpp"
#include "wire.hpp"

namespace assay::tensorflow {
namespace {

// Field numbers of config.proto and step_stats.proto.
constexpr int kTraceLevel = 1;  // RunOptions
constexpr int kSoftwareTrace = 1;
constexpr int kStepStats = 1;                                                              // RunMetadata
constexpr int kDeviceStats = 1;                                                            // StepStats
constexpr int kDevice = 1, kNodeStats = 2;                                                 // DeviceStepStats
constexpr int kStatsName = 1, kOperationStart = 3, kOperationEnd = 4, kTimelineLabel = 8;  // NodeExecStats

constexpr std::string_view kXlaRun = "_XlaRun", kXlaCompile = "_XlaCompile";

/// "name = Type(inputs)".
std::string type_in(std::string_view label) {
  const std::size_t equals = label.find(" = ");
  if (equals == std::string_view::npos) return "";
  const std::string_view rest = label.substr(equals + 3);
  return std::string(rest.substr(0, rest.find('(')));
}

}  // namespace

std::string traced_run_options() { return MessageWriter().integer(kTraceLevel, kSoftwareTrace).bytes(); }

void Trace::add(std::string_view run_metadata) {
  const std::lock_guard lock(mutex_);
  ++batches_;
  for (MessageReader metadata(run_metadata); metadata.next();) {
    if (metadata.field() != kStepStats) continue;
    for (MessageReader stats(metadata.bytes()); stats.next();) {
      if (stats.field() == kDeviceStats) add_device(stats.bytes());
    }
  }
}

void Trace::add_device(std::string_view device_stats) {
  std::string device;
  for (MessageReader fields(device_stats); fields.next();) {
    if (fields.field() == kDevice) device = fields.bytes();
  }
  for (MessageReader fields(device_stats); fields.next();) {
    if (fields.field() == kNodeStats) add_node(device, fields.bytes());
  }
}

void Trace::add_node(const std::string& device, std::string_view node_stats) {
  std::string name, label;
  std::int64_t start = 0, end = 0;
  for (MessageReader fields(node_stats); fields.next();) {
    switch (fields.field()) {
      case kStatsName:
        name = fields.bytes();
        break;
      case kTimelineLabel:
        label = fields.bytes();
        break;
      case kOperationStart:
        start = fields.integer();
        break;
      case kOperationEnd:
        end = fields.integer();
        break;
      default:
        break;
    }
  }
  Node& node = nodes_[name];
  node.type = type_in(label);
  node.device = device;
  ++node.runs;
  node.wall_us += end - start;
}

std::uint64_t Trace::batches() const {
  const std::lock_guard lock(mutex_);
  return batches_;
}

std::size_t Trace::clusters() const {
  const std::lock_guard lock(mutex_);
  std::size_t n = 0;
  for (const auto& [name, node] : nodes_) n += node.type == kXlaRun ? 1 : 0;
  return n;
}

std::size_t Trace::fused() const {
  const std::lock_guard lock(mutex_);
  std::size_t n = 0;
  for (const auto& [name, node] : nodes_) n += node.type.find("Fused") != std::string::npos ? 1 : 0;
  return n;
}

bool Trace::mixed_precision() const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, node] : nodes_) {
    if (name.find("AutoMixedPrecision") != std::string::npos) return true;
  }
  return false;
}

double Trace::xla_share() const {
  const std::lock_guard lock(mutex_);
  std::int64_t all = 0, compiled = 0;
  for (const auto& [name, node] : nodes_) {
    if (node.type != kXlaCompile) all += node.wall_us;
    if (node.type == kXlaRun) compiled += node.wall_us;
  }
  return all > 0 ? static_cast<double>(compiled) / static_cast<double>(all) : 0;
}

std::string Trace::placement() const {
  const std::size_t compiled = clusters();
  const double share = xla_share();
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::size_t> devices;
  for (const auto& [name, node] : nodes_) ++devices[node.device];
  std::string text = "{\"devices\": [";
  for (const auto& [device, nodes] : devices) {
    if (text.back() != '[') text += ", ";
    text += "{\"device\": " + kit::json_string(device) + ", \"nodes\": " + std::to_string(nodes) + "}";
  }
  return text + "], \"xla_clusters\": " + std::to_string(compiled) + ", \"xla_share\": " + std::to_string(share) + "}";
}

std::string Trace::profile() const {
  const std::lock_guard lock(mutex_);
  std::string text = "{\"batches\": " + std::to_string(batches_) + ", \"nodes\": [";
  for (const auto& [name, node] : nodes_) {
    if (text.back() != '[') text += ", ";
    text += "{\"name\": " + kit::json_string(name) + ", \"type\": " + kit::json_string(node.type) +
            ", \"device\": " + kit::json_string(node.device) + ", \"runs\": " + std::to_string(node.runs) +
            ", \"wall_us\": " + std::to_string(node.wall_us) + "}";
  }
  return text + "]}";
}

}  // namespace assay::tensorflow
