#pragma once
// What this plugin uses of ONNX Runtime's C interface, declared by position. `OrtApi` is an append-only table of C
// function pointers: a position, once given out, never changes its meaning. The wheels carry no headers, so the
// entries that are used are named here with their position in microsoft/onnxruntime,
// include/onnxruntime/core/session/onnxruntime_c_api.h, and the version that brought them. A test calls every one.

#include <cstddef>
#include <cstdint>
#include <tuple>

namespace assay::ort {

// Opaque to us, owned by the library, freed by the Release… entry of the same name.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtMemoryInfo;
struct OrtAllocator;
struct OrtIoBinding;
struct OrtKeyValuePairs;
struct OrtEpAssignedSubgraph;
struct OrtEpAssignedNode;
struct OrtCUDAProviderOptionsV2;

/// OrtErrorCode.
enum class ErrorCode : int {
  kOk = 0,
  kFail = 1,
  kInvalidArgument = 2,
  kNoSuchFile = 3,
  kNoModel = 4,
  kEngineError = 5,
  kRuntimeException = 6,
  kInvalidProtobuf = 7,
  kModelLoaded = 8,
  kNotImplemented = 9,
  kInvalidGraph = 10,
  kEpFail = 11,
  kModelLoadCanceled = 12,
  kModelRequiresCompilation = 13,
  kNotFound = 14,
  kDeviceReset = 15
};

/// OrtLoggingLevel.
enum class LogLevel : int { kVerbose = 0, kInfo = 1, kWarning = 2, kError = 3, kFatal = 4 };
/// GraphOptimizationLevel.
enum class OptimizationLevel : int { kDisabled = 0, kBasic = 1, kExtended = 2, kLayout = 3, kAll = 99 };
/// ExecutionMode.
enum class ExecutionMode : int { kSequential = 0, kParallel = 1 };

inline constexpr int kDeviceAllocator = 0;  // OrtAllocatorType::OrtDeviceAllocator
inline constexpr int kArenaAllocator = 1;   // OrtAllocatorType::OrtArenaAllocator
inline constexpr int kMemTypeDefault = 0;   // OrtMemType::OrtMemTypeDefault
inline constexpr int kTypeTensor = 1;       // ONNXType::ONNX_TYPE_TENSOR
inline constexpr int kElementString = 8;    // ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING

using LogFunction = void(void* user, LogLevel level, const char* category, const char* log_id, const char* location,
                         const char* message);
using ThreadWorker = void(void* argument);
using ThreadHandle = const void*;
using CreateThread = ThreadHandle(void* user, ThreadWorker* worker, void* argument);
using JoinThread = void(ThreadHandle handle);

/// What `OrtGetApiBase` answers.
struct ApiBase {
  const void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version_string)();
};
using GetApiBase = const ApiBase*();

/// The version of the interface without which the plugin does not work (ONNX Runtime 1.17), and those that add reports.
inline constexpr std::uint32_t kApiRequired = 17;
inline constexpr std::uint32_t kApiAllocatorStats = 23;
inline constexpr std::uint32_t kApiTensorMemory = 23;
inline constexpr std::uint32_t kApiPlacement = 24;
inline constexpr std::uint32_t kApiReadBack = 27;

/// One position of the table.
template <unsigned Index, class SignatureType, std::uint32_t SinceVersion = kApiRequired>
struct Entry {
  static constexpr unsigned kIndex = Index;
  static constexpr std::uint32_t kSince = SinceVersion;
  using Signature = SignatureType;
};

using S = OrtStatus*;  // nullptr: it worked

struct GetErrorCode : Entry<1, ErrorCode(const OrtStatus*)> {};
struct GetErrorMessage : Entry<2, const char*(const OrtStatus*)> {};
struct ReleaseStatus : Entry<93, void(OrtStatus*)> {};

struct CreateEnvWithCustomLogger : Entry<4, S(LogFunction*, void* user, LogLevel, const char* id, OrtEnv**)> {};
struct GetAvailableProviders : Entry<125, S(char*** names, int* count)> {};
struct ReleaseAvailableProviders : Entry<126, S(char** names, int count)> {};
struct GetBuildInfoString : Entry<254, const char*()> {};

