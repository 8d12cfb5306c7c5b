// Every position of the library's table that the plugin uses is the function that we take it for.

#include <atomic>
#include <set>
#include <thread>

#include "ort_library.hpp"
#include "plugin_fixture.hpp"

namespace assay::ort {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <class... Entries>
std::set<unsigned> positions(std::tuple<Entries...>* /*list*/) {
  return {Entries::kIndex...};
}

/// Calls entries and notes which.
class Caller {
 public:
  explicit Caller(const Library& library) : library_(library) {}
  template <class E, class... Arguments>
  void call(Arguments... arguments) {
    called_.insert(E::kIndex);
    library_.call<E>("testing", arguments...);
  }
  template <class E, class... Arguments>
  auto raw(Arguments... arguments) {
    called_.insert(E::kIndex);
    return library_.raw<E>(arguments...);
  }
  [[nodiscard]] const std::set<unsigned>& called() const { return called_; }

 private:
  const Library& library_;
  std::set<unsigned> called_;
};

ThreadHandle create_counted(void* user, ThreadWorker* worker, void* argument) {
  ++*static_cast<std::atomic<int>*>(user);
  return new std::thread(worker, argument);
}
void join_counted(ThreadHandle handle) {
  const std::unique_ptr<std::thread> thread(const_cast<std::thread*>(static_cast<const std::thread*>(handle)));
  thread->join();
}
void collect(void* user, LogLevel /*level*/, const char* /*category*/, const char* /*id*/, const char* /*location*/,
             const char* message) {
  *static_cast<std::string*>(user) += message;
}

class ApiTest : public PluginTest {
 protected:
  ApiTest() : library_(Library::get(kit_host())), api_(library_) {}

  kit::Host kit_host() {
    const assay_host h = host();
    return kit::Host(&h);
  }

  void options_and_read_back() {
    api_.call<CreateSessionOptions>(&options_);
    api_.call<SetOptimizedModelFilePath>(options_, optimized_.c_str());
    api_.call<EnableProfiling>(options_, profile_.c_str());
    api_.call<EnableMemPattern>(options_);
    int enabled = 0;
    api_.call<GetMemPatternEnabled>(options_, &enabled);
    EXPECT_EQ(enabled, 1);
    api_.call<DisableMemPattern>(options_);
    api_.call<GetMemPatternEnabled>(options_, &enabled);
    EXPECT_EQ(enabled, 0);
    api_.call<DisableCpuMemArena>(options_);
    api_.call<EnableCpuMemArena>(options_);
    auto mode = ExecutionMode::kSequential;
    api_.call<SetSessionExecutionMode>(options_, ExecutionMode::kParallel);
    api_.call<GetSessionExecutionMode>(options_, &mode);
    EXPECT_EQ(mode, ExecutionMode::kParallel);
    api_.call<SetSessionExecutionMode>(options_, ExecutionMode::kSequential);
    api_.call<SetSessionGraphOptimizationLevel>(options_, OptimizationLevel::kAll);
    api_.call<SetIntraOpNumThreads>(options_, 3);
    api_.call<SetInterOpNumThreads>(options_, 1);
    api_.call<SetDeterministicCompute>(options_, true);
    api_.call<AddFreeDimensionOverrideByName>(options_, "N", std::int64_t{2});
    api_.call<SessionOptionsSetCustomCreateThreadFn>(options_, create_counted);
    api_.call<SessionOptionsSetCustomThreadCreationOptions>(options_, static_cast<void*>(&threads_));
    api_.call<SessionOptionsSetCustomJoinThreadFn>(options_, join_counted);
    api_.call<SetUserLoggingFunction>(options_, collect, static_cast<void*>(&session_log_));
    api_.call<SetSessionLogSeverityLevel>(options_, static_cast<int>(LogLevel::kInfo));
    api_.call<AddSessionConfigEntry>(options_, "session.record_ep_graph_assignment_info", "1");
    char value[8] = {};
    std::size_t size = sizeof value;
    api_.call<GetSessionConfigEntry>(options_, "session.record_ep_graph_assignment_info", &value[0], &size);
    EXPECT_STREQ(value, "1");
  }

