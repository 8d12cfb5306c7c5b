#pragma once
// The functions of CUDA's runtime that are used. Their types are the header's; their names are written out, since the
// header may put a macro in the place of one.

#include "nvidia/cuda_runtime.hpp"

namespace assay::nvidia {

struct CudaRuntime::Table {
  decltype(&::cudaRuntimeGetVersion) runtime_get_version = nullptr;
  decltype(&::cudaDriverGetVersion) driver_get_version = nullptr;
  decltype(&::cudaGetErrorName) get_error_name = nullptr;
  decltype(&::cudaGetErrorString) get_error_string = nullptr;
  decltype(&::cudaGetLastError) get_last_error = nullptr;
  decltype(&::cudaGetDeviceCount) get_device_count = nullptr;
  decltype(&::cudaGetDeviceProperties) get_device_properties = nullptr;
  decltype(&::cudaDeviceGetAttribute) device_get_attribute = nullptr;
  decltype(&::cudaDeviceGetPCIBusId) device_get_pci_bus_id = nullptr;
  decltype(&::cudaSetDevice) set_device = nullptr;
  decltype(&::cudaGetDevice) get_device = nullptr;
  decltype(&::cudaDeviceSynchronize) device_synchronize = nullptr;
  decltype(&::cudaMemGetInfo) mem_get_info = nullptr;
  decltype(&::cudaPointerGetAttributes) pointer_get_attributes = nullptr;
  decltype(&::cudaMalloc) device_malloc = nullptr;
  decltype(&::cudaFree) device_free = nullptr;
  decltype(&::cudaHostAlloc) host_alloc = nullptr;
  decltype(&::cudaFreeHost) host_free = nullptr;
  decltype(&::cudaMemcpyAsync) memcpy_async = nullptr;
  decltype(&::cudaStreamCreateWithFlags) stream_create = nullptr;
  decltype(&::cudaStreamDestroy) stream_destroy = nullptr;
  decltype(&::cudaStreamSynchronize) stream_synchronize = nullptr;
  decltype(&::cudaStreamWaitEvent) stream_wait_event = nullptr;
  decltype(&::cudaLaunchHostFunc) launch_host_func = nullptr;
  decltype(&::cudaStreamBeginCapture) stream_begin_capture = nullptr;
  decltype(&::cudaStreamEndCapture) stream_end_capture = nullptr;
  decltype(&::cudaEventCreateWithFlags) event_create = nullptr;
  decltype(&::cudaEventDestroy) event_destroy = nullptr;
  decltype(&::cudaEventRecord) event_record = nullptr;
  decltype(&::cudaEventQuery) event_query = nullptr;
  decltype(&::cudaEventSynchronize) event_synchronize = nullptr;
  decltype(&::cudaEventElapsedTime) event_elapsed_time = nullptr;
  decltype(&::cudaGraphInstantiate) graph_instantiate = nullptr;
  decltype(&::cudaGraphDestroy) graph_destroy = nullptr;
  decltype(&::cudaGraphExecDestroy) graph_exec_destroy = nullptr;
  decltype(&::cudaGraphLaunch) graph_launch = nullptr;
};

/// Calls `f(symbol, function pointer)` for each function but get_device_properties.
template <class F>
void for_each_symbol(CudaRuntime::Table& t, F f) {
  f("cudaRuntimeGetVersion", t.runtime_get_version);
  f("cudaDriverGetVersion", t.driver_get_version);
  f("cudaGetErrorName", t.get_error_name);
  f("cudaGetErrorString", t.get_error_string);
  f("cudaGetLastError", t.get_last_error);
  f("cudaGetDeviceCount", t.get_device_count);
  f("cudaDeviceGetAttribute", t.device_get_attribute);
  f("cudaDeviceGetPCIBusId", t.device_get_pci_bus_id);
  f("cudaSetDevice", t.set_device);
  f("cudaGetDevice", t.get_device);
  f("cudaDeviceSynchronize", t.device_synchronize);
  f("cudaMemGetInfo", t.mem_get_info);
  f("cudaPointerGetAttributes", t.pointer_get_attributes);
  f("cudaMalloc", t.device_malloc);
  f("cudaFree", t.device_free);
  f("cudaHostAlloc", t.host_alloc);
  f("cudaFreeHost", t.host_free);
  f("cudaMemcpyAsync", t.memcpy_async);
  f("cudaStreamCreateWithFlags", t.stream_create);
  f("cudaStreamDestroy", t.stream_destroy);
  f("cudaStreamSynchronize", t.stream_synchronize);
  f("cudaStreamWaitEvent", t.stream_wait_event);
  f("cudaLaunchHostFunc", t.launch_host_func);
  f("cudaStreamBeginCapture", t.stream_begin_capture);
  f("cudaStreamEndCapture", t.stream_end_capture);
  f("cudaEventCreateWithFlags", t.event_create);
  f("cudaEventDestroy", t.event_destroy);
  f("cudaEventRecord", t.event_record);
  f("cudaEventQuery", t.event_query);
  f("cudaEventSynchronize", t.event_synchronize);
  f("cudaEventElapsedTime", t.event_elapsed_time);
  f("cudaGraphInstantiate", t.graph_instantiate);  // of three arguments since CUDA 12.0
  f("cudaGraphDestroy", t.graph_destroy);
  f("cudaGraphExecDestroy", t.graph_exec_destroy);
  f("cudaGraphLaunch", t.graph_launch);
}

}  // namespace assay::nvidia
