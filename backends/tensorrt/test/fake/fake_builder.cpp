// The fake libnvinfer's builder: an engine's text from a model's, with the shapes that the network was given.

#include <NvInfer.h>

#include "fake_engine.hpp"
#include "no_build_interfaces.hpp"

namespace assay::tensorrt::fake {
namespace {

constexpr std::size_t kDefaultWorkspace = 1000;

std::string dims_text(const Dims& dims) {
  std::string text;
  for (std::int32_t a = 0; a < dims.nbDims; ++a) {
    text += (a == 0 ? "" : "x") + (dims.d[a] == kAfterRun ? "?" : std::to_string(dims.d[a]));
  }
  return text;
}

class FakeTensor final : public NoTensor {
 public:
  FakeTensor(Tensor tensor, bool shape) : tensor_(std::move(tensor)), shape_(shape) {}
  [[nodiscard]] const char* getName() const noexcept override { return tensor_.name.c_str(); }
  [[nodiscard]] Dims getDimensions() const noexcept override { return tensor_.dims; }
  void setDimensions(const Dims& dims) noexcept override {
    script().called("setDimensions", tensor_.name + " " + dims_text(dims));
    tensor_.dims = dims;
  }
  [[nodiscard]] bool isShapeTensor() const noexcept override { return shape_; }
  [[nodiscard]] DataType getType() const noexcept override { return type; }
  DataType type = DataType::kFLOAT;

 private:
  Tensor tensor_;
  bool shape_;
};
using TensorObject = Object<ITensor, FakeTensor>;

class FakeLayer final : public ILayer {
 public:
  explicit FakeLayer(const std::string& type) {
    body_.type = type;
    body_.output = std::make_unique<TensorObject>(Tensor{}, false);
    body_.output->body().type = type == "f16"    ? DataType::kHALF
                                : type == "bf16" ? DataType::kBF16
                                : type == "f32"  ? DataType::kFLOAT
                                                 : DataType::kINT8;
    mLayer = &body_;
  }

 private:
  class Body final : public NoLayer {
   public:
    [[nodiscard]] LayerType getType() const noexcept override {
      return type == "quantize" ? LayerType::kQUANTIZE : LayerType::kCONVOLUTION;
    }
    [[nodiscard]] std::int32_t getNbOutputs() const noexcept override { return 2; }
    [[nodiscard]] ITensor* getOutput(std::int32_t index) const noexcept override {
      return index == 0 ? output.get() : nullptr;  // the second is an optional one
    }
    std::string type;
    std::unique_ptr<TensorObject> output;
  };
  Body body_;
};

class Network final : public NoNetwork {
 public:
  /// The fake parser hands the model's text over so.
  void setName(const char* model) noexcept override {
    std::istringstream lines(model);
    std::vector<std::string> shapes;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string kind, name, type;
      words >> kind >> name >> type;
      if (kind == "shape") shapes.push_back(name);
      if (kind == "layer") layers_.push_back(std::make_unique<FakeLayer>(type));
      if (kind == "out") outputs_ += line + "\n";
    }
    for (const Tensor& tensor : parse_engine(model)) {
      if (!tensor.input) continue;
      const bool shape = std::find(shapes.begin(), shapes.end(), tensor.name) != shapes.end();
      inputs_.push_back(std::make_unique<TensorObject>(tensor, shape));
    }
  }
  [[nodiscard]] std::int32_t getNbInputs() const noexcept override { return static_cast<std::int32_t>(inputs_.size()); }
  [[nodiscard]] ITensor* getInput(std::int32_t i) const noexcept override {
    return inputs_[static_cast<std::size_t>(i)].get();
  }
  [[nodiscard]] std::int32_t getNbOutputs() const noexcept override {
    return static_cast<std::int32_t>(std::count(outputs_.begin(), outputs_.end(), '\n'));
  }
  [[nodiscard]] std::int32_t getNbLayers() const noexcept override { return static_cast<std::int32_t>(layers_.size()); }
  [[nodiscard]] ILayer* getLayer(std::int32_t i) const noexcept override {
    return layers_[static_cast<std::size_t>(i)].get();
  }
  [[nodiscard]] std::string engine() const {
    std::string text;
    for (const auto& input : inputs_) {
      text += std::string("in ") + input->getName() + " " + dims_text(input->getDimensions()) + "\n";
    }
    return text + outputs_;
  }

 private:
  std::vector<std::unique_ptr<TensorObject>> inputs_;
  std::vector<std::unique_ptr<FakeLayer>> layers_;
  std::string outputs_;
};

class Memory final : public apiv::VHostMemory {
 public:
  explicit Memory(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] void* data() const noexcept override { return const_cast<char*>(text_.data()); }
  [[nodiscard]] std::size_t size() const noexcept override { return text_.size(); }
  [[nodiscard]] DataType type() const noexcept override { return DataType::kINT8; }

