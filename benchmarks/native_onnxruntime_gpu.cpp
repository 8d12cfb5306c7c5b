// ONNX Runtime on CUDA: one session that computes in the loop's stream, a binding of device memory for each batch
// outstanding.
#include <utility>

#include "native_gpu.hpp"
#include "native_onnxruntime.hpp"

namespace assay::bench {
namespace {

using namespace assay::ort;  // NOLINT(google-build-using-namespace): the C interface

/// The provider's names of what a session of Assay's has in force.
constexpr std::pair<const char*, const char*> kProviderOptions[] = {
    {"use_tf32", "tf32"},
    {"prefer_nhwc", "prefer_nhwc"},
    {"cudnn_conv_algo_search", "cudnn_conv_algo_search"},
    {"cudnn_conv_use_max_workspace", "cudnn_conv_use_max_workspace"},
    {"do_copy_in_default_stream", "do_copy_in_default_stream"},
    {"arena_extend_strategy", "arena_extend_strategy"}};

std::string as_provider_takes_it(const std::string& value) {
  if (value == "true") return "1";
  return value == "false" ? "0" : value;
}

class OnnxRuntimeGpuLoop final : public GpuLoop {
 public:
  explicit OnnxRuntimeGpuLoop(const NativeSettings& s) : GpuLoop(s), ort_(s.library), env_(ort_.make_env()) {
    OrtSessionOptions* options = nullptr;
    ort_.call<CreateSessionOptions>(&options);
    ort_.call<SetIntraOpNumThreads>(options, 1);
    ort_.call<SetSessionGraphOptimizationLevel>(options, OptimizationLevel::kAll);
    append_cuda(options);
    ort_.call<CreateSession>(static_cast<const OrtEnv*>(env_), s.model.c_str(),
                             static_cast<const OrtSessionOptions*>(options), &session_);
    ort_.raw<ReleaseSessionOptions>(options);
    ort_.call<CreateMemoryInfo>("Cuda", kDeviceAllocator, kDevice, kMemTypeDefault, &memory_);
    ort_.call<CreateRunOptions>(&run_options_);
    ort_.call<AddRunConfigEntry>(run_options_, "disable_synchronize_execution_providers", "1");
    for (std::size_t slot = 0; slot < slots(); ++slot) bind(slot);
  }
  ~OnnxRuntimeGpuLoop() override {
    for (OrtIoBinding* binding : bindings_) ort_.raw<ReleaseIoBinding>(binding);
    for (OrtValue* value : values_) ort_.raw<ReleaseValue>(value);
    ort_.raw<ReleaseRunOptions>(run_options_);
    ort_.raw<ReleaseMemoryInfo>(memory_);
    ort_.raw<ReleaseSession>(session_);
  }

 protected:
  void launch(std::size_t slot) override {
    ort_.call<RunWithBinding>(session_, static_cast<const OrtRunOptions*>(run_options_),
                              static_cast<const OrtIoBinding*>(bindings_[slot]));
  }

 private:
  void append_cuda(OrtSessionOptions* options) {
    OrtCUDAProviderOptionsV2* cuda = nullptr;
    ort_.call<CreateCudaOptions>(&cuda);
    std::vector<std::string> values;
    std::vector<const char*> keys, texts;
    for (const auto& [key, in_force] : kProviderOptions) {
      const auto found = settings().in_force.find(in_force);
      if (found == settings().in_force.end()) continue;
      keys.push_back(key);
      values.push_back(as_provider_takes_it(found->second));
    }
    for (const std::string& value : values) texts.push_back(value.c_str());
    ort_.call<UpdateCudaOptions>(cuda, static_cast<const char* const*>(keys.data()),
                                 static_cast<const char* const*>(texts.data()), keys.size());
    ort_.call<UpdateCudaOptionsWithValue>(cuda, "user_compute_stream", static_cast<void*>(computing().get()));
    ort_.call<SessionOptionsAppendCuda>(options, static_cast<const OrtCUDAProviderOptionsV2*>(cuda));
    ort_.raw<ReleaseCudaOptions>(cuda);
  }
  void bind(std::size_t slot) {
    OrtIoBinding* binding = nullptr;
    ort_.call<CreateIoBinding>(session_, &binding);
    bindings_.push_back(binding);
    values_.push_back(ort_.wrap(memory_, static_cast<float*>(input(slot)), settings().input_shape));
    ort_.call<BindInput>(binding, settings().input.c_str(), static_cast<const OrtValue*>(values_.back()));
    values_.push_back(ort_.wrap(memory_, static_cast<float*>(output(slot)), settings().output_shape));
    ort_.call<BindOutput>(binding, settings().output.c_str(), static_cast<const OrtValue*>(values_.back()));
  }

  OrtTable ort_;
  OrtEnv* env_;  // one per process, never freed
  OrtSession* session_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
  OrtRunOptions* run_options_ = nullptr;
  std::vector<OrtValue*> values_;
  std::vector<OrtIoBinding*> bindings_;
};

}  // namespace

std::unique_ptr<NativeLoop> native_onnxruntime_gpu(const NativeSettings& settings) {
  return std::make_unique<OnnxRuntimeGpuLoop>(settings);
}

}  // namespace assay::bench
