#include "backend/adopt.hpp"

#include <utility>

#include "backend/open.hpp"

namespace assay::backend {
namespace {

/// Sessions come ready-made: there is nothing to probe or open.
class HostMade final : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return ""; }
  kit::Probe probe(const kit::Host& /*host*/) override { return {}; }
  std::span<const assay_option> options() override { return {}; }
  std::unique_ptr<kit::Session> open(const kit::OpenRequest& /*request*/) override {
    throw kit::Failure(ASSAY_UNSUPPORTED, "a session of the host's own is not opened by a path");
  }
};

}  // namespace

BackendSession adopt(std::unique_ptr<kit::Session> session, LogFunction log) {
  auto open = std::make_unique<BackendSession::Open>();
  open->log = std::move(log);
  open->table = kit::detail::Table<HostMade>::query(ASSAY_ABI_VERSION);
  auto box = std::make_unique<kit::detail::SessionBox>();
  box->session = std::move(session);
  open->session = reinterpret_cast<assay_session*>(box.release());
  return BackendSession(std::move(open));
}

}  // namespace assay::backend
