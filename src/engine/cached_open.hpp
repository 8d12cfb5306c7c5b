#pragma once

#include <string>

#include "backend/backend.hpp"
#include "engine/graph_cache.hpp"
#include "model/model.hpp"

namespace assay::engine {

struct Opened {
  backend::BackendSession session;
  EntryLock lock;
  std::string remark;  ///< Session::cache_remark
};

/// Opens with the graph cache in params.cache where one is named; what goes wrong with the cache is a warning.
Opened open_cached(const model::Model& model, const Params& params, const backend::Backend& backend,
                   const backend::Probe& probe, const backend::Device& device, backend::OpenRequest request);

/// What the graph depends on.
KeyParts key_parts(const std::string& model_hash, const backend::Backend& backend, const backend::Probe& probe,
                   const backend::Device& device, const backend::OpenRequest& request);

}  // namespace assay::engine
