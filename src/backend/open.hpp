#pragma once
// What the host's translation units share about an open session.

#include <algorithm>
#include <mutex>
#include <utility>

#include "backend/backend.hpp"
#include "backend/status.hpp"

namespace assay::backend {

struct BackendSession::Open {
  Open() = default;
  ~Open();
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

  LogFunction log;  // called by the framework until the session is closed; this struct never moves
  const assay_backend_table* table = nullptr;
  assay_session* session = nullptr;
  mutable std::mutex mutex;  // a report's text lives until the next report
};

}  // namespace assay::backend
