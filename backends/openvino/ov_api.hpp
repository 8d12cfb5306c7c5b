#pragma once
// What is used of OpenVINO's C API (openvino/c/*.h, 2026.0 to 2026.4), declared here so that nothing of OpenVINO is
// needed to build and any version met at run time can be opened. ov_api_test resolves every one of them.

#include <cstddef>
#include <cstdint>

extern "C" {
struct ov_core;
struct ov_model;
struct ov_compiled_model;
struct ov_infer_request;
struct ov_tensor;
struct ov_output_const_port;

struct ov_version {
  const char* build_number;
  const char* description;
};
struct ov_dimension {
  std::int64_t min, max;
};
struct ov_shape {
  std::int64_t rank;
  std::int64_t* dims;
};
struct ov_partial_shape {
  ov_dimension rank;
  ov_dimension* dims;
};
struct ov_callback {
  void (*function)(void* args);
  void* args;
};
struct ov_profiling_info {
  int status;                        // 0 not run, 1 optimized out, 2 executed
  std::int64_t real_time, cpu_time;  // microseconds
  const char *node_name, *exec_type, *node_type;
};
struct ov_profiling_info_list {
  ov_profiling_info* infos;
  std::size_t size;
};
}

namespace assay::openvino {

/// ov_status_e: 0, or negative.
using Status = int;
inline constexpr Status kOk = 0;
inline constexpr Status kNotImplemented = -2;
inline constexpr Status kParameterMismatch = -4;

/// ov_element_type_e since 2026.0 (before, one more value stood at the front).
enum class ElementType : int {
  kDynamic = 0,
  kBoolean = 1,
  kBf16 = 2,
  kF16 = 3,
  kF32 = 4,
  kF64 = 5,
  kI8 = 7,
  kI16 = 8,
  kI32 = 9,
  kI64 = 10,
  kU8 = 16,
  kU16 = 17,
  kU32 = 18,
  kU64 = 19
};

/// The functions, as they were found. Optional ones may be null.
struct Api {
  Status (*get_openvino_version)(ov_version*);
  void (*version_free)(ov_version*);
  const char* (*get_error_info)(Status);
  const char* (*get_last_err_msg)();
  void (*free)(const char*);

  Status (*core_create)(ov_core**);
  void (*core_free)(ov_core*);
  Status (*core_read_model)(const ov_core*, const char* model_path, const char* bin_path, ov_model**);
  Status (*core_compile_model)(const ov_core*, const ov_model*, const char* device, std::size_t args,
                               ov_compiled_model**, ...);
  Status (*core_set_property)(const ov_core*, const char* device, ...);
  Status (*core_get_property)(const ov_core*, const char* device, const char* key, char** value);
  Status (*core_import_model)(const ov_core*, const char* content, std::size_t size, const char* device,
                              ov_compiled_model**);

  void (*model_free)(ov_model*);
  Status (*model_inputs_size)(const ov_model*, std::size_t*);
  Status (*model_const_input_by_index)(const ov_model*, std::size_t, ov_output_const_port**);
  Status (*model_reshape)(const ov_model*, const char** names, const ov_partial_shape*, std::size_t);

  void (*compiled_model_free)(ov_compiled_model*);
  Status (*compiled_model_inputs_size)(const ov_compiled_model*, std::size_t*);
  Status (*compiled_model_outputs_size)(const ov_compiled_model*, std::size_t*);
  Status (*compiled_model_input_by_index)(const ov_compiled_model*, std::size_t, ov_output_const_port**);
  Status (*compiled_model_output_by_index)(const ov_compiled_model*, std::size_t, ov_output_const_port**);
  Status (*compiled_model_input_by_name)(const ov_compiled_model*, const char*, ov_output_const_port**);
  Status (*compiled_model_output_by_name)(const ov_compiled_model*, const char*, ov_output_const_port**);
  Status (*compiled_model_get_property)(const ov_compiled_model*, const char* key, char** value);
  Status (*compiled_model_export_model)(const ov_compiled_model*, const char* path);
  Status (*compiled_model_create_infer_request)(const ov_compiled_model*, ov_infer_request**);

  Status (*port_get_any_name)(const ov_output_const_port*, char**);
  Status (*port_get_partial_shape)(const ov_output_const_port*, ov_partial_shape*);
  Status (*port_get_element_type)(const ov_output_const_port*, int*);
  void (*output_const_port_free)(ov_output_const_port*);
  void (*partial_shape_free)(ov_partial_shape*);

  Status (*tensor_create_from_host_ptr)(int type, ov_shape, void*, ov_tensor**);
  Status (*tensor_get_shape)(const ov_tensor*, ov_shape*);
  Status (*tensor_get_byte_size)(const ov_tensor*, std::size_t*);
  Status (*tensor_data)(const ov_tensor*, void**);
  void (*tensor_free)(ov_tensor*);
  Status (*shape_free)(ov_shape*);

