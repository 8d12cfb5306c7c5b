#include "compiler/code.hpp"
#include "cpu_features/cpu_device.hpp"
#include "session.hpp"

namespace assay::mlir_backend {

class MlirBackend : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "mlir"; }
  kit::Probe probe(const kit::Host& /*host*/) override {
    kit::Probe probe;
    probe.available = true;  // the compiler is part of the plugin
    probe.version = compiler::llvm_version();
    probe.origin = "built in";
    probe.devices = {cpu_features::cpu_device(cpu_features::of_this_machine())};
    return probe;
  }
  std::span<const assay_option> options() override { return option_table(); }
  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override {
    return std::make_unique<MlirSession>(request);
  }
};

}  // namespace assay::mlir_backend

ASSAY_BACKEND(assay::mlir_backend::MlirBackend)
