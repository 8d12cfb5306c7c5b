#pragma once
// A model loaded by TensorFlow.

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"
#include "assay/backend_kit_framework.hpp"
#include "loaded_graph.hpp"
#include "settings.hpp"
#include "trace.hpp"

namespace assay::tensorflow {

class TfSession final : public kit::Session {
 public:
  TfSession(const Runtime& runtime, const kit::OpenRequest& request);

  kit::Description describe() override;
  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override;
  std::string report(const std::string& kind) override;

  [[nodiscard]] const Runtime& runtime() const { return runtime_; }
  [[nodiscard]] const Signature& signature() const { return loaded_.signature; }
  /// A batch computes while it holds one of these.
  [[nodiscard]] std::counting_semaphore<>& streams() const { return streams_; }
  /// Runs the graph. The first batch, and all when a profile is asked for, are traced.
  void run(std::span<const TF_Output> inputs, std::span<TF_Tensor* const> values, std::span<const TF_Output> outputs,
           std::span<TF_Tensor*> results) const;

 private:
  [[nodiscard]] std::string xla_in_force() const;

  const Runtime& runtime_;
  kit::LogScope log_;
  Settings settings_;
  bool profile_ = false, fixed_ = false;
  mutable std::counting_semaphore<> streams_;
  mutable std::atomic<bool> traced_{false};
  mutable Trace trace_;
  LoadedGraph loaded_;
};

}  // namespace assay::tensorflow
