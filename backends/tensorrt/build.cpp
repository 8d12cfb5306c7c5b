#include "build.hpp"

#include <algorithm>

#include "network.hpp"
#include "trt_log.hpp"

namespace assay::tensorrt {
namespace {

nvinfer1::ProfilingVerbosity verbosity_of(Verbosity verbosity) {
  switch (verbosity) {
    case Verbosity::kNone:
      return nvinfer1::ProfilingVerbosity::kNONE;
    case Verbosity::kDetailed:
      return nvinfer1::ProfilingVerbosity::kDETAILED;
    default:
      return nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY;
  }
}

void configure(nvinfer1::IBuilderConfig& config, const Settings& settings) {
  if (settings.workspace_bytes) {
    config.setMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE, *settings.workspace_bytes);
  }
  config.setBuilderOptimizationLevel(settings.optimization_level);
  if (settings.tf32) {
    config.setFlag(nvinfer1::BuilderFlag::kTF32);
  } else {
    config.clearFlag(nvinfer1::BuilderFlag::kTF32);  // it is set by default
  }
  config.setProfilingVerbosity(verbosity_of(settings.verbosity));
  if (settings.aux_streams) config.setMaxAuxStreams(*settings.aux_streams);
}

/// An empty one where the old is of another version or device.
std::unique_ptr<nvinfer1::ITimingCache> set_timing(nvinfer1::IBuilderConfig& config, const std::string& timing,
                                                   const kit::Host& host) {
  std::unique_ptr<nvinfer1::ITimingCache> cache(config.createTimingCache(timing.data(), timing.size()));
  if (cache != nullptr && config.setTimingCache(*cache, false)) return cache;
  if (!timing.empty()) host.log(ASSAY_LOG_WARNING, "the timing cache is of no use here; kernels are timed anew");
  cache.reset(config.createTimingCache(nullptr, 0));
  if (cache != nullptr) config.setTimingCache(*cache, false);
  return cache;
}

Facts facts_of(nvinfer1::IBuilderConfig& config, std::string precision) {
  return {std::move(precision), config.getMemoryPoolLimit(nvinfer1::MemoryPoolType::kWORKSPACE),
          config.getBuilderOptimizationLevel(), config.getFlag(nvinfer1::BuilderFlag::kTF32)};
}

FreeAxes free_axes(const kit::OpenRequest& request, const Settings& settings) {
  return {request.batch_size, settings.dynamic_batch, settings.typical_size, settings.largest_size};
}

/// The network for the shapes that were asked for, and a profile where some are left free.
void set_shapes(nvinfer1::IBuilder& builder, nvinfer1::IBuilderConfig& config, nvinfer1::INetworkDefinition& network,
                const std::vector<InputRange>& ranges, ErrorList& errors) {
  if (!fix_shapes(network, ranges)) return;
  nvinfer1::IOptimizationProfile* profile = builder.createOptimizationProfile();  // the builder's
  if (profile == nullptr) errors.fail("making an optimization profile");
  add_profile(*profile, ranges);
  if (config.addOptimizationProfile(profile) < 0) errors.fail("adding the optimization profile", ASSAY_UNSUPPORTED);
}

/// A model in f32 is converted where f16 is asked for; the first network is gone before the second is made.
Network parse_as_asked(const Runtime& runtime, nvinfer1::IBuilder& builder, const kit::OpenRequest& request) {
  {
    Network network = parse_model(runtime, builder, request);
    if (request.precision != ASSAY_PRECISION_F16) return network;
    if (precision_of(count_types(*network.definition)) != "f32") return network;
  }
  return parse_in_float16(runtime, builder, request);
}

}  // namespace

std::span<const std::byte> bytes_of(const nvinfer1::IHostMemory* memory) {
  if (memory == nullptr) return {};
  return {static_cast<const std::byte*>(memory->data()), memory->size()};
}

BuiltEngine build_engine(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings, int major,
                         const std::string& timing) {
  ErrorList errors;  // outlives all that is made below
  (void)errors.take();
  std::unique_ptr<nvinfer1::ITimingCache> cache;  // outlives the builder, as TensorRT asks
  const std::unique_ptr<nvinfer1::IBuilder> builder(
      static_cast<nvinfer1::IBuilder*>(runtime.create_builder(&logger(), NV_TENSORRT_VERSION)));
  if (builder == nullptr) errors.fail("making TensorRT's builder");
  builder->setErrorRecorder(&errors);
  builder->setMaxThreads(std::max(1, request.threads));
  const Network network = parse_as_asked(runtime, *builder, request);
  BuiltEngine built;
  const std::string precision = precision_of(count_types(*network.definition));
  check_precision(request.precision, precision, major);
  const std::unique_ptr<nvinfer1::IBuilderConfig> config(builder->createBuilderConfig());
  if (config == nullptr) errors.fail("making a builder's configuration");
  configure(*config, settings);
  set_shapes(*builder, *config, *network.definition,
             ranges_of(inputs_of(*network.definition), request.shapes, free_axes(request, settings)), errors);
  cache = set_timing(*config, timing, request.host);
  built.facts = facts_of(*config, precision);
  built.bytes.reset(builder->buildSerializedNetwork(*network.definition, *config));
  if (built.bytes == nullptr) errors.fail("building the engine of " + request.model_path);
  if (cache != nullptr) built.timing.reset(cache->serialize());
  return built;
}

}  // namespace assay::tensorrt
