#include "nvidia/cuda_objects.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "nvidia/cuda_errors.hpp"
#include "nvidia/cuda_table.hpp"

namespace assay::nvidia {
namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;

std::string gpu_name(int device) { return "gpu:" + std::to_string(device); }

/// `what()` is written only of an error: a batch that goes well allocates nothing.
template <class What>
void check_lazily(const CudaRuntime& cuda, cudaError_t status, What what) {
  if (status != cudaSuccess) cuda.check(status, what());
}

void* new_device_memory(const CudaRuntime& cuda, int device, std::size_t bytes) {
  if (bytes == 0) return nullptr;
  cuda.set_device(device);
  void* data = nullptr;
  const cudaError_t status = cuda.table().device_malloc(&data, bytes);
  check_lazily(cuda, status, [&] {
    std::string what = "allocate " + size_text(bytes) + " on " + gpu_name(device);
    std::size_t free = 0, total = 0;
    if (status == cudaErrorMemoryAllocation && cuda.table().mem_get_info(&free, &total) == cudaSuccess) {
      what += ", of whose " + size_text(total) + " there are " + size_text(free) + " free";
    }
    return what;
  });
  return data;
}

cudaStream_t new_stream(const CudaRuntime& cuda, int device) {
  cuda.set_device(device);
  cudaStream_t stream = nullptr;
  check_lazily(cuda, cuda.table().stream_create(&stream, cudaStreamNonBlocking),
               [&] { return "make a stream on " + gpu_name(device); });
  return stream;
}

cudaEvent_t new_event(const CudaRuntime& cuda, int device) {
  cuda.set_device(device);
  cudaEvent_t event = nullptr;
  check_lazily(cuda, cuda.table().event_create(&event, cudaEventBlockingSync),
               [&] { return "make an event on " + gpu_name(device); });
  return event;
}

[[noreturn]] void cannot_capture(const std::string& why) {
  throw kit::Failure(ASSAY_UNSUPPORTED,
                     "what was launched cannot be captured as a CUDA graph: " + why + ". Run without a CUDA graph.");
}

/// Ends the capture whatever became of it, so that the stream can be used again; the graph may be nullptr.
cudaError_t end_capture(const CudaRuntime& cuda, Stream& stream, detail::Owned<cudaGraph_t>& graph) {
  cudaGraph_t captured = nullptr;
  const cudaError_t status = cuda.table().stream_end_capture(stream.get(), &captured);
  graph = {cuda, stream.device(), captured, cuda.table().graph_destroy};
  return status;
}

/// Runs `launch` while the stream captures. Whatever it throws, the capture is ended.
detail::Owned<cudaGraph_t> capture(const CudaRuntime& cuda, Stream& stream, const std::function<void()>& launch) {
  detail::Owned<cudaGraph_t> graph;
  cuda.set_device(stream.device());
  // Calls that capturing forbids are forbidden to this thread alone: other sessions go on.
  check_lazily(cuda, cuda.table().stream_begin_capture(stream.get(), cudaStreamCaptureModeThreadLocal),
               [] { return std::string("begin to capture a CUDA graph"); });
  try {
    launch();
  } catch (const kit::Failure& e) {
    end_capture(cuda, stream, graph);
    cuda.table().get_last_error();
    if (e.code() != ASSAY_FRAMEWORK) throw;
    cannot_capture(e.what());
  } catch (...) {
    end_capture(cuda, stream, graph);
    cuda.table().get_last_error();
    throw;
  }
  check_lazily(cuda, end_capture(cuda, stream, graph), [] { return std::string("capture a CUDA graph"); });
  if (graph.get() == nullptr) cannot_capture("CUDA gave no graph and no reason");
  return graph;
}

cudaGraphExec_t new_graph(const CudaRuntime& cuda, Stream& stream, const std::function<void()>& launch) {
  const detail::Owned<cudaGraph_t> graph = capture(cuda, stream, launch);
  cudaGraphExec_t executable = nullptr;
  check_lazily(cuda, cuda.table().graph_instantiate(&executable, graph.get(), 0),
               [] { return std::string("make what was captured a graph that can be launched"); });
  return executable;
}

/// Nothing is to be done about an error here: the device may be lost, and what it held with it.
void forgive(const CudaRuntime& cuda, cudaError_t status) noexcept {
  if (status != cudaSuccess) cuda.table().get_last_error();
}

}  // namespace

template <class Handle>
void detail::Owned<Handle>::reset() noexcept {
  if (handle_ == nullptr) return;
  forgive(*cuda_, cuda_->table().set_device(device_));
  forgive(*cuda_, give_back_(std::exchange(handle_, nullptr)));
}

template class detail::Owned<void*>;
template class detail::Owned<cudaStream_t>;
template class detail::Owned<cudaEvent_t>;
template class detail::Owned<cudaGraph_t>;
template class detail::Owned<cudaGraphExec_t>;

