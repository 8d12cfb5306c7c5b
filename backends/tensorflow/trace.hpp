#pragma once
// What TensorFlow says it ran: RunMetadata's step statistics, read to see which nodes ran, where, and whether XLA
// compiled.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace assay::tensorflow {

/// Thread-safe sums over the batches that were traced.
class Trace {
 public:
  /// A serialized RunMetadata (tensorflow/core/protobuf/config.proto).
  void add(std::string_view run_metadata);
  [[nodiscard]] std::uint64_t batches() const;
  /// Clusters that XLA compiled and ran, in the batches traced.
  [[nodiscard]] std::size_t clusters() const;
  /// Nodes that ran of those that grappler made of several: "_FusedConv2D", "_MklNativeFusedMatMul" …
  [[nodiscard]] std::size_t fused() const;
  /// Whether something ran that grappler's automatic mixed precision put there: without, all was f32.
  [[nodiscard]] bool mixed_precision() const;
  /// How much of the time in nodes was in those, compiling left out: 0 to 1.
  [[nodiscard]] double xla_share() const;
  /// {"devices": [{"device", "nodes"}], "xla_clusters": n, "xla_share": s}
  [[nodiscard]] std::string placement() const;
  /// {"batches": n, "nodes": [{"name", "type", "device", "runs", "wall_us"}, …]}, in the order of names: sums.
  [[nodiscard]] std::string profile() const;

 private:
  struct Node {
    std::string type, device;
    std::uint64_t runs = 0;
    std::int64_t wall_us = 0;
  };
  void add_device(std::string_view device_stats);
  void add_node(const std::string& device, std::string_view node_stats);

  mutable std::mutex mutex_;
  std::map<std::string, Node> nodes_;
  std::uint64_t batches_ = 0;
};

/// RunOptions that ask for the statistics, serialized.
std::string traced_run_options();

}  // namespace assay::tensorflow
