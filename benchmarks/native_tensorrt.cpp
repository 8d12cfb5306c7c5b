// TensorRT: the engine that a plugin has left in the cache, a context for each batch outstanding.
#include <NvInferRuntime.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "native_gpu.hpp"
#include "tensorrt/runtime.hpp"

namespace assay::bench {
namespace {

class Silent final : public nvinfer1::ILogger {
 public:
  void log(Severity severity, const char* text) noexcept override {
    if (severity <= Severity::kERROR) std::fprintf(stderr, "%s\n", text);
  }
};

tensorrt::Runtime open_tensorrt(const std::string& library) {
  kit::Host host;
  host.library = library;
  return tensorrt::load_runtime(host);
}

class TensorRtLoop final : public GpuLoop {
 public:
  explicit TensorRtLoop(const NativeSettings& s)
      : GpuLoop(s),
        runtime_(
            static_cast<nvinfer1::IRuntime*>(open_tensorrt(s.library).create_runtime(&logger_, NV_TENSORRT_VERSION))) {
    const std::string engine = read_file(s.graph);
    if (runtime_ != nullptr) engine_.reset(runtime_->deserializeCudaEngine(engine.data(), engine.size()));
    if (engine_ == nullptr) native_failure("TensorRT does not read the engine " + s.graph);
    for (std::size_t slot = 0; slot < slots(); ++slot) {
      contexts_.emplace_back(engine_->createExecutionContext());
      nvinfer1::IExecutionContext* const context = contexts_.back().get();
      if (context == nullptr || !context->setTensorAddress(s.input.c_str(), input(slot)) ||
          !context->setTensorAddress(s.output.c_str(), output(slot))) {
        native_failure("TensorRT does not take the memory of " + s.input + " or " + s.output);
      }
    }
  }

 protected:
  void launch(std::size_t slot) override {
    if (!contexts_[slot]->enqueueV3(computing().get())) native_failure("TensorRT did not launch a batch");
  }

 private:
  Silent logger_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::vector<std::unique_ptr<nvinfer1::IExecutionContext>> contexts_;
};

}  // namespace

std::unique_ptr<NativeLoop> native_tensorrt(const NativeSettings& settings) {
  return std::make_unique<TensorRtLoop>(settings);
}

}  // namespace assay::bench
