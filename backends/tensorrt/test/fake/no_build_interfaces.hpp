#pragma once
// TensorRT's interfaces for building (of the headers' version 11.1) as objects that do nothing: a fake overrides what
// it needs.

#include <NvInfer.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// Some of what must be overridden is deprecated.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace assay::tensorrt::fake {

using namespace nvinfer1;

class NoTensor : public apiv::VTensor {
 public:
  void setName(char const*) noexcept override {}
  char const* getName() const noexcept override { return {}; }
  void setDimensions(Dims const&) noexcept override {}
  Dims getDimensions() const noexcept override { return {}; }
  DataType getType() const noexcept override { return {}; }
  bool isNetworkInput() const noexcept override { return {}; }
  bool isNetworkOutput() const noexcept override { return {}; }
  void setBroadcastAcrossBatch(bool) noexcept override {}
  bool getBroadcastAcrossBatch() const noexcept override { return {}; }
  TensorLocation getLocation() const noexcept override { return {}; }
  void setLocation(TensorLocation) noexcept override {}
  void setAllowedFormats(TensorFormats) noexcept override {}
  TensorFormats getAllowedFormats() const noexcept override { return {}; }
  bool isShapeTensor() const noexcept override { return {}; }
  bool isExecutionTensor() const noexcept override { return {}; }
  void setDimensionName(std::int32_t, char const*) noexcept override {}
  char const* getDimensionName(std::int32_t) const noexcept override { return {}; }
};

class NoLayer : public apiv::VLayer {
 public:
  LayerType getType() const noexcept override { return {}; }
  void setName(char const*) noexcept override {}
  char const* getName() const noexcept override { return {}; }
  std::int32_t getNbInputs() const noexcept override { return {}; }
  ITensor* getInput(std::int32_t) const noexcept override { return {}; }
  std::int32_t getNbOutputs() const noexcept override { return {}; }
  ITensor* getOutput(std::int32_t) const noexcept override { return {}; }
  void setInput(std::int32_t, ITensor&) noexcept override {}
  DataType getOutputType(std::int32_t) const noexcept override { return {}; }
  void setMetadata(char const*) noexcept override {}
  char const* getMetadata() const noexcept override { return {}; }
  bool setNbRanks(std::int32_t) noexcept override { return {}; }
  std::int32_t getNbRanks() const noexcept override { return {}; }
};