  void environment() {
    OrtEnv* env = nullptr;  // the library has one environment, and gives it out again
    api_.call<CreateEnvWithCustomLogger>(collect, static_cast<void*>(&env_log_), LogLevel::kWarning, "test", &env);
    ASSERT_NE(env, nullptr);
    char** names = nullptr;
    int count = 0;
    api_.call<GetAvailableProviders>(&names, &count);
    ASSERT_GE(count, 1);
    EXPECT_STREQ(names[count - 1], "CPUExecutionProvider");
    api_.call<ReleaseAvailableProviders>(names, count);
    EXPECT_THAT(api_.raw<GetBuildInfoString>(), HasSubstr("ORT Build Info"));
    OrtSession* session = nullptr;
    model_ = write_model(onnx_bytes::dense());
    api_.call<CreateSession>(static_cast<const OrtEnv*>(env), model_.c_str(),
                             static_cast<const OrtSessionOptions*>(options_), &session);
    ort_session_ = session;
    EXPECT_EQ(threads_, 2) << "a pool of three is the caller and two threads";
    EXPECT_TRUE(std::filesystem::exists(optimized_));
    EXPECT_THAT(session_log_, Not(::testing::IsEmpty()));
  }

  void tensors_of_the_session() {
    const OrtSession* session = ort_session_;
    std::size_t count = 0;
    api_.call<SessionGetInputCount>(session, &count);
    EXPECT_EQ(count, 1U);
    api_.call<SessionGetOutputCount>(session, &count);
    EXPECT_EQ(count, 1U);
    api_.call<GetAllocatorWithDefaultOptions>(&allocator_);
    char* name = nullptr;
    api_.call<SessionGetInputName>(session, std::size_t{0}, allocator_, &name);
    EXPECT_STREQ(name, "x");
    api_.call<AllocatorFree>(allocator_, static_cast<void*>(name));
    api_.call<SessionGetOutputName>(session, std::size_t{0}, allocator_, &name);
    EXPECT_STREQ(name, "y");
    api_.call<AllocatorFree>(allocator_, static_cast<void*>(name));
    OrtTypeInfo* type = nullptr;
    api_.call<SessionGetOutputTypeInfo>(session, std::size_t{0}, &type);
    api_.raw<ReleaseTypeInfo>(type);
    api_.call<SessionGetInputTypeInfo>(session, std::size_t{0}, &type);
    int kind = 0;
    api_.call<GetOnnxTypeFromTypeInfo>(static_cast<const OrtTypeInfo*>(type), &kind);
    EXPECT_EQ(kind, kTypeTensor);
    const OrtTensorTypeAndShapeInfo* shape = nullptr;
    api_.call<CastTypeInfoToTensorInfo>(static_cast<const OrtTypeInfo*>(type), &shape);
    int element = 0;
    api_.call<GetTensorElementType>(shape, &element);
    EXPECT_EQ(element, ASSAY_FLOAT32);
    EXPECT_TRUE(api_.raw<TensorTypeAndShapeHasShape>(shape));
    std::size_t rank = 0;
    api_.call<GetDimensionsCount>(shape, &rank);
    ASSERT_EQ(rank, 2U);
    std::int64_t dims[2] = {};
    api_.call<GetDimensions>(shape, &dims[0], rank);
    EXPECT_EQ(dims[0], 2);  // fixed by the override
    EXPECT_EQ(dims[1], 4);
    const char* names[2] = {};
    api_.call<GetSymbolicDimensions>(shape, &names[0], rank);
    EXPECT_STREQ(names[1], "");
    api_.raw<ReleaseTypeInfo>(type);
  }

  /// Of a library without CUDA each says that it is; of one with it they work.
  void cuda() {
    const auto says_cuda = [&](OrtStatus* status) {
      if (status == nullptr) return;
      const std::string text = api_.raw<GetErrorMessage>(static_cast<const OrtStatus*>(status));
      EXPECT_THAT(text, ::testing::AnyOf(HasSubstr("CUDA"), HasSubstr("Cuda"), HasSubstr("cuda")));
      api_.raw<ReleaseStatus>(status);
    };
    OrtCUDAProviderOptionsV2* options = nullptr;
    says_cuda(api_.raw<CreateCudaOptions>(&options));
    const char* key = "device_id";
    const char* value = "0";
    char* text = nullptr;
    const OrtCUDAProviderOptionsV2* made = options;
    says_cuda(api_.raw<UpdateCudaOptions>(options, &key, &value, std::size_t{1}));
    says_cuda(api_.raw<UpdateCudaOptionsWithValue>(options, "user_compute_stream", static_cast<void*>(nullptr)));
    says_cuda(api_.raw<GetCudaOptionsAsString>(made, allocator_, &text));
    if (text != nullptr) api_.call<AllocatorFree>(allocator_, static_cast<void*>(text));
    // A library without CUDA reads them before it finds that it has no provider for them; what it misses is its own
    // matter.
    const std::vector<std::byte> zeros(1024);
    if (made == nullptr) made = reinterpret_cast<const OrtCUDAProviderOptionsV2*>(zeros.data());
    OrtStatus* appended = api_.raw<SessionOptionsAppendCuda>(options_, made);
    EXPECT_TRUE(appended != nullptr || options != nullptr);
    if (appended != nullptr) api_.raw<ReleaseStatus>(appended);
    api_.raw<ReleaseCudaOptions>(options);
  }

