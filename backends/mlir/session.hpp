#pragma once
// A model, compiled by the compiler for each set of input shapes that is asked for.

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"
#include "compiler/program.hpp"
#include "kernel_cache.hpp"
#include "onnx_graph/graph.hpp"
#include "onnx_graph/inference.hpp"
#include "profile.hpp"
#include "run_pool.hpp"
#include "settings.hpp"

namespace assay::mlir_backend {

class MlirSession final : public kit::Session {
 public:
  explicit MlirSession(const kit::OpenRequest& request);

  kit::Description describe() override;
  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override;
  std::string report(const std::string& kind) override;

  /// A team that nobody else uses as long as this lives.
  class Lease {
   public:
    explicit Lease(MlirSession& session);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    [[nodiscard]] compiler::Team& team() const noexcept { return *team_; }

   private:
    MlirSession& session_;
    compiler::Team* team_;
  };

  [[nodiscard]] const std::vector<kit::TensorInfo>& inputs() const noexcept { return inputs_; }
  [[nodiscard]] const std::vector<kit::TensorInfo>& outputs() const noexcept { return outputs_; }
  /// nullptr: none was asked for.
  [[nodiscard]] Profile* profile() const noexcept { return profile_.get(); }

 private:
  using Shapes = std::map<std::string, compiler::Shape>;
  struct Compiled {
    std::shared_ptr<const compiler::Program> program;
    std::weak_ptr<RunPool> runs;  // as long as there are slots
  };
  /// Compiled if it was not; under the lock.
  [[nodiscard]] Compiled& program(const Shapes& shapes);
  [[nodiscard]] std::shared_ptr<RunPool> runs(const Shapes& shapes);
  [[nodiscard]] std::shared_ptr<const compiler::Program> compiled(const Shapes& shapes);
  [[nodiscard]] std::optional<CachedKernels> from_cache(const compiler::Plan& plan);
  void tune(const compiler::Graph& graph, compiler::Math math, compiler::Team& team);
  void compile_foreseen(const onnx_graph::Inference& inference);
  [[nodiscard]] onnx_graph::Inference inferred(const kit::OpenRequest& request, std::int64_t batch_size) const;
  void describe_tensors(const onnx_graph::Inference& inference);
  void free_the_batch(const onnx_graph::Inference& inference);

  kit::Host host_;
  Settings settings_;
  compiler::Target target_;
  std::unique_ptr<Profile> profile_;
  std::string cache_read_, cache_fill_;  // of the first program alone
  std::string model_name_;
  std::int64_t batch_size_;
  onnx_graph::Model model_;
  std::vector<kit::TensorInfo> inputs_, outputs_;

  std::vector<std::unique_ptr<compiler::Team>> teams_;
  std::mutex teams_mutex_;
  std::vector<compiler::Team*> idle_;
  std::counting_semaphore<> free_streams_;

  /// For describe, which may be called while it or another is compiled.
  struct Account {
    bool from_cache = false;             ///< the first program
    std::chrono::nanoseconds compile{};  ///< the last program's
    std::shared_ptr<const compiler::Tuning> tuning;
  };
  [[nodiscard]] Account account() const;
  mutable std::mutex account_mutex_;
  Account account_;

  std::mutex programs_mutex_;  // of all below, and of target_'s tuning
  std::map<Shapes, Compiled> programs_;
  compiler::PackedWeights packed_;  // of all programs
};

}  // namespace assay::mlir_backend