class NoNetwork : public apiv::VNetworkDefinition {
 public:
  ITensor* addInput(char const*, DataType, Dims const&) noexcept override { return {}; }
  void markOutput(ITensor&) noexcept override {}
  IActivationLayer* addActivation(ITensor&, ActivationType) noexcept override { return {}; }
  ILRNLayer* addLRN(ITensor&, std::int64_t, float, float, float) noexcept override { return {}; }
  IScaleLayer* addScale(ITensor&, ScaleMode, Weights, Weights, Weights) noexcept override { return {}; }
  ISoftMaxLayer* addSoftMax(ITensor&) noexcept override { return {}; }
  IConcatenationLayer* addConcatenation(ITensor* const*, std::int32_t) noexcept override { return {}; }
  IElementWiseLayer* addElementWise(ITensor&, ITensor&, ElementWiseOperation) noexcept override { return {}; }
  IUnaryLayer* addUnary(ITensor&, UnaryOperation) noexcept override { return {}; }
  IShuffleLayer* addShuffle(ITensor&) noexcept override { return {}; }
  std::int32_t getNbLayers() const noexcept override { return {}; }
  ILayer* getLayer(std::int32_t) const noexcept override { return {}; }
  std::int32_t getNbInputs() const noexcept override { return {}; }
  ITensor* getInput(std::int32_t) const noexcept override { return {}; }
  std::int32_t getNbOutputs() const noexcept override { return {}; }
  ITensor* getOutput(std::int32_t) const noexcept override { return {}; }
  IReduceLayer* addReduce(ITensor&, ReduceOperation, std::uint32_t, bool) noexcept override { return {}; }
  ITopKLayer* addTopK(ITensor&, TopKOperation, std::int32_t, std::uint32_t) noexcept override { return {}; }
  IGatherLayer* addGather(ITensor&, ITensor&, std::int32_t) noexcept override { return {}; }
  IRaggedSoftMaxLayer* addRaggedSoftMax(ITensor&, ITensor&) noexcept override { return {}; }
  IMatrixMultiplyLayer* addMatrixMultiply(ITensor&, MatrixOperation, ITensor&, MatrixOperation) noexcept override {
    return {};
  }
  IConstantLayer* addConstant(Dims const&, Weights) noexcept override { return {}; }
  IIdentityLayer* addIdentity(ITensor&) noexcept override { return {}; }
  void removeTensor(ITensor&) noexcept override {}
  void unmarkOutput(ITensor&) noexcept override {}
  IPluginV2Layer* addPluginV2(ITensor* const*, std::int32_t, IPluginV2&) noexcept override { return {}; }
  IPluginV3Layer* addPluginV3(ITensor* const*, std::int32_t, ITensor* const*, std::int32_t,
                              IPluginV3&) noexcept override {
    return {};
  }
  ISliceLayer* addSlice(ITensor&, Dims const&, Dims const&, Dims const&) noexcept override { return {}; }
  void setName(char const*) noexcept override {}
  char const* getName() const noexcept override { return {}; }
  IShapeLayer* addShape(ITensor&) noexcept override { return {}; }
  bool hasImplicitBatchDimension() const noexcept override { return {}; }
  bool markOutputForShapes(ITensor&) noexcept override { return {}; }
  bool unmarkOutputForShapes(ITensor&) noexcept override { return {}; }
  IParametricReLULayer* addParametricReLU(ITensor&, ITensor&) noexcept override { return {}; }
  IConvolutionLayer* addConvolutionNd(ITensor&, std::int64_t, Dims const&, Weights, Weights) noexcept override {
    return {};
  }
  IPoolingLayer* addPoolingNd(ITensor&, PoolingType, Dims const&) noexcept override { return {}; }
  IDeconvolutionLayer* addDeconvolutionNd(ITensor&, std::int64_t, Dims const&, Weights, Weights) noexcept override {
    return {};
  }
  IScaleLayer* addScaleNd(ITensor&, ScaleMode, Weights, Weights, Weights, std::int32_t) noexcept override { return {}; }
  IResizeLayer* addResize(ITensor&) noexcept override { return {}; }
  ILoop* addLoop() noexcept override { return {}; }
  ISelectLayer* addSelect(ITensor&, ITensor&, ITensor&) noexcept override { return {}; }
  IPaddingLayer* addPaddingNd(ITensor&, Dims const&, Dims const&) noexcept override { return {}; }
  bool setWeightsName(Weights, char const*) noexcept override { return {}; }
  void setErrorRecorder(IErrorRecorder*) noexcept override {}
  IErrorRecorder* getErrorRecorder() const noexcept override { return {}; }
  IGatherLayer* addGatherV2(ITensor&, ITensor&, GatherMode) noexcept override { return {}; }
  IIfConditional* addIfConditional() noexcept override { return {}; }
  IScatterLayer* addScatter(ITensor&, ITensor&, ITensor&, ScatterMode) noexcept override { return {}; }
  IEinsumLayer* addEinsum(ITensor* const*, std::int32_t, char const*) noexcept override { return {}; }
  IAssertionLayer* addAssertion(ITensor&, char const*) noexcept override { return {}; }
  IOneHotLayer* addOneHot(ITensor&, ITensor&, ITensor&, std::int32_t) noexcept override { return {}; }
  INonZeroLayer* addNonZero(ITensor&) noexcept override { return {}; }
  IGridSampleLayer* addGridSample(ITensor&, ITensor&) noexcept override { return {}; }
  INMSLayer* addNMS(ITensor&, ITensor&, ITensor&) noexcept override { return {}; }
  IReverseSequenceLayer* addReverseSequence(ITensor&, ITensor&) noexcept override { return {}; }
  INormalizationLayer* addNormalization(ITensor&, ITensor&, ITensor&, std::uint32_t) noexcept override { return {}; }
  ICastLayer* addCast(ITensor&, DataType) noexcept override { return {}; }
  IBuilder& getBuilder() const noexcept override { std::abort(); }
  NetworkDefinitionCreationFlags getFlags() const noexcept override { return {}; }
  bool getFlag(NetworkDefinitionCreationFlag) const noexcept override { return {}; }
  IQuantizeLayer* addQuantizeV2(ITensor&, ITensor&, DataType) noexcept override { return {}; }
  IDequantizeLayer* addDequantizeV2(ITensor&, ITensor&, DataType) noexcept override { return {}; }
  IFillLayer* addFillV2(Dims const&, FillOperation, DataType) noexcept override { return {}; }
  bool markDebug(ITensor&) noexcept override { return {}; }
  bool unmarkDebug(ITensor&) noexcept override { return {}; }
  bool isDebugTensor(ITensor const&) const noexcept override { return {}; }
  bool markWeightsRefittable(char const*) noexcept override { return {}; }
  bool unmarkWeightsRefittable(char const*) noexcept override { return {}; }
  bool areWeightsMarkedRefittable(char const*) const noexcept override { return {}; }
  ISqueezeLayer* addSqueeze(ITensor&, ITensor&) noexcept override { return {}; }
  IUnsqueezeLayer* addUnsqueeze(ITensor&, ITensor&) noexcept override { return {}; }
  IDynamicQuantizeLayer* addDynamicQuantize(ITensor&, std::int32_t, std::int32_t, DataType,
                                            DataType) noexcept override {
    return {};
  }
  ICumulativeLayer* addCumulative(ITensor&, ITensor&, CumulativeOperation, bool, bool) noexcept override { return {}; }
  bool markUnfusedTensorsAsDebugTensors() noexcept override { return {}; }
  bool unmarkUnfusedTensorsAsDebugTensors() noexcept override { return {}; }
  ITopKLayer* addTopKV2(ITensor&, TopKOperation, std::int32_t, std::uint32_t, DataType) noexcept override { return {}; }
  INonZeroLayer* addNonZeroV2(ITensor&, DataType) noexcept override { return {}; }
  INMSLayer* addNMSV2(ITensor&, ITensor&, ITensor&, DataType) noexcept override { return {}; }
  TRT_DEPRECATED IAttention* addAttention(ITensor&, ITensor&, ITensor&, AttentionNormalizationOp,
                                          bool) noexcept override {
    return {};
  }
  IRotaryEmbeddingLayer* addRotaryEmbedding(ITensor&, ITensor&, ITensor&, bool, std::int32_t) noexcept override {
    return {};
  }
  IDynamicQuantizeLayer* addDynamicQuantizeV2(ITensor&, Dims const&, DataType, DataType) noexcept override {
    return {};
  }
  IKVCacheUpdateLayer* addKVCacheUpdate(ITensor&, ITensor&, ITensor&, KVCacheMode) noexcept override { return {}; }
  INormalizationLayer* addNormalizationV2(ITensor&, ITensor&, ITensor&, std::uint32_t) noexcept override { return {}; }
  IMoELayer* addMoE(ITensor&, ITensor&, ITensor&) noexcept override { return {}; }
  IDistCollectiveLayer* addDistCollective(ITensor&, CollectiveOperation, ReduceOperation, std::int64_t, std::int64_t*,
                                          std::int64_t) noexcept override {
    return {};
  }
  IAttention* addAttentionV2(ITensor&, ITensor&, ITensor&, AttentionNormalizationOp, CausalMaskKind) noexcept override {
    return {};
  }
};