 private:
  std::string text_;
};

class Times final : public NoTimingCache {
 public:
  explicit Times(std::string times) : text(std::move(times)) {}
  IHostMemory* serialize() const noexcept override { return new Object<IHostMemory, Memory>(text + "+"); }
  std::string text;
};

class Profile final : public NoProfile {
 public:
  bool setDimensions(const char* input, OptProfileSelector which, const Dims& dims) noexcept override {
    const std::string detail =
        std::string(input) + " " + std::to_string(static_cast<int>(which)) + " " + dims_text(dims);
    return script().called("profile", detail) == 0;
  }
};

class Config final : public NoConfig {
 public:
  void setMemoryPoolLimit(MemoryPoolType /*pool*/, std::size_t bytes) noexcept override { workspace_ = bytes; }
  [[nodiscard]] std::size_t getMemoryPoolLimit(MemoryPoolType /*pool*/) const noexcept override { return workspace_; }
  void setBuilderOptimizationLevel(std::int32_t level) noexcept override { level_ = level; }
  [[nodiscard]] std::int32_t getBuilderOptimizationLevel() const noexcept override { return level_; }
  void setFlag(BuilderFlag flag) noexcept override { flags_ |= 1U << static_cast<unsigned>(flag); }
  void clearFlag(BuilderFlag flag) noexcept override { flags_ &= ~(1U << static_cast<unsigned>(flag)); }
  [[nodiscard]] bool getFlag(BuilderFlag flag) const noexcept override {
    return (flags_ & (1U << static_cast<unsigned>(flag))) != 0;
  }
  void setProfilingVerbosity(ProfilingVerbosity verbosity) noexcept override {
    script().called("setProfilingVerbosity", std::to_string(static_cast<int>(verbosity)));
  }
  bool setMaxAuxStreams(std::int32_t streams) noexcept override {
    script().called("setMaxAuxStreams", std::to_string(streams));
    return true;
  }
  ITimingCache* createTimingCache(const void* blob, std::size_t size) const noexcept override {
    return new Object<ITimingCache, Times>(size == 0 ? "" : std::string(static_cast<const char*>(blob), size));
  }
  bool setTimingCache(const ITimingCache& cache, bool /*ignore_mismatch*/) noexcept override {
    const auto& times = static_cast<const Object<ITimingCache, Times>&>(cache);
    return script().called("setTimingCache", const_cast<Object<ITimingCache, Times>&>(times).body().text) == 0;
  }
  std::int32_t addOptimizationProfile(const IOptimizationProfile* /*profile*/) noexcept override {
    return script().called("addOptimizationProfile") == 0 ? 0 : -1;
  }

 private:
  std::size_t workspace_ = kDefaultWorkspace;
  std::int32_t level_ = 3;
  unsigned flags_ = 1U << static_cast<unsigned>(BuilderFlag::kTF32);
};

class Builder final : public NoBuilder {
 public:
  void setErrorRecorder(IErrorRecorder* errors) noexcept override { errors_ = errors; }
  bool setMaxThreads(std::int32_t threads) noexcept override {
    script().called("setMaxThreads", std::to_string(threads));
    return true;
  }
  IBuilderConfig* createBuilderConfig() noexcept override { return new Object<IBuilderConfig, Config>(); }
  INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags /*flags*/) noexcept override {
    return new Object<INetworkDefinition, Network>();
  }
  IOptimizationProfile* createOptimizationProfile() noexcept override {
    profile_ = std::make_unique<Object<IOptimizationProfile, Profile>>();
    return profile_.get();
  }
  IHostMemory* buildSerializedNetwork(INetworkDefinition& network, IBuilderConfig& /*config*/) noexcept override {
    if (!goes_well("buildSerializedNetwork", errors_)) return nullptr;
    return new Object<IHostMemory, Memory>(static_cast<Object<INetworkDefinition, Network>&>(network).body().engine());
  }

 private:
  IErrorRecorder* errors_ = nullptr;
  std::unique_ptr<Object<IOptimizationProfile, Profile>> profile_;
};

}  // namespace
}  // namespace assay::tensorrt::fake

extern "C" void* createInferBuilder_INTERNAL(void* logger, std::int32_t /*version*/) noexcept {
  using namespace assay::tensorrt::fake;
  if (script().called("createInferBuilder") == 0) return new Object<nvinfer1::IBuilder, Builder>();
  static_cast<nvinfer1::ILogger*>(logger)->log(nvinfer1::ILogger::Severity::kERROR, "the fake has no builder");
  return nullptr;
}