struct CreateSessionOptions : Entry<10, S(OrtSessionOptions**)> {};
struct ReleaseSessionOptions : Entry<100, void(OrtSessionOptions*)> {};
struct SetOptimizedModelFilePath : Entry<11, S(OrtSessionOptions*, const char* path)> {};
struct SetSessionExecutionMode : Entry<13, S(OrtSessionOptions*, ExecutionMode)> {};
struct EnableProfiling : Entry<14, S(OrtSessionOptions*, const char* file_prefix)> {};
struct EnableMemPattern : Entry<16, S(OrtSessionOptions*)> {};
struct DisableMemPattern : Entry<17, S(OrtSessionOptions*)> {};
struct EnableCpuMemArena : Entry<18, S(OrtSessionOptions*)> {};
struct DisableCpuMemArena : Entry<19, S(OrtSessionOptions*)> {};
struct SetSessionLogSeverityLevel : Entry<22, S(OrtSessionOptions*, int level)> {};
struct SetSessionGraphOptimizationLevel : Entry<23, S(OrtSessionOptions*, OptimizationLevel)> {};
struct SetIntraOpNumThreads : Entry<24, S(OrtSessionOptions*, int)> {};
struct SetInterOpNumThreads : Entry<25, S(OrtSessionOptions*, int)> {};
struct AddFreeDimensionOverrideByName : Entry<124, S(OrtSessionOptions*, const char* name, std::int64_t value)> {};
struct AddSessionConfigEntry : Entry<130, S(OrtSessionOptions*, const char* key, const char* value)> {};
struct GetSessionConfigEntry
    : Entry<238, S(const OrtSessionOptions*, const char* key, char* value, std::size_t* bytes)> {};
struct SessionOptionsSetCustomCreateThreadFn : Entry<196, S(OrtSessionOptions*, CreateThread*)> {};
struct SessionOptionsSetCustomThreadCreationOptions : Entry<197, S(OrtSessionOptions*, void* user)> {};
struct SessionOptionsSetCustomJoinThreadFn : Entry<198, S(OrtSessionOptions*, JoinThread*)> {};
struct SetUserLoggingFunction : Entry<266, S(OrtSessionOptions*, LogFunction*, void* user)> {};
struct SetDeterministicCompute : Entry<273, S(OrtSessionOptions*, bool)> {};
struct GetMemPatternEnabled : Entry<419, S(const OrtSessionOptions*, int*), kApiReadBack> {};
struct GetSessionExecutionMode : Entry<420, S(const OrtSessionOptions*, ExecutionMode*), kApiReadBack> {};

struct CreateSession : Entry<7, S(const OrtEnv*, const char* path, const OrtSessionOptions*, OrtSession**)> {};
struct ReleaseSession : Entry<95, void(OrtSession*)> {};
struct SessionGetInputCount : Entry<30, S(const OrtSession*, std::size_t*)> {};
struct SessionGetOutputCount : Entry<31, S(const OrtSession*, std::size_t*)> {};
struct SessionGetInputTypeInfo : Entry<33, S(const OrtSession*, std::size_t, OrtTypeInfo**)> {};
struct SessionGetOutputTypeInfo : Entry<34, S(const OrtSession*, std::size_t, OrtTypeInfo**)> {};
struct SessionGetInputName : Entry<36, S(const OrtSession*, std::size_t, OrtAllocator*, char**)> {};
struct SessionGetOutputName : Entry<37, S(const OrtSession*, std::size_t, OrtAllocator*, char**)> {};
struct SessionEndProfiling : Entry<110, S(OrtSession*, OrtAllocator*, char** path)> {};