class NoConfig : public apiv::VBuilderConfig {
 public:
  void setAvgTimingIterations(std::int32_t) noexcept override {}
  std::int32_t getAvgTimingIterations() const noexcept override { return {}; }
  void setEngineCapability(EngineCapability) noexcept override {}
  EngineCapability getEngineCapability() const noexcept override { return {}; }
  void setFlags(BuilderFlags) noexcept override {}
  BuilderFlags getFlags() const noexcept override { return {}; }
  void clearFlag(BuilderFlag) noexcept override {}
  void setFlag(BuilderFlag) noexcept override {}
  bool getFlag(BuilderFlag) const noexcept override { return {}; }
  void setDeviceType(ILayer const*, DeviceType) noexcept override {}
  DeviceType getDeviceType(ILayer const*) const noexcept override { return {}; }
  bool isDeviceTypeSet(ILayer const*) const noexcept override { return {}; }
  void resetDeviceType(ILayer const*) noexcept override {}
  bool canRunOnDLA(ILayer const*) const noexcept override { return {}; }
  void setDLACore(std::int32_t) noexcept override {}
  std::int32_t getDLACore() const noexcept override { return {}; }
  void setDefaultDeviceType(DeviceType) noexcept override {}
  DeviceType getDefaultDeviceType() const noexcept override { return {}; }
  void reset() noexcept override {}
  void setProfileStream(const cudaStream_t) noexcept override {}
  cudaStream_t getProfileStream() const noexcept override { return {}; }
  std::int32_t addOptimizationProfile(IOptimizationProfile const*) noexcept override { return {}; }
  std::int32_t getNbOptimizationProfiles() const noexcept override { return {}; }
  void setProfilingVerbosity(ProfilingVerbosity) noexcept override {}
  ProfilingVerbosity getProfilingVerbosity() const noexcept override { return {}; }
  bool setTacticSources(TacticSources) noexcept override { return {}; }
  TacticSources getTacticSources() const noexcept override { return {}; }
  ITimingCache* createTimingCache(void const*, std::size_t) const noexcept override { return {}; }
  bool setTimingCache(ITimingCache const&, bool) noexcept override { return {}; }
  ITimingCache const* getTimingCache() const noexcept override { return {}; }
  void setMemoryPoolLimit(MemoryPoolType, std::size_t) noexcept override {}
  std::size_t getMemoryPoolLimit(MemoryPoolType) const noexcept override { return {}; }
  void setPreviewFeature(PreviewFeature, bool) noexcept override {}
  bool getPreviewFeature(PreviewFeature) const noexcept override { return {}; }
  void setBuilderOptimizationLevel(std::int32_t) noexcept override {}
  std::int32_t getBuilderOptimizationLevel() const noexcept override { return {}; }
  void setHardwareCompatibilityLevel(HardwareCompatibilityLevel) noexcept override {}
  HardwareCompatibilityLevel getHardwareCompatibilityLevel() const noexcept override { return {}; }
  void setPluginsToSerialize(char const* const*, std::int32_t) noexcept override {}
  char const* getPluginToSerialize(std::int32_t) const noexcept override { return {}; }
  std::int32_t getNbPluginsToSerialize() const noexcept override { return {}; }
  bool setMaxAuxStreams(std::int32_t) noexcept override { return {}; }
  std::int32_t getMaxAuxStreams() const noexcept override { return {}; }
  void setProgressMonitor(IProgressMonitor*) noexcept override {}
  IProgressMonitor* getProgressMonitor() const noexcept override { return {}; }
  void setRuntimePlatform(RuntimePlatform) noexcept override {}
  RuntimePlatform getRuntimePlatform() const noexcept override { return {}; }
  void setMaxNbTactics(std::int32_t) noexcept override {}
  std::int32_t getMaxNbTactics() const noexcept override { return {}; }
  bool setTilingOptimizationLevel(TilingOptimizationLevel) noexcept override { return {}; }
  TilingOptimizationLevel getTilingOptimizationLevel() const noexcept override { return {}; }
  bool setL2LimitForTiling(std::int64_t) noexcept override { return {}; }
  std::int64_t getL2LimitForTiling() const noexcept override { return {}; }
  bool setRemoteAutoTuningConfig(char const*) noexcept override { return {}; }
  char const* getRemoteAutoTuningConfig() const noexcept override { return {}; }
  bool setBuildRoute(char const*) noexcept override { return {}; }
  char const* getBuildRoute() const noexcept override { return {}; }
  char const* getAllBuildRoutes() const noexcept override { return {}; }
};

