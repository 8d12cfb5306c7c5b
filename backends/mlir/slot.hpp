#pragma once
// One batch under way, on the caller's memory.

#include <memory>
#include <vector>

#include "session.hpp"

namespace assay::mlir_backend {

class MlirSlot final : public kit::BlockingSlot {
 public:
  MlirSlot(MlirSession& session, std::shared_ptr<RunPool> runs);
  ~MlirSlot() override { stop(); }
  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user) override;

 protected:
  void run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) override;

 private:
  void check(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) const;

  [[nodiscard]] const compiler::Plan& plan() const noexcept { return runs_->program().plan(); }

  MlirSession& session_;
  std::shared_ptr<RunPool> runs_;
  std::vector<compiler::AlignedMemory> own_;  // of outputs for which the caller gives none
  std::vector<void*> inputs_, outputs_;
};

}  // namespace assay::mlir_backend
