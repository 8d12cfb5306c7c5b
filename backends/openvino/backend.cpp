#include "backend.hpp"

#include "assay/backend_kit_framework.hpp"
#include "cpu_features/cpu_device.hpp"
#include "properties.hpp"
#include "runtime.hpp"
#include "session.hpp"

namespace assay::openvino {

kit::Probe OpenVinoBackend::probe(const kit::Host& host) {
  return kit::probe_by_opening(cpu_features::cpu_device(cpu_features::of_this_machine()),
                               [&]() -> const Runtime& { return open_runtime(host); });
}

std::span<const assay_option> OpenVinoBackend::options() { return option_table(); }

std::unique_ptr<kit::Session> OpenVinoBackend::open(const kit::OpenRequest& request) {
  return std::make_unique<OvSession>(open_runtime(request.host), request);
}

}  // namespace assay::openvino