class NoBuilder : public apiv::VBuilder {
 public:
  std::int32_t getMaxDLABatchSize() const noexcept override { return {}; }
  std::int32_t getNbDLACores() const noexcept override { return {}; }
  void setGpuAllocator(IGpuAllocator*) noexcept override {}
  IBuilderConfig* createBuilderConfig() noexcept override { return {}; }
  INetworkDefinition* createNetworkV2(NetworkDefinitionCreationFlags) noexcept override { return {}; }
  IOptimizationProfile* createOptimizationProfile() noexcept override { return {}; }
  void setErrorRecorder(IErrorRecorder*) noexcept override {}
  IErrorRecorder* getErrorRecorder() const noexcept override { return {}; }
  void reset() noexcept override {}
  IHostMemory* buildSerializedNetwork(INetworkDefinition&, IBuilderConfig&) noexcept override { return {}; }
  bool isNetworkSupported(INetworkDefinition const&, IBuilderConfig const&) const noexcept override { return {}; }
  ILogger* getLogger() const noexcept override { return {}; }
  bool setMaxThreads(std::int32_t) noexcept override { return {}; }
  std::int32_t getMaxThreads() const noexcept override { return {}; }
  IPluginRegistry& getPluginRegistry() noexcept override { std::abort(); }
  ICudaEngine* buildEngineWithConfig(INetworkDefinition&, IBuilderConfig&) noexcept override { return {}; }
  bool buildSerializedNetworkToStream(INetworkDefinition&, IBuilderConfig&, IStreamWriter&) noexcept override {
    return {};
  }
  IHostMemory* buildSerializedNetworkWithKernelText(INetworkDefinition&, IBuilderConfig&,
                                                    IHostMemory*&) noexcept override {
    return {};
  }
};

