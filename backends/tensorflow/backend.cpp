#include "backend.hpp"

#include "assay/backend_kit_framework.hpp"
#include "cpu_features/cpu_device.hpp"
#include "runtime.hpp"
#include "session.hpp"
#include "settings.hpp"

namespace assay::tensorflow {

kit::Probe TensorFlowBackend::probe(const kit::Host& host) {
  kit::Probe probe = kit::probe_by_opening(cpu_features::cpu_device(cpu_features::of_this_machine()),
                                           [&]() -> const Runtime& { return open_runtime(host); });
  // The environment may have turned it off, and graphs in the cache differ with it.
  if (probe.available && !open_runtime(host).onednn) probe.devices.front().identity += " without oneDNN";
  return probe;
}

std::span<const assay_option> TensorFlowBackend::options() { return option_table(); }

std::unique_ptr<kit::Session> TensorFlowBackend::open(const kit::OpenRequest& request) {
  return std::make_unique<TfSession>(open_runtime(request.host), request);
}

}  // namespace assay::tensorflow