DeviceBuffer::DeviceBuffer(const CudaRuntime& cuda, int device, std::size_t bytes)
    : memory_(cuda, device, new_device_memory(cuda, device, bytes), cuda.table().device_free), bytes_(bytes) {}

void* allocate_pinned(const CudaRuntime& cuda, std::size_t bytes) {
  if (bytes == 0) return nullptr;
  void* data = nullptr;
  check_lazily(cuda, cuda.table().host_alloc(&data, bytes, cudaHostAllocPortable),
               [&] { return "allocate " + size_text(bytes) + " of the host's memory for copying (pinned)"; });
  return data;
}

void free_pinned(const CudaRuntime& cuda, void* data) {
  if (data != nullptr) forgive(cuda, cuda.table().host_free(data));
}

Stream::Stream(const CudaRuntime& cuda, int device)
    : stream_(cuda, device, new_stream(cuda, device), cuda.table().stream_destroy) {}

void Stream::copy_in(void* device, const void* host, std::size_t bytes) {
  const CudaRuntime& cuda = stream_.cuda();
  cuda.set_device(stream_.device());
  check_lazily(cuda, cuda.table().memcpy_async(device, host, bytes, cudaMemcpyHostToDevice, get()),
               [&] { return "copy " + size_text(bytes) + " to " + gpu_name(stream_.device()); });
}

void Stream::copy_out(void* host, const void* device, std::size_t bytes) {
  const CudaRuntime& cuda = stream_.cuda();
  cuda.set_device(stream_.device());
  check_lazily(cuda, cuda.table().memcpy_async(host, device, bytes, cudaMemcpyDeviceToHost, get()),
               [&] { return "copy " + size_text(bytes) + " from " + gpu_name(stream_.device()); });
}

void Stream::synchronize() {
  const CudaRuntime& cuda = stream_.cuda();
  cuda.set_device(stream_.device());
  check_lazily(cuda, cuda.table().stream_synchronize(get()),
               [&] { return "finish what was launched on " + gpu_name(stream_.device()); });
}

void Stream::wait(const Event& event) {
  const CudaRuntime& cuda = stream_.cuda();
  cuda.set_device(device());
  check_lazily(cuda, cuda.table().stream_wait_event(stream_.get(), event.get(), 0),
               [&] { return "make a stream of " + gpu_name(device()) + " wait for another"; });
}

void Stream::call(void (*done)(void*), void* user) {
  const CudaRuntime& cuda = stream_.cuda();
  cuda.set_device(stream_.device());
  check_lazily(cuda, cuda.table().launch_host_func(get(), done, user),
               [&] { return "be called when " + gpu_name(stream_.device()) + " is done"; });
}

Event::Event(const CudaRuntime& cuda, int device)
    : event_(cuda, device, new_event(cuda, device), cuda.table().event_destroy) {}

void Event::record(Stream& stream) {
  const CudaRuntime& cuda = event_.cuda();
  cuda.set_device(event_.device());
  check_lazily(cuda, cuda.table().event_record(event_.get(), stream.get()),
               [&] { return "mark a time on " + gpu_name(event_.device()); });
}

bool Event::passed() const {
  const CudaRuntime& cuda = event_.cuda();
  const cudaError_t status = cuda.table().event_query(event_.get());
  if (status == cudaErrorNotReady) {
    cuda.table().get_last_error();  // no error, and a framework that asks for the last one would take it for one
    return false;
  }
  check_lazily(cuda, status, [&] { return "ask whether a batch on " + gpu_name(event_.device()) + " is done"; });
  return true;
}

void Event::synchronize() {
  const CudaRuntime& cuda = event_.cuda();
  cuda.set_device(event_.device());
  check_lazily(cuda, cuda.table().event_synchronize(event_.get()),
               [&] { return "wait for a batch on " + gpu_name(event_.device()); });
}

std::int64_t Event::nanoseconds_since(const Event& begin) const {
  const CudaRuntime& cuda = event_.cuda();
  float milliseconds = 0;
  check_lazily(cuda, cuda.table().event_elapsed_time(&milliseconds, begin.event_.get(), event_.get()),
               [&] { return "read the time between two events of " + gpu_name(event_.device()); });
  return std::llround(static_cast<double>(milliseconds) * kNanosecondsPerMillisecond);
}

std::int64_t nanoseconds_ahead(const Event& begun, const Event& computed, std::chrono::nanoseconds launching) {
  return std::max<std::int64_t>(computed.nanoseconds_since(begun) - launching.count(), 0);
}

CapturedGraph::CapturedGraph(const CudaRuntime& cuda, Stream& stream, const std::function<void()>& launch)
    : graph_(cuda, stream.device(), new_graph(cuda, stream, launch), cuda.table().graph_exec_destroy) {}

void CapturedGraph::launch(Stream& stream) {
  const CudaRuntime& cuda = graph_.cuda();
  cuda.set_device(stream.device());
  check_lazily(cuda, cuda.table().graph_launch(graph_.get(), stream.get()),
               [&] { return "launch a CUDA graph on " + gpu_name(stream.device()); });
}

}  // namespace assay::nvidia
