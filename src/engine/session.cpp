#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/session_impl.hpp"
#include "engine/work.hpp"

namespace assay {
namespace {

using engine::Layout;
using engine::Pipeline;
using engine::TensorLayout;

/// What a call to predict amounts to.
Pipeline::Run run_of(const Layout& layout, std::int64_t samples, std::span<const TensorView> x) {
  Pipeline::Run run;
  run.samples = samples;
  run.batch = layout.batch_size > 0 ? layout.batch_size : samples;
  if (layout.batch_size == 0) run.whole = x;
  return run;
}

/// Samples in each batch of a stream of so many.
std::int64_t batch_of_stream(const Layout& layout, std::int64_t samples) {
  if (layout.batch_size > 0 || samples < 0) return layout.stream_batch;
  return layout.batched ? samples : 1;
}

void run_predict(Session::Impl& impl, engine::PredictWork& work, Pipeline::Run run) {
  // With one place and all memory in place there is nothing to do beside the computing: no other thread is woken.
  run.overlap = run.overlap && (impl.pipeline.places() > 1 || !work.all_in_place(run.batch));
  impl.pipeline.run(work, run);
}

void predict_into(Session::Impl& impl, std::span<const TensorView> x, std::span<const MutableTensorView> y,
                  bool overlap) {
  const Layout& layout = impl.layout;
  engine::check_not_in_callback(layout);
  const std::int64_t samples = engine::check_inputs(layout, x);
  engine::check_outputs(layout, samples, x, y);
  Pipeline::Run run = run_of(layout, samples, x);
  engine::check_divisible(layout, samples, run.batch);
  if (samples == 0) return;
  run.overlap = overlap;
  engine::PredictWork work(layout, samples, x, y);
  run_predict(impl, work, run);
}

/// predict into memory of its own.
std::vector<Tensor> predict_new(Session::Impl& impl, std::span<const TensorView> x) {
  const Layout& layout = impl.layout;
  engine::check_not_in_callback(layout);
  const std::int64_t samples = engine::check_inputs(layout, x);
  const Pipeline::Run run = run_of(layout, samples, x);
  engine::check_divisible(layout, samples, run.batch);
  std::vector<Tensor> result;
  std::vector<MutableTensorView> y;
  for (const TensorLayout& t : layout.outputs) {
    result.push_back(t.sized ? Tensor(t.info.dtype, t.with_count(samples)) : Tensor());
    y.push_back(t.sized ? result.back().mutable_view() : MutableTensorView{nullptr, t.info.dtype, {}, {}});
  }
  engine::PredictWork work(layout, samples, x, y);
  if (samples > 0) run_predict(impl, work, run);
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (!layout.outputs[i].sized) result[i] = work.collected(i);
  }
  return result;
}

/// A call that is still to come or under way: the session waits for it before it goes.
class Asynchronous {
 public:
  explicit Asynchronous(Session::Impl& impl) : impl_(&impl) {
    const std::lock_guard lock(impl.mutex);
    ++impl.asynchronous;
  }
  Asynchronous(Asynchronous&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
  Asynchronous& operator=(Asynchronous&&) = delete;
  ~Asynchronous() {
    if (impl_ == nullptr) return;
    const std::lock_guard lock(impl_->mutex);
    if (--impl_->asynchronous == 0) impl_->idle.notify_all();
  }
  [[nodiscard]] Session::Impl& impl() const { return *impl_; }

 private:
  Session::Impl* impl_;
};

}  // namespace

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const std::vector<TensorInfo>& Session::inputs() const { return impl_->inputs; }
const std::vector<TensorInfo>& Session::outputs() const { return impl_->outputs; }
std::map<std::string, std::string> Session::in_force() const { return impl_->backend.in_force(); }
int Session::in_flight() const { return impl_->pipeline.places(); }
bool Session::from_cache() const { return impl_->backend.info().from_cache; }
const std::string& Session::cache_remark() const { return impl_->cache_remark; }
std::chrono::nanoseconds Session::load_time() const { return impl_->load_time; }
std::string Session::report(const std::string& kind) { return impl_->backend.report(kind); }

std::vector<Tensor> Session::predict(std::span<const TensorView> x) { return predict_new(*impl_, x); }

void Session::predict(std::span<const TensorView> x, std::span<const MutableTensorView> y) {
  predict_into(*impl_, x, y, true);
}

std::future<std::vector<Tensor>> Session::predict_async(std::vector<TensorView> x) {
  std::packaged_task<std::vector<Tensor>()> task([views = std::move(x), call = Asynchronous(*impl_)]() mutable {
    const Asynchronous mine = std::move(call);  // ends with the call; the lambda lives as long as the future
    return predict_new(mine.impl(), views);
  });
  std::future<std::vector<Tensor>> result = task.get_future();
  try {
    std::thread(std::move(task)).detach();
  } catch (const std::system_error& e) {
    throw Error(ErrorCode::kOutOfMemory, std::string("no thread could be started: ") + e.what());
  }
  return result;
}

PredictTiming Session::predict_stream(std::int64_t samples, const FillFunction& fill, const DrainFunction& drain) {
  if (samples < 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a stream of {} samples was asked: it must be 0 or more", samples));
  }
  if (drain && samples > 0) {  // a drain puts the batches' outputs together
    const Layout& layout = impl_->layout;
    engine::check_divisible(layout, samples, batch_of_stream(layout, samples));
  }
  engine::StreamSettings settings;
  settings.samples = samples;
  return engine::run_stream(*this, settings, fill, drain);
}

namespace engine {

void predict_alone(Session& session, std::span<const TensorView> x, std::span<const MutableTensorView> y) {
  predict_into(session.impl(), x, y, false);
}

PredictTiming run_stream(Session& session, const StreamSettings& settings, const FillFunction& fill,
                         const DrainFunction& drain) {
  const Layout& layout = session.impl().layout;
  check_not_in_callback(layout);
  layout.require_whole_shapes();
  if (settings.samples == 0) return {};
  Pipeline::Run run;
  run.samples = settings.samples;
  run.batch = batch_of_stream(layout, settings.samples);
  run.overlap = settings.overlap;
  run.stop = &settings.stop;
  run.observer = &settings.observer;
  StreamWork work(layout, fill, drain);
  return session.impl().pipeline.run(work, run);
}

std::int64_t samples_per_batch(const Session& session) { return session.impl().layout.stream_batch; }

}  // namespace engine
}  // namespace assay
