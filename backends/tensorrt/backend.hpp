#pragma once
// The plugin's class; plugin.cpp exports it.

#include <memory>
#include <span>

#include "assay/backend_kit.hpp"

namespace assay::tensorrt {

class TensorRtBackend : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "tensorrt"; }
  kit::Probe probe(const kit::Host& host) override;
  std::span<const assay_option> options() override;
  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override;
  /// What is compared with and without batches in flight beside each other is then one engine, not two that were built
  /// apart, from kernels that were timed apart.
  [[nodiscard]] std::uint32_t graph_ignores() const override {
    return ASSAY_GRAPH_IGNORES_GOAL | ASSAY_GRAPH_IGNORES_IN_FLIGHT;
  }
};

}  // namespace assay::tensorrt
