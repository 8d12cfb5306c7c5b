#pragma once
// The plugin's class; plugin.cpp exports it.

#include <memory>
#include <span>

#include "assay/backend_kit.hpp"

namespace assay::tensorflow {

class TensorFlowBackend : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "tensorflow"; }
  kit::Probe probe(const kit::Host& host) override;
  std::span<const assay_option> options() override;
  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override;
  [[nodiscard]] std::uint32_t model_formats() const override {
    return ASSAY_MODEL_ONNX | ASSAY_MODEL_SAVED_MODEL | ASSAY_MODEL_GRAPH_DEF;
  }
};

}  // namespace assay::tensorflow
