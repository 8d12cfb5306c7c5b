// ONNX Runtime: one session; as many threads as batches outstanding, each of which runs the next batch.
#include <dlfcn.h>

#include <atomic>
#include <thread>
#include <vector>

#include "native.hpp"
#include "onnxruntime/ort_api.hpp"

namespace assay::bench {
namespace {

using namespace assay::ort;  // NOLINT(google-build-using-namespace): the C interface

class Table {
 public:
  explicit Table(const std::string& library) {
    auto* base = reinterpret_cast<GetApiBase*>(::dlsym(open_native(library), "OrtGetApiBase"));
    if (base == nullptr) native_failure(library + " has no OrtGetApiBase");
    functions_ = base()->get_api(kApiRequired);
  }
  template <class E, class... Arguments>
  auto raw(Arguments... arguments) const {
    auto* function = reinterpret_cast<typename E::Signature*>(const_cast<void*>(functions_[E::kIndex]));  // NOLINT
    return function(arguments...);
  }
  template <class E, class... Arguments>
  void call(Arguments... arguments) const {
    if (OrtStatus* status = raw<E>(arguments...)) native_failure(raw<GetErrorMessage>(status));
  }

 private:
  const void* const* functions_ = nullptr;
};

void ignore(void* /*user*/, ort::LogLevel /*level*/, const char* /*category*/, const char* /*id*/,
            const char* /*where*/, const char* /*message*/) {}

class OnnxRuntimeLoop final : public NativeLoop {
 public:
  explicit OnnxRuntimeLoop(const NativeSettings& s) : settings_(s), ort_(s.library) {
    ort_.call<CreateEnvWithCustomLogger>(ignore, nullptr, ort::LogLevel::kError, "native", &env_);
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
  OrtValue* wrap(float* data, const Shape& shape) {
    OrtValue* value = nullptr;
    ort_.call<CreateTensorWithDataAsOrtValue>(static_cast<const OrtMemoryInfo*>(memory_), static_cast<void*>(data),
                                              static_cast<std::size_t>(element_count(shape)) * sizeof(float),
                                              shape.data(), shape.size(), static_cast<int>(DType::kFloat32), &value);
    return value;
  }
  void run(OrtIoBinding* binding, const float* x, float* y, int batch) {
    OrtValue* in = wrap(const_cast<float*>(x) + batch * element_count(settings_.input_shape), settings_.input_shape);
    OrtValue* out = wrap(y + batch * element_count(settings_.output_shape), settings_.output_shape);
    ort_.call<BindInput>(binding, settings_.input.c_str(), static_cast<const OrtValue*>(in));
    ort_.call<BindOutput>(binding, settings_.output.c_str(), static_cast<const OrtValue*>(out));
    ort_.call<RunWithBinding>(session_, static_cast<const OrtRunOptions*>(run_options_),
                              static_cast<const OrtIoBinding*>(binding));
    ort_.raw<ReleaseValue>(in);
    ort_.raw<ReleaseValue>(out);
  }

  NativeSettings settings_;
  Table ort_;
  OrtEnv* env_ = nullptr;  // one per process, never freed
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
