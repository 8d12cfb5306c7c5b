#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "assay/assay.hpp"
#include "backend/backend.hpp"
#include "base/file.hpp"
#include "engine/cache_entry.hpp"
#include "engine/pipeline.hpp"
#include "engine/stream.hpp"
#include "model/model.hpp"

namespace assay {

/// All of a session. Its order is that of closing, backwards.
struct Session::Impl {
  Impl(engine::Layout made, backend::BackendSession opened, int places)
      : layout(std::move(made)), backend(std::move(opened)), pipeline(layout, backend, places) {}
  ~Impl() {
    std::unique_lock lock(mutex);
    idle.wait(lock, [this] { return asynchronous == 0; });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::unique_ptr<TemporaryFolder> model_folder;  // where the model was written for this session alone
  engine::EntryLock model_lock;                   // or that of the cache's entry that holds it
  engine::EntryLock cache_lock;                   // for as long as the backend may read the entry
  engine::Layout layout;
  backend::BackendSession backend;
  engine::Pipeline pipeline;
  std::vector<TensorInfo> inputs, outputs;
  std::string cache_remark;
  std::chrono::nanoseconds load_time{};
  // Calls of predict_async that have not ended: the session outlives them.
  std::mutex mutex;
  std::condition_variable idle;
  int asynchronous = 0;
};

namespace engine {

/// What a session is once its backend's is open. Opens a first unit, so that what is wrong shows early.
std::unique_ptr<Session::Impl> make_impl(Layout layout, backend::BackendSession opened, int places);

/// What was asked for, checked against the engine: what fails from here on is the graph's.
struct CheckedRequest {
  backend::Backend backend;
  backend::Probe probe;
  backend::Device device;
  backend::OpenRequest request;
  std::optional<Layout> layout;  ///< nothing where only the session will tell what the model takes
};

/// Throws Error where the engine is not here, or has not what was asked of it.
CheckedRequest checked_request(const model::Model& model, const Params& params, const LoadSettings& settings);
Session open_graph(const model::Model& model, const Params& params, CheckedRequest asked);

/// What `load` does once the model has been read: both.
Session open_model(const model::Model& model, const Params& params, const LoadSettings& settings);

/// "cpu", "gpu:0": what Params::device and Params::gpuid say together. Throws Error(kInvalidArgument) where they
/// differ.
std::string device_name(const Params& params);

}  // namespace engine
}  // namespace assay
