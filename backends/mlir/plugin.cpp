#include <dlfcn.h>

#include "compiler/code.hpp"
#include "cpu_features/cpu_device.hpp"
#include "session.hpp"

namespace assay::mlir_backend {

namespace {

std::string own_path() {
  Dl_info info{};
  return ::dladdr(reinterpret_cast<const void*>(&own_path), &info) != 0 ? info.dli_fname : "";
}

/// Empty, or why the library that was asked for cannot be had.
std::string refusal(const kit::Host& host) {
  if (host.library.empty() || host.library == own_path()) return "";
  return "the compiler is part of the plugin: no other library (" + host.library + ") can be used in its place";
}

}  // namespace

class MlirBackend : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "mlir"; }
  kit::Probe probe(const kit::Host& host) override {
    kit::Probe probe;
    probe.reason = refusal(host);
    if (!probe.reason.empty()) return probe;
    probe.available = true;
    probe.version = compiler::llvm_version();
    probe.library = own_path();
    probe.origin = "built in";
    probe.devices = {cpu_features::cpu_device(cpu_features::of_this_machine())};
    return probe;
  }
  std::span<const assay_option> options() override { return option_table(); }
  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override {
    if (const std::string why = refusal(request.host); !why.empty()) throw kit::Failure(ASSAY_UNAVAILABLE, why);
    return std::make_unique<MlirSession>(request);
  }
};

}  // namespace assay::mlir_backend

ASSAY_BACKEND(assay::mlir_backend::MlirBackend)
