#pragma once
// Sums up what OpenVINO measured for each node, over all batches and slots of a session.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ov_api.hpp"

namespace assay::openvino {

/// Thread-safe.
class Profile {
 public:
  /// The nodes of one batch.
  void add(const ov_profiling_info_list& batch);
  [[nodiscard]] std::uint64_t batches() const;
  /// {"batches": n, "nodes": [{"name", "type", "implementation", "runs", "wall_us", "cpu_us"}, …]}: sums, in the order
  /// of execution; nodes that were optimized out have no runs.
  [[nodiscard]] std::string json() const;

 private:
  struct Node {
    std::string name, type, implementation;
    std::uint64_t runs = 0;
    std::int64_t wall_us = 0, cpu_us = 0;
  };
  mutable std::mutex mutex_;
  std::vector<Node> nodes_;
  std::map<std::string, std::size_t> index_;
  std::uint64_t batches_ = 0;
};

}  // namespace assay::openvino
