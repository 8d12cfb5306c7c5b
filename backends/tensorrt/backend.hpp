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
};

}  // namespace assay::tensorrt
