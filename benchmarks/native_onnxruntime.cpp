// ONNX Runtime: one session; as many threads as batches outstanding, each of which runs the next batch.
#include "native_onnxruntime.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace assay::bench {
namespace {

using namespace assay::ort;  // NOLINT(google-build-using-namespace): the C interface

class OnnxRuntimeLoop final : public NativeLoop {
 public:
  explicit OnnxRuntimeLoop(const NativeSettings& s) : settings_(s), ort_(s.library), env_(ort_.make_env()) {
    OrtSessionOptions* options = nullptr;
    ort_.call<CreateSessionOptions>(&options);
    ort_.call<SetIntraOpNumThreads>(options, std::stoi(s.in_force.at("intra_op_threads")));
    ort_.call<AddSessionConfigEntry>(options, "session.intra_op.allow_spinning",
                                     s.in_force.at("spinning") == "true" ? "1" : "0");
    ort_.call<SetSessionGraphOptimizationLevel>(options, OptimizationLevel::kAll);
    ort_.call<CreateSession>(static_cast<const OrtEnv*>(env_), s.model.c_str(),
                             static_cast<const OrtSessionOptions*>(options), &session_);
    ort_.raw<ReleaseSessionOptions>(options);
    ort_.call<CreateCpuMemoryInfo>(kArenaAllocator, kMemTypeDefault, &memory_);
    ort_.call<CreateRunOptions>(&run_options_);
    bindings_.resize(static_cast<std::size_t>(s.in_flight));
    for (OrtIoBinding*& binding : bindings_) ort_.call<CreateIoBinding>(session_, &binding);
  }
  ~OnnxRuntimeLoop() override {
    for (OrtIoBinding* binding : bindings_) ort_.raw<ReleaseIoBinding>(binding);
    ort_.raw<ReleaseRunOptions>(run_options_);
    ort_.raw<ReleaseMemoryInfo>(memory_);
    ort_.raw<ReleaseSession>(session_);
  }

  void predict(const float* x, float* y, int batches) override {
    std::atomic<int> next{0};
    const auto serve = [&](OrtIoBinding* binding) {
      for (int b = next++; b < batches; b = next++) run(binding, x, y, b);
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < bindings_.size(); ++i) threads.emplace_back(serve, bindings_[i]);
    serve(bindings_[0]);
    for (std::thread& thread : threads) thread.join();
  }

 private:
  void run(OrtIoBinding* binding, const float* x, float* y, int batch) {
    OrtValue* in =
        ort_.wrap(memory_, const_cast<float*>(x) + batch * element_count(settings_.input_shape), settings_.input_shape);
    OrtValue* out = ort_.wrap(memory_, y + batch * element_count(settings_.output_shape), settings_.output_shape);
    ort_.call<BindInput>(binding, settings_.input.c_str(), static_cast<const OrtValue*>(in));
    ort_.call<BindOutput>(binding, settings_.output.c_str(), static_cast<const OrtValue*>(out));
    ort_.call<RunWithBinding>(session_, static_cast<const OrtRunOptions*>(run_options_),
                              static_cast<const OrtIoBinding*>(binding));
    ort_.raw<ReleaseValue>(in);
    ort_.raw<ReleaseValue>(out);
  }

  NativeSettings settings_;
  OrtTable ort_;
  OrtEnv* env_;  // one per process, never freed
  OrtSession* session_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
  OrtRunOptions* run_options_ = nullptr;
  std::vector<OrtIoBinding*> bindings_;
};

}  // namespace

std::unique_ptr<NativeLoop> native_onnxruntime(const NativeSettings& settings) {
  return std::make_unique<OnnxRuntimeLoop>(settings);
}

}  // namespace assay::bench
