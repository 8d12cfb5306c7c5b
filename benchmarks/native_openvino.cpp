// OpenVINO: a pool of infer requests; whichever is done takes the next batch (as its own benchmark_app does).
#include <condition_variable>
#include <mutex>
#include <vector>

#include "native.hpp"
#include "openvino/ov_api.hpp"

namespace assay::bench {
namespace {

using namespace assay::openvino;  // NOLINT(google-build-using-namespace): the C interface

class OpenVinoLoop final : public NativeLoop {
 public:
  explicit OpenVinoLoop(const NativeSettings& s)
      : settings_(s), ov_(resolve(open_native(s.library), s.library.c_str())) {
    check(ov_.core_create(&core_));
    compile();
    check(ov_.compiled_model_input_by_name(compiled_, s.input.c_str(), &in_));
    check(ov_.compiled_model_output_by_name(compiled_, s.output.c_str(), &out_));
    for (int i = 0; i < s.in_flight; ++i) lanes_.push_back({this, static_cast<std::size_t>(i), nullptr, {}});
    for (Lane& lane : lanes_) {
      check(ov_.compiled_model_create_infer_request(compiled_, &lane.request));
      lane.callback = {done, &lane};
      if (lanes_.size() > 1) check(ov_.infer_request_set_callback(lane.request, &lane.callback));
    }
  }
  ~OpenVinoLoop() override {
    for (Lane& lane : lanes_) ov_.infer_request_free(lane.request);
    ov_.output_const_port_free(in_);
    ov_.output_const_port_free(out_);
    ov_.compiled_model_free(compiled_);
    ov_.core_free(core_);
  }

  void predict(const float* x, float* y, int batches) override {
    if (lanes_.size() == 1) {
      for (int b = 0; b < batches; ++b) {
        bind(lanes_[0], x, y, b);
        check(ov_.infer_request_infer(lanes_[0].request));
      }
      return;
    }
    int begun = 0;
    const auto begin = [&](Lane& lane) {
      bind(lane, x, y, begun++);
      check(ov_.infer_request_start_async(lane.request));
    };
    for (std::size_t l = 0; l < lanes_.size() && begun < batches; ++l) begin(lanes_[l]);
    for (int ended = 0; ended < batches; ++ended) {
      std::unique_lock lock(mutex_);
      signal_.wait(lock, [this] { return !finished_.empty(); });
      Lane& lane = lanes_[finished_.back()];
      finished_.pop_back();
      lock.unlock();
      check(ov_.infer_request_wait(lane.request));
      if (begun < batches) begin(lane);
    }
  }

 private:
  struct Lane {
    OpenVinoLoop* loop;
    std::size_t index;
    ov_infer_request* request;
    ov_callback callback;
  };
  static void done(void* user) {
    Lane& lane = *static_cast<Lane*>(user);
    const std::lock_guard lock(lane.loop->mutex_);
    lane.loop->finished_.push_back(lane.index);
    lane.loop->signal_.notify_one();
  }
  void check(Status status) const {
    if (status != kOk) native_failure(ov_.get_last_err_msg());
  }
  void compile() {
    ov_model* model = nullptr;
    check(ov_.core_read_model(core_, settings_.model.c_str(), nullptr, &model));
    std::vector<ov_dimension> dims;
    for (const std::int64_t d : settings_.input_shape) dims.push_back({d, d});
    const auto rank = static_cast<std::int64_t>(dims.size());
    const ov_partial_shape shape{{rank, rank}, dims.data()};
    const char* name = settings_.input.c_str();
    check(ov_.model_reshape(model, &name, &shape, 1));
    const std::string requests = std::to_string(settings_.in_flight);
    constexpr std::size_t kArguments = 8;
    check(ov_.core_compile_model(core_, model, "CPU", kArguments, &compiled_, "PERFORMANCE_HINT",
                                 settings_.goal == Goal::kLatency ? "LATENCY" : "THROUGHPUT",
                                 "PERFORMANCE_HINT_NUM_REQUESTS", requests.c_str(), "INFERENCE_NUM_THREADS",
                                 settings_.in_force.at("threads").c_str(), "INFERENCE_PRECISION_HINT", "f32"));
    ov_.model_free(model);
  }
  void set(ov_infer_request* request, const ov_output_const_port* port, float* data, Shape& shape) {
    ov_tensor* tensor = nullptr;
    check(ov_.tensor_create_from_host_ptr(static_cast<int>(ElementType::kF32),
                                          {static_cast<std::int64_t>(shape.size()), shape.data()}, data, &tensor));
    check(ov_.infer_request_set_tensor_by_const_port(request, port, tensor));
    ov_.tensor_free(tensor);
  }
  void bind(Lane& lane, const float* x, float* y, int batch) {
    set(lane.request, in_, const_cast<float*>(x) + batch * element_count(settings_.input_shape), settings_.input_shape);
    set(lane.request, out_, y + batch * element_count(settings_.output_shape), settings_.output_shape);
  }

  NativeSettings settings_;
  Api ov_;
  ov_core* core_ = nullptr;
  ov_compiled_model* compiled_ = nullptr;
  ov_output_const_port *in_ = nullptr, *out_ = nullptr;
  std::vector<Lane> lanes_;
  std::mutex mutex_;
  std::condition_variable signal_;
  std::vector<std::size_t> finished_;
};

}  // namespace

std::unique_ptr<NativeLoop> native_openvino(const NativeSettings& settings) {
  return std::make_unique<OpenVinoLoop>(settings);
}

}  // namespace assay::bench
