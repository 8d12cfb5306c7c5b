#include "assay/backend_kit.hpp"
#include "execution_provider.hpp"
#include "ort_library.hpp"
#include "ort_options.hpp"
#include "ort_session.hpp"

namespace assay::ort {
namespace {

class OrtBackend final : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "onnxruntime"; }

  kit::Probe probe(const kit::Host& host) override {
    kit::Probe result;
    try {
      const Library& library = Library::get(host);
      result.available = true;
      result.version = library.version();
      result.library = library.path();
      result.origin = library.origin();
      result.devices = devices(library, host, result.absent);
    } catch (const kit::Failure& failure) {
      if (failure.code() != ASSAY_UNAVAILABLE) throw;
      result.reason = failure.what();
    }
    return result;
  }

  std::span<const assay_option> options() override { return option_table(); }

  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override {
    return std::make_unique<OrtBackendSession>(Library::get(request.host), request);
  }
};

}  // namespace
}  // namespace assay::ort

ASSAY_BACKEND(assay::ort::OrtBackend)
