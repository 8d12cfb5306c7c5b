#pragma once
// The compiler's account of itself: where the time of batches goes, and how far from the most that the cores can do.

#include <map>
#include <mutex>
#include <span>
#include <string>

#include "compiler/plan.hpp"

namespace assay::mlir_backend {

class Profile {
 public:
  /// Of a batch: nanoseconds of each step.
  void add(const compiler::Plan& plan, std::span<const std::int64_t> step_ns);
  /// JSON: batches, `peak_gflops` and by node, in the order of the first batch's steps: name, steps, microseconds of
  /// all batches; of convolutions and products the schedule, GFLOP/s of the definition's operations (Winograd's method
  /// does fewer) and their share of the peak. `peak`: operations a nanosecond.
  [[nodiscard]] std::string json(double peak) const;

 private:
  struct Node {
    std::string name, schedule;
    std::int64_t ns = 0, steps = 0;
    double operations = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t> by_name_;
  std::vector<Node> nodes_;
  std::int64_t batches_ = 0;
};

}  // namespace assay::mlir_backend
