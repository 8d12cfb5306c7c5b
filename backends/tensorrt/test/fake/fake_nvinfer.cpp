// A libnvinfer of ours, for tests of order, error paths and leaks: it computes nothing. Settings in ASSAY_FAKE_TENSORRT
// or by assay_fake_set (nvidia/fake/script.hpp): a function's name with 1 lets it fail.

#include "fake_engine.hpp"
#include "no_interfaces.hpp"

namespace assay::tensorrt::fake {
namespace {

class Context final : public NoContext {
 public:
  explicit Context(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {}
  void setErrorRecorder(IErrorRecorder* errors) noexcept override { errors_ = errors; }
  void setProfiler(IProfiler* profiler) noexcept override { profiler_ = profiler; }
  bool setInputShape(const char* name, const Dims& dims) noexcept override {
    shapes_[name] = dims;
    batch_ = dims.nbDims > 0 ? dims.d[0] : 1;
    return goes_well("setInputShape", errors_, name);
  }
  Dims getTensorShape(const char* name) const noexcept override { return with_axes(find(name).dims, batch_, -1); }
  bool setTensorAddress(const char* name, void* data) noexcept override {
    addresses_[name] = data;
    return goes_well("setTensorAddress", errors_, name);
  }
  bool setOutputAllocator(const char* name, IOutputAllocator* allocator) noexcept override {
    allocators_[name] = allocator;
    return goes_well("setOutputAllocator", errors_, name);
  }
  std::int64_t getMaxOutputSize(const char* /*name*/) const noexcept override { return 0; }
  void setDeviceMemoryV2(void* /*memory*/, std::int64_t bytes) noexcept override {
    script().called("setDeviceMemoryV2", std::to_string(bytes));
  }
  std::int32_t inferShapes(std::int32_t /*most*/, const char** /*names*/) noexcept override {
    return goes_well("inferShapes", errors_) ? 0 : -1;
  }
  bool enqueueV3(cudaStream_t stream) noexcept override {
    if (!goes_well("enqueueV3", errors_)) return false;
    for (const Tensor& tensor : tensors_) {
      if (!tensor.input) answer(tensor, stream);
    }
    if (profiler_ != nullptr) profiler_->reportLayerTime("layer", 0.5F);
    return true;
  }

 private:
  [[nodiscard]] const Tensor& find(const std::string& name) const {
    return *std::find_if(tensors_.begin(), tensors_.end(), [&](const Tensor& t) { return t.name == name; });
  }
  void answer(const Tensor& tensor, cudaStream_t stream) {
    const Dims dims = with_axes(tensor.dims, batch_, kRows);
    void* target = addresses_[tensor.name];
    if (IOutputAllocator* allocator = allocators_[tensor.name]; allocator != nullptr) {
      target = allocator->reallocateOutputAsync(tensor.name.c_str(), target, bytes_of(dims), sizeof(float), stream);
      allocator->notifyShape(tensor.name.c_str(), dims);
    }
    const Tensor& input = tensors_.front();
    if (target == nullptr) return;
    std::memcpy(target, addresses_[input.name], std::min(bytes_of(dims), bytes_of(shapes_[input.name])));
  }

  std::vector<Tensor> tensors_;
  std::map<std::string, Dims> shapes_;
  std::map<std::string, void*> addresses_;
  std::map<std::string, IOutputAllocator*> allocators_;
  std::int64_t batch_ = 1;
  IErrorRecorder* errors_ = nullptr;
  IProfiler* profiler_ = nullptr;
};

class Inspector final : public NoInspector {
 public:
  [[nodiscard]] const char* getEngineInformation(LayerInformationFormat /*format*/) const noexcept override {
    return "{\"Layers\": [\"layer\"]}";
  }
};

class FakeEngine final : public NoEngine {
 public:
  explicit FakeEngine(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {}
  [[nodiscard]] std::int32_t getNbLayers() const noexcept override { return 1; }
  [[nodiscard]] std::int32_t getNbIOTensors() const noexcept override {
    return static_cast<std::int32_t>(tensors_.size());
  }
  [[nodiscard]] const char* getIOTensorName(std::int32_t index) const noexcept override {
    return tensors_[static_cast<std::size_t>(index)].name.c_str();
  }
  TensorIOMode getTensorIOMode(const char* name) const noexcept override {
    return find(name).input ? TensorIOMode::kINPUT : TensorIOMode::kOUTPUT;
  }
  Dims getTensorShape(const char* name) const noexcept override { return with_axes(find(name).dims, -1, -1); }
  DataType getTensorDataType(const char* /*name*/) const noexcept override { return DataType::kFLOAT; }
  TensorLocation getTensorLocation(const char* name) const noexcept override {
    return find(name).host ? TensorLocation::kHOST : TensorLocation::kDEVICE;
  }
  Dims getProfileShape(const char* name, std::int32_t /*profile*/, OptProfileSelector which) const noexcept override {
    constexpr std::int64_t kSizes[] = {1, 4, 8};
    return with_axes(find(name).dims, kSizes[static_cast<std::size_t>(which)], -1);
  }
  IExecutionContext* createExecutionContext(ExecutionContextAllocationStrategy strategy) noexcept override {
    const bool given = strategy == ExecutionContextAllocationStrategy::kUSER_MANAGED;
    if (!goes_well("createExecutionContext", nullptr, given ? "user managed" : "")) return nullptr;
    return new Object<IExecutionContext, Context>(tensors_);
  }
  IEngineInspector* createEngineInspector() const noexcept override {
    return new Object<IEngineInspector, Inspector>();
  }
  [[nodiscard]] std::int64_t getDeviceMemorySizeV2() const noexcept override { return kScratch; }
  [[nodiscard]] std::int64_t getEngineStat(EngineStat /*stat*/) const noexcept override { return 1000; }

 private:
  [[nodiscard]] const Tensor& find(const std::string& name) const {
    return *std::find_if(tensors_.begin(), tensors_.end(), [&](const Tensor& t) { return t.name == name; });
  }
  std::vector<Tensor> tensors_;
};

class FakeRuntime final : public NoRuntime {
 public:
  void setErrorRecorder(IErrorRecorder* errors) noexcept override { errors_ = errors; }
  bool setMaxThreads(std::int32_t threads) noexcept override {
    threads_ = threads;
    return true;
  }
  [[nodiscard]] std::int32_t getMaxThreads() const noexcept override { return threads_; }
  ICudaEngine* deserializeCudaEngine(const void* blob, std::size_t size) noexcept override {
    std::vector<Tensor> tensors = parse_engine({static_cast<const char*>(blob), size});
    if (!goes_well("deserializeCudaEngine", errors_)) return nullptr;
    if (tensors.empty()) {
      errors_->reportError(ErrorCode::kINVALID_ARGUMENT, "[fake.cpp::f::1] that is no engine");
      return nullptr;
    }
    return new Object<ICudaEngine, FakeEngine>(std::move(tensors));
  }

 private:
  IErrorRecorder* errors_ = nullptr;
  std::int32_t threads_ = 1;
};

}  // namespace
}  // namespace assay::tensorrt::fake

extern "C" {

void assay_fake_set(const char* settings) { assay::tensorrt::fake::script().set(settings); }
const char* assay_fake_log() {
  static thread_local std::string text;
  text = assay::tensorrt::fake::script().log();
  return text.c_str();
}
long assay_fake_held() { return assay::tensorrt::fake::script().held(); }

std::int32_t getInferLibVersion() noexcept { return NV_TENSORRT_VERSION; }
void* createInferRuntime_INTERNAL(void* /*logger*/, std::int32_t /*version*/) noexcept {
  using namespace assay::tensorrt::fake;
  if (script().called("createInferRuntime") != 0) return nullptr;
  return new Object<nvinfer1::IRuntime, FakeRuntime>();
}

}  // extern "C"
