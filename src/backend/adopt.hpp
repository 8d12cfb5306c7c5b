#pragma once
// A session that the host made itself, behind the same boundary as a plugin's.

#include <memory>

#include "assay/backend_kit.hpp"
#include "backend/backend.hpp"

namespace assay::backend {

/// Its errors carry no context of ours: they say themselves whose they are.
BackendSession adopt(std::unique_ptr<kit::Session> session, LogFunction log);

}  // namespace assay::backend