  void places_of_tensors() {
    const OrtMemoryInfo* place = nullptr;
    const char* name = nullptr;
    api_.call<SessionGetMemoryInfoForInputs>(static_cast<const OrtSession*>(ort_session_), &place, std::size_t{1});
    api_.call<MemoryInfoGetName>(place, &name);
    EXPECT_STREQ(name, "Cpu");
    place = nullptr;
    api_.call<SessionGetMemoryInfoForOutputs>(static_cast<const OrtSession*>(ort_session_), &place, std::size_t{1});
    api_.call<MemoryInfoGetName>(place, &name);
    EXPECT_STREQ(name, "Cpu");
    OrtMemoryInfo* gpu = nullptr;
    api_.call<CreateMemoryInfo>("Cuda", kDeviceAllocator, 1, kMemTypeDefault, &gpu);
    api_.call<MemoryInfoGetName>(static_cast<const OrtMemoryInfo*>(gpu), &name);
    EXPECT_STREQ(name, "Cuda");
    api_.raw<ReleaseMemoryInfo>(gpu);
  }

  void one_run() {
    OrtMemoryInfo* memory = nullptr;
    api_.call<CreateCpuMemoryInfo>(kArenaAllocator, kMemTypeDefault, &memory);
    OrtRunOptions* run = nullptr;
    api_.call<CreateRunOptions>(&run);
    api_.call<AddRunConfigEntry>(run, "memory.enable_memory_arena_shrinkage", "cpu:0");
    OrtIoBinding* binding = nullptr;
    api_.call<CreateIoBinding>(ort_session_, &binding);
    float x[8] = {1, 2, 3, 4, -1, 0, 0, 1};
    float y[6] = {};
    const std::int64_t in[2] = {2, 4};
    const std::int64_t out[2] = {2, 3};
    OrtValue* input = nullptr;
    OrtValue* output = nullptr;
    const OrtMemoryInfo* host = memory;
    api_.call<CreateTensorWithDataAsOrtValue>(host, static_cast<void*>(x), sizeof x, &in[0], std::size_t{2}, 1, &input);
    api_.call<CreateTensorWithDataAsOrtValue>(host, static_cast<void*>(y), sizeof y, &out[0], std::size_t{2}, 1,
                                              &output);
    api_.call<BindInput>(binding, "x", static_cast<const OrtValue*>(input));
    api_.call<BindOutput>(binding, "y", static_cast<const OrtValue*>(output));
    const OrtIoBinding* bound = binding;
    api_.call<RunWithBinding>(ort_session_, static_cast<const OrtRunOptions*>(run), bound);
    EXPECT_THAT(y, ::testing::ElementsAre(20, 10.5, 1, 3, 3.5, 4));
    api_.call<BindOutputToDevice>(binding, "y", host);
    api_.call<RunWithBinding>(ort_session_, static_cast<const OrtRunOptions*>(run), bound);
    OrtValue** values = nullptr;
    std::size_t count = 0;
    api_.call<GetBoundOutputValues>(bound, allocator_, &values, &count);
    ASSERT_EQ(count, 1U);
    void* data = nullptr;
    api_.call<GetTensorMutableData>(values[0], &data);
    EXPECT_EQ(static_cast<float*>(data)[0], 20.0F);
    OrtTensorTypeAndShapeInfo* shape = nullptr;
    api_.call<GetTensorTypeAndShape>(static_cast<const OrtValue*>(values[0]), &shape);
    api_.raw<ReleaseTensorTypeAndShapeInfo>(shape);
    for (OrtValue* value : {values[0], input, output}) api_.raw<ReleaseValue>(value);
    api_.call<AllocatorFree>(allocator_, static_cast<void*>(values));
    api_.raw<ReleaseIoBinding>(binding);
    api_.raw<ReleaseRunOptions>(run);
    memory_statistics(memory);
    api_.raw<ReleaseMemoryInfo>(memory);
  }