  void (*infer_request_free)(ov_infer_request*);
  Status (*infer_request_set_tensor_by_const_port)(ov_infer_request*, const ov_output_const_port*, const ov_tensor*);
  Status (*infer_request_get_tensor_by_const_port)(const ov_infer_request*, const ov_output_const_port*, ov_tensor**);
  Status (*infer_request_infer)(ov_infer_request*);
  Status (*infer_request_start_async)(ov_infer_request*);
  Status (*infer_request_wait)(ov_infer_request*);
  Status (*infer_request_set_callback)(ov_infer_request*, const ov_callback*);
  Status (*infer_request_get_profiling_info)(const ov_infer_request*, ov_profiling_info_list*);
  void (*profiling_info_list_free)(ov_profiling_info_list*);

  // Not in every release; null where it is missing.
  void (*util_set_log_callback)(void (*)(const char*));
};

/// Calls `f(symbol, function pointer, required)` for each function of `api`.
template <class F>
void for_each_symbol(Api& api, F f) {
  f("ov_get_openvino_version", api.get_openvino_version, true);
  f("ov_version_free", api.version_free, true);
  f("ov_get_error_info", api.get_error_info, true);
  f("ov_get_last_err_msg", api.get_last_err_msg, true);
  f("ov_free", api.free, true);
  f("ov_core_create", api.core_create, true);
  f("ov_core_free", api.core_free, true);
  f("ov_core_read_model", api.core_read_model, true);
  f("ov_core_compile_model", api.core_compile_model, true);
  f("ov_core_set_property", api.core_set_property, true);
  f("ov_core_get_property", api.core_get_property, true);
  f("ov_core_import_model", api.core_import_model, true);
  f("ov_model_free", api.model_free, true);
  f("ov_model_inputs_size", api.model_inputs_size, true);
  f("ov_model_const_input_by_index", api.model_const_input_by_index, true);
  f("ov_model_reshape", api.model_reshape, true);
  f("ov_compiled_model_free", api.compiled_model_free, true);
  f("ov_compiled_model_inputs_size", api.compiled_model_inputs_size, true);
  f("ov_compiled_model_outputs_size", api.compiled_model_outputs_size, true);
  f("ov_compiled_model_input_by_index", api.compiled_model_input_by_index, true);
  f("ov_compiled_model_output_by_index", api.compiled_model_output_by_index, true);
  f("ov_compiled_model_input_by_name", api.compiled_model_input_by_name, true);
  f("ov_compiled_model_output_by_name", api.compiled_model_output_by_name, true);
  f("ov_compiled_model_get_property", api.compiled_model_get_property, true);
  f("ov_compiled_model_export_model", api.compiled_model_export_model, true);
  f("ov_compiled_model_create_infer_request", api.compiled_model_create_infer_request, true);
  f("ov_port_get_any_name", api.port_get_any_name, true);
  f("ov_port_get_partial_shape", api.port_get_partial_shape, true);
  f("ov_port_get_element_type", api.port_get_element_type, true);
  f("ov_output_const_port_free", api.output_const_port_free, true);
  f("ov_partial_shape_free", api.partial_shape_free, true);
  f("ov_tensor_create_from_host_ptr", api.tensor_create_from_host_ptr, true);
  f("ov_tensor_get_shape", api.tensor_get_shape, true);
  f("ov_tensor_get_byte_size", api.tensor_get_byte_size, true);
  f("ov_tensor_data", api.tensor_data, true);
  f("ov_tensor_free", api.tensor_free, true);
  f("ov_shape_free", api.shape_free, true);
  f("ov_infer_request_free", api.infer_request_free, true);
  f("ov_infer_request_set_tensor_by_const_port", api.infer_request_set_tensor_by_const_port, true);
  f("ov_infer_request_get_tensor_by_const_port", api.infer_request_get_tensor_by_const_port, true);
  f("ov_infer_request_infer", api.infer_request_infer, true);
  f("ov_infer_request_start_async", api.infer_request_start_async, true);
  f("ov_infer_request_wait", api.infer_request_wait, true);
  f("ov_infer_request_set_callback", api.infer_request_set_callback, true);
  f("ov_infer_request_get_profiling_info", api.infer_request_get_profiling_info, true);
  f("ov_profiling_info_list_free", api.profiling_info_list_free, true);
  f("ov_util_set_log_callback", api.util_set_log_callback, false);
}

/// The functions of an opened library. Throws Failure(ASSAY_UNAVAILABLE) naming `library` and what it lacks.
Api resolve(void* handle, const char* library);

}  // namespace assay::openvino
