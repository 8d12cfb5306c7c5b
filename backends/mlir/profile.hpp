#pragma once
// The compiler's account of itself: where the time of batches goes, and how far from the most that the cores can do.

#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/plan.hpp"
#include "compiler/tuning.hpp"

namespace assay::mlir_backend {

/// What a profile is of.
struct ProfiledCase {
  std::string model;            ///< its file's name
  std::int64_t batch_size = 0;  ///< that was asked for; 0: none was
  std::vector<std::pair<std::string, std::string>> in_force;
  std::shared_ptr<const compiler::Tuning> tuning;  ///< nullptr: none was asked for
  double peak = 0;                                 ///< operations a nanosecond
};

class Profile {
 public:
  /// Of a batch: nanoseconds of each step. The plan stays where it is.
  void add(const compiler::Plan& plan, std::span<const std::int64_t> step_ns);
  /// JSON. First what it is of: backend, model, batch_size, the shapes of the inputs that ran, what is in force, and
  /// what autotune found. Then batches, peak_gflop_per_s, and by node, in the order of the first batch's steps: name,
  /// steps and microseconds of all batches, microseconds of one; of convolutions and products the schedule, GFLOP/s of
  /// the definition's operations (Winograd's method does fewer) and their share of the peak.
  [[nodiscard]] std::string json(const ProfiledCase& of) const;

 private:
  struct Node {
    std::string name, schedule;
    std::int64_t ns = 0, steps = 0;
    double operations = 0;
  };
  [[nodiscard]] std::string text_of(const Node& node, double peak) const;

  mutable std::mutex mutex_;
  std::set<const compiler::Plan*> plans_;  // whose shapes are there
  std::vector<std::string> shapes_;        // of inputs, JSON
  std::map<std::string, std::size_t> by_name_;
  std::vector<Node> nodes_;
  std::int64_t batches_ = 0;
};

}  // namespace assay::mlir_backend