struct CastTypeInfoToTensorInfo : Entry<55, S(const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**)> {};
struct GetOnnxTypeFromTypeInfo : Entry<56, S(const OrtTypeInfo*, int* type)> {};
struct ReleaseTypeInfo : Entry<98, void(OrtTypeInfo*)> {};
struct GetTensorElementType : Entry<60, S(const OrtTensorTypeAndShapeInfo*, int* type)> {};
struct GetDimensionsCount : Entry<61, S(const OrtTensorTypeAndShapeInfo*, std::size_t*)> {};
struct GetDimensions : Entry<62, S(const OrtTensorTypeAndShapeInfo*, std::int64_t*, std::size_t)> {};
struct GetSymbolicDimensions : Entry<63, S(const OrtTensorTypeAndShapeInfo*, const char**, std::size_t)> {};
struct GetTensorTypeAndShape : Entry<65, S(const OrtValue*, OrtTensorTypeAndShapeInfo**)> {};
struct ReleaseTensorTypeAndShapeInfo : Entry<99, void(OrtTensorTypeAndShapeInfo*)> {};
struct TensorTypeAndShapeHasShape : Entry<390, bool(const OrtTensorTypeAndShapeInfo*), kApiPlacement> {};

struct CreateCpuMemoryInfo : Entry<69, S(int allocator_type, int mem_type, OrtMemoryInfo**)> {};
struct CreateMemoryInfo
    : Entry<68, S(const char* name, int allocator_type, int device, int mem_type, OrtMemoryInfo**)> {};
struct MemoryInfoGetName : Entry<71, S(const OrtMemoryInfo*, const char**)> {};
struct SessionGetMemoryInfoForInputs
    : Entry<380, S(const OrtSession*, const OrtMemoryInfo**, std::size_t), kApiTensorMemory> {};
struct SessionGetMemoryInfoForOutputs
    : Entry<381, S(const OrtSession*, const OrtMemoryInfo**, std::size_t), kApiTensorMemory> {};
struct ReleaseMemoryInfo : Entry<94, void(OrtMemoryInfo*)> {};
struct AllocatorFree : Entry<76, S(OrtAllocator*, void*)> {};
struct GetAllocatorWithDefaultOptions : Entry<78, S(OrtAllocator**)> {};
struct CreateAllocator : Entry<131, S(const OrtSession*, const OrtMemoryInfo*, OrtAllocator**)> {};
struct ReleaseAllocator : Entry<132, void(OrtAllocator*)> {};
struct AllocatorGetStats : Entry<319, S(const OrtAllocator*, OrtKeyValuePairs**), kApiAllocatorStats> {};
struct GetKeyValuePairs
    : Entry<298, void(const OrtKeyValuePairs*, const char* const** keys, const char* const** values, std::size_t*),
            kApiAllocatorStats> {};
struct ReleaseKeyValuePairs : Entry<300, void(OrtKeyValuePairs*), kApiAllocatorStats> {};

struct CreateRunOptions : Entry<39, S(OrtRunOptions**)> {};
struct ReleaseRunOptions : Entry<97, void(OrtRunOptions*)> {};
struct AddRunConfigEntry : Entry<165, S(OrtRunOptions*, const char* key, const char* value)> {};
struct CreateTensorWithDataAsOrtValue
    : Entry<49, S(const OrtMemoryInfo*, void* data, std::size_t bytes, const std::int64_t* shape, std::size_t rank,
                  int type, OrtValue**)> {};
struct GetTensorMutableData : Entry<51, S(OrtValue*, void**)> {};
struct ReleaseValue : Entry<96, void(OrtValue*)> {};
struct RunWithBinding : Entry<133, S(OrtSession*, const OrtRunOptions*, const OrtIoBinding*)> {};
struct CreateIoBinding : Entry<134, S(OrtSession*, OrtIoBinding**)> {};
struct ReleaseIoBinding : Entry<135, void(OrtIoBinding*)> {};
struct BindInput : Entry<136, S(OrtIoBinding*, const char* name, const OrtValue*)> {};
struct BindOutput : Entry<137, S(OrtIoBinding*, const char* name, const OrtValue*)> {};
struct BindOutputToDevice : Entry<138, S(OrtIoBinding*, const char* name, const OrtMemoryInfo*)> {};
struct GetBoundOutputValues
    : Entry<140, S(const OrtIoBinding*, OrtAllocator*, OrtValue*** values, std::size_t* count)> {};

// Of a library that was built without CUDA they answer that it was.
struct SessionOptionsAppendCuda : Entry<204, S(OrtSessionOptions*, const OrtCUDAProviderOptionsV2*)> {};
struct CreateCudaOptions : Entry<205, S(OrtCUDAProviderOptionsV2**)> {};
struct UpdateCudaOptions
    : Entry<206, S(OrtCUDAProviderOptionsV2*, const char* const* keys, const char* const* values, std::size_t)> {};
