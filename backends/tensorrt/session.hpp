#pragma once
// A model loaded by TensorRT.

#include <memory>
#include <string>

#include "assay/backend_kit_framework.hpp"
#include "engine.hpp"
#include "options.hpp"

namespace assay::tensorrt {

class TrtSession final : public kit::Session {
 public:
  TrtSession(const Runtime& runtime, const nvidia::CudaRuntime& cuda, const kit::OpenRequest& request);
  kit::Description describe() override;
  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override;
  std::string report(const std::string& kind) override;
  void* allocate(assay_memory kind, std::uint64_t bytes) override;
  void release(assay_memory kind, void* data) override;

 private:
  void open_engine(const Runtime& runtime, const Place& place, const kit::OpenRequest& request);
  bool open_cached(const Runtime& runtime, const Place& place, const kit::OpenRequest& request);
  void build(const Runtime& runtime, const Place& place, const kit::OpenRequest& request);

  const nvidia::CudaRuntime& cuda_;
  const kit::LogScope log_scope_;
  const Settings settings_;
  const int useful_slots_;
  const int device_;
  bool from_cache_ = false;
  std::unique_ptr<LayerTimes> times_;  // null: not asked for
  std::unique_ptr<Engine> engine_;
};

}  // namespace assay::tensorrt