class NoProfile : public apiv::VOptimizationProfile {
 public:
  bool setDimensions(char const*, OptProfileSelector, Dims const&) noexcept override { return {}; }
  Dims getDimensions(char const*, OptProfileSelector) const noexcept override { return {}; }
  std::int32_t getNbShapeValues(char const*) const noexcept override { return {}; }
  bool setExtraMemoryTarget(float) noexcept override { return {}; }
  float getExtraMemoryTarget() const noexcept override { return {}; }
  bool isValid() const noexcept override { return {}; }
  bool setShapeValuesV2(char const*, OptProfileSelector, std::int64_t const*, std::int32_t) noexcept override {
    return {};
  }
  std::int64_t const* getShapeValuesV2(char const*, OptProfileSelector) const noexcept override { return {}; }
};

class NoTimingCache : public apiv::VTimingCache {
 public:
  IHostMemory* serialize() const noexcept override { return {}; }
  bool combine(ITimingCache const&, bool) noexcept override { return {}; }
  bool reset() noexcept override { return {}; }
  std::int64_t queryKeys(TimingCacheKey*, std::int64_t) const noexcept override { return {}; }
  TimingCacheValue query(TimingCacheKey const&) const noexcept override { return {}; }
  bool update(TimingCacheKey const&, TimingCacheValue const&) noexcept override { return {}; }
};

}  // namespace assay::tensorrt::fake

#pragma GCC diagnostic pop