struct GetCudaOptionsAsString : Entry<207, S(const OrtCUDAProviderOptionsV2*, OrtAllocator*, char**)> {};
struct ReleaseCudaOptions : Entry<208, void(OrtCUDAProviderOptionsV2*)> {};
struct UpdateCudaOptionsWithValue : Entry<263, S(OrtCUDAProviderOptionsV2*, const char* key, void* value)> {};

struct SessionGetEpGraphAssignmentInfo
    : Entry<407, S(const OrtSession*, const OrtEpAssignedSubgraph* const**, std::size_t*), kApiPlacement> {};
struct EpAssignedSubgraphGetEpName : Entry<408, S(const OrtEpAssignedSubgraph*, const char**), kApiPlacement> {};
struct EpAssignedSubgraphGetNodes
    : Entry<409, S(const OrtEpAssignedSubgraph*, const OrtEpAssignedNode* const**, std::size_t*), kApiPlacement> {};
struct EpAssignedNodeGetName : Entry<410, S(const OrtEpAssignedNode*, const char**), kApiPlacement> {};
struct EpAssignedNodeGetOperatorType : Entry<412, S(const OrtEpAssignedNode*, const char**), kApiPlacement> {};

/// Every entry that is used; the test that calls each counts against it.
using AllEntries = std::tuple<
    GetErrorCode, GetErrorMessage, ReleaseStatus, CreateEnvWithCustomLogger, GetAvailableProviders,
    ReleaseAvailableProviders, GetBuildInfoString, CreateSessionOptions, ReleaseSessionOptions,
    SetOptimizedModelFilePath, SetSessionExecutionMode, EnableProfiling, EnableMemPattern, DisableMemPattern,
    EnableCpuMemArena, DisableCpuMemArena, SetSessionLogSeverityLevel, SetSessionGraphOptimizationLevel,
    SetIntraOpNumThreads, SetInterOpNumThreads, AddFreeDimensionOverrideByName, AddSessionConfigEntry,
    GetSessionConfigEntry, SessionOptionsSetCustomCreateThreadFn, SessionOptionsSetCustomThreadCreationOptions,
    SessionOptionsSetCustomJoinThreadFn, SetUserLoggingFunction, SetDeterministicCompute, GetMemPatternEnabled,
    GetSessionExecutionMode, CreateSession, ReleaseSession, SessionGetInputCount, SessionGetOutputCount,
    SessionGetInputTypeInfo, SessionGetOutputTypeInfo, SessionGetInputName, SessionGetOutputName, SessionEndProfiling,
    CastTypeInfoToTensorInfo, GetOnnxTypeFromTypeInfo, ReleaseTypeInfo, GetTensorElementType, GetDimensionsCount,
    GetDimensions, GetSymbolicDimensions, GetTensorTypeAndShape, ReleaseTensorTypeAndShapeInfo,
    TensorTypeAndShapeHasShape, CreateCpuMemoryInfo, CreateMemoryInfo, MemoryInfoGetName, SessionGetMemoryInfoForInputs,
    SessionGetMemoryInfoForOutputs, SessionOptionsAppendCuda, CreateCudaOptions, UpdateCudaOptions,
    GetCudaOptionsAsString, ReleaseCudaOptions, UpdateCudaOptionsWithValue, ReleaseMemoryInfo, AllocatorFree,
    GetAllocatorWithDefaultOptions, CreateAllocator, ReleaseAllocator, AllocatorGetStats, GetKeyValuePairs,
    ReleaseKeyValuePairs, CreateRunOptions, ReleaseRunOptions, AddRunConfigEntry, CreateTensorWithDataAsOrtValue,
    GetTensorMutableData, ReleaseValue, RunWithBinding, CreateIoBinding, ReleaseIoBinding, BindInput, BindOutput,
    BindOutputToDevice, GetBoundOutputValues, SessionGetEpGraphAssignmentInfo, EpAssignedSubgraphGetEpName,
    EpAssignedSubgraphGetNodes, EpAssignedNodeGetName, EpAssignedNodeGetOperatorType>;

}  // namespace assay::ort