  void memory_statistics(const OrtMemoryInfo* memory) {
    OrtAllocator* arena = nullptr;
    api_.call<CreateAllocator>(static_cast<const OrtSession*>(ort_session_), memory, &arena);
    OrtKeyValuePairs* pairs = nullptr;
    api_.call<AllocatorGetStats>(static_cast<const OrtAllocator*>(arena), &pairs);
    const char* const* keys = nullptr;
    const char* const* values = nullptr;
    std::size_t count = 0;
    api_.raw<GetKeyValuePairs>(static_cast<const OrtKeyValuePairs*>(pairs), &keys, &values, &count);
    EXPECT_THAT(std::vector<std::string>(keys, keys + count), ::testing::Contains("MaxInUse"));
    api_.raw<ReleaseKeyValuePairs>(pairs);
    api_.raw<ReleaseAllocator>(arena);
  }

  void placement_and_profile() {
    const OrtEpAssignedSubgraph* const* subgraphs = nullptr;
    std::size_t count = 0;
    api_.call<SessionGetEpGraphAssignmentInfo>(static_cast<const OrtSession*>(ort_session_), &subgraphs, &count);
    ASSERT_GE(count, 1U);
    const char* text = nullptr;
    api_.call<EpAssignedSubgraphGetEpName>(subgraphs[0], &text);
    EXPECT_STREQ(text, "CPUExecutionProvider");
    const OrtEpAssignedNode* const* nodes = nullptr;
    api_.call<EpAssignedSubgraphGetNodes>(subgraphs[0], &nodes, &count);
    ASSERT_GE(count, 1U);
    api_.call<EpAssignedNodeGetOperatorType>(nodes[0], &text);
    EXPECT_THAT(text, HasSubstr("Gemm"));
    api_.call<EpAssignedNodeGetName>(nodes[0], &text);
    EXPECT_STRNE(text, "");
    char* path = nullptr;
    api_.call<SessionEndProfiling>(ort_session_, allocator_, &path);
    EXPECT_THAT(path, HasSubstr(profile_));
    EXPECT_TRUE(std::filesystem::exists(path));
    api_.call<AllocatorFree>(allocator_, static_cast<void*>(path));
  }

  void failure() {
    OrtSession* session = nullptr;
    OrtStatus* status = api_.raw<CreateSession>(static_cast<const OrtEnv*>(library_.env()), "/absent.onnx",
                                                static_cast<const OrtSessionOptions*>(options_), &session);
    ASSERT_NE(status, nullptr);
    EXPECT_EQ(api_.raw<GetErrorCode>(static_cast<const OrtStatus*>(status)), ErrorCode::kNoSuchFile);
    EXPECT_THAT(api_.raw<GetErrorMessage>(static_cast<const OrtStatus*>(status)), HasSubstr("/absent.onnx"));
    api_.raw<ReleaseStatus>(status);
  }

  Library& library_;
  Caller api_;
  std::string env_log_, session_log_;
  std::string optimized_ = (folder_.path() / "optimized.onnx").string();
  std::string profile_ = (folder_.path() / "profile").string();
  std::string model_;
  std::atomic<int> threads_{0};
  OrtSessionOptions* options_ = nullptr;
  OrtSession* ort_session_ = nullptr;
  OrtAllocator* allocator_ = nullptr;
};

TEST_F(ApiTest, EveryEntryThatIsUsedIsWhereWeTakeItFor) {
  if (!library_.has(kApiReadBack)) GTEST_SKIP() << "ONNX Runtime " << library_.version() << " lacks some entries";
  options_and_read_back();
  ASSERT_NO_FATAL_FAILURE(environment());
  tensors_of_the_session();
  places_of_tensors();
  cuda();
  ASSERT_NO_FATAL_FAILURE(one_run());
  ASSERT_NO_FATAL_FAILURE(placement_and_profile());
  failure();
  api_.raw<ReleaseSession>(ort_session_);
  api_.raw<ReleaseSessionOptions>(options_);
  AllEntries* const list = nullptr;
  EXPECT_EQ(api_.called(), positions(list));
}

TEST_F(ApiTest, TheLibrarySpeaksTheVersionThatItsNameSays) {
  EXPECT_TRUE(library_.has(kApiRequired));
  EXPECT_FALSE(library_.has(api_version_of(library_.version()) + 1));
}

}  // namespace
}  // namespace assay::ort
