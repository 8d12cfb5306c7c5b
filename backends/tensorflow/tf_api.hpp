#pragma once
// What is used of TensorFlow's C API (tensorflow/c/c_api.h and its parts), declared here so that no TensorFlow is
// needed to build. The C API's functions keep their meaning from one release to the next.

#include <cstddef>
#include <cstdint>

namespace assay::tensorflow {

// NOLINTBEGIN(readability-identifier-naming): the C API's names
struct TF_Status;
struct TF_Tensor;
struct TF_Graph;
struct TF_Operation;
struct TF_OperationDescription;
struct TF_Session;
struct TF_SessionOptions;
struct TF_ImportGraphDefOptions;

struct TF_Buffer {
  const void* data;
  std::size_t length;
  void (*deallocator)(void* data, std::size_t length);
};

struct TF_Output {
  TF_Operation* operation = nullptr;
  int index = 0;
  friend bool operator==(const TF_Output&, const TF_Output&) = default;
};

// NOLINTEND(readability-identifier-naming)

/// TF_DataType.
enum class DataType : int {
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUint8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kString = 7,
  kInt64 = 9,
  kBool = 10,
  kBfloat16 = 14,
  kUint16 = 17,
  kHalf = 19,
  kUint32 = 22,
  kUint64 = 23
};

/// TF_Code, which is that of gRPC.
enum class Code : int {
  kOk = 0,
  kInvalidArgument = 3,
  kNotFound = 5,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kDataLoss = 15
};

/// The functions, as they were found.
struct Api {
  const char* (*version)();
  void (*register_log_listener)(void (*)(const char*));

  TF_Status* (*new_status)();
  void (*delete_status)(TF_Status*);
  Code (*get_code)(const TF_Status*);
  const char* (*message)(const TF_Status*);

  TF_Buffer* (*new_buffer)();
  void (*delete_buffer)(TF_Buffer*);

  TF_Tensor* (*new_tensor)(DataType, const std::int64_t* dims, int rank, void* data, std::size_t bytes,
                           void (*deallocator)(void* data, std::size_t bytes, void* argument), void* argument);
  TF_Tensor* (*allocate_tensor)(DataType, const std::int64_t* dims, int rank, std::size_t bytes);
  void (*delete_tensor)(TF_Tensor*);
  int (*num_dims)(const TF_Tensor*);
  std::int64_t (*dim)(const TF_Tensor*, int);
  std::size_t (*tensor_byte_size)(const TF_Tensor*);
  void* (*tensor_data)(const TF_Tensor*);

  TF_Graph* (*new_graph)();
  void (*delete_graph)(TF_Graph*);
  TF_OperationDescription* (*new_operation)(TF_Graph*, const char* type, const char* name);
  void (*add_input)(TF_OperationDescription*, TF_Output);
  void (*add_input_list)(TF_OperationDescription*, const TF_Output*, int);
  void (*set_attr_string)(TF_OperationDescription*, const char*, const void*, std::size_t);
  void (*set_attr_int)(TF_OperationDescription*, const char*, std::int64_t);
  void (*set_attr_int_list)(TF_OperationDescription*, const char*, const std::int64_t*, int);
  void (*set_attr_float)(TF_OperationDescription*, const char*, float);
  void (*set_attr_bool)(TF_OperationDescription*, const char*, unsigned char);
  void (*set_attr_type)(TF_OperationDescription*, const char*, DataType);
  void (*set_attr_shape)(TF_OperationDescription*, const char*, const std::int64_t*, int);
  void (*set_attr_tensor)(TF_OperationDescription*, const char*, TF_Tensor*, TF_Status*);
  TF_Operation* (*finish_operation)(TF_OperationDescription*, TF_Status*);
  TF_Operation* (*graph_operation_by_name)(TF_Graph*, const char*);
  int (*operation_num_outputs)(TF_Operation*);
  DataType (*operation_output_type)(TF_Output);
  int (*graph_get_tensor_num_dims)(TF_Graph*, TF_Output, TF_Status*);
  void (*graph_get_tensor_shape)(TF_Graph*, TF_Output, std::int64_t* dims, int rank, TF_Status*);
  void (*graph_to_graph_def)(TF_Graph*, TF_Buffer*, TF_Status*);
  TF_ImportGraphDefOptions* (*new_import_graph_def_options)();
  void (*delete_import_graph_def_options)(TF_ImportGraphDefOptions*);
  void (*graph_import_graph_def)(TF_Graph*, const TF_Buffer*, const TF_ImportGraphDefOptions*, TF_Status*);

  TF_SessionOptions* (*new_session_options)();
  void (*delete_session_options)(TF_SessionOptions*);
  void (*set_config)(TF_SessionOptions*, const void* proto, std::size_t, TF_Status*);
  TF_Session* (*new_session)(TF_Graph*, const TF_SessionOptions*, TF_Status*);
  TF_Session* (*load_session_from_saved_model)(const TF_SessionOptions*, const TF_Buffer* run_options,
                                               const char* folder, const char* const* tags, int tag_count, TF_Graph*,
                                               TF_Buffer* meta_graph, TF_Status*);
  void (*close_session)(TF_Session*, TF_Status*);
  void (*delete_session)(TF_Session*, TF_Status*);
  void (*session_run)(TF_Session*, const TF_Buffer* run_options, const TF_Output* inputs, TF_Tensor* const* values,
                      int input_count, const TF_Output* outputs, TF_Tensor** results, int output_count,
                      const TF_Operation* const* targets, int target_count, TF_Buffer* run_metadata, TF_Status*);
};

/// Calls `f(symbol, function pointer)` for each function of `api`.
template <class F>
void for_each_symbol(Api& api, F f) {
  f("TF_Version", api.version);
  f("TF_RegisterLogListener", api.register_log_listener);
  f("TF_NewStatus", api.new_status);
  f("TF_DeleteStatus", api.delete_status);
  f("TF_GetCode", api.get_code);
  f("TF_Message", api.message);
  f("TF_NewBuffer", api.new_buffer);
  f("TF_DeleteBuffer", api.delete_buffer);
  f("TF_NewTensor", api.new_tensor);
  f("TF_AllocateTensor", api.allocate_tensor);
  f("TF_DeleteTensor", api.delete_tensor);
  f("TF_NumDims", api.num_dims);
  f("TF_Dim", api.dim);
  f("TF_TensorByteSize", api.tensor_byte_size);
  f("TF_TensorData", api.tensor_data);
  f("TF_NewGraph", api.new_graph);
  f("TF_DeleteGraph", api.delete_graph);
  f("TF_NewOperation", api.new_operation);
  f("TF_AddInput", api.add_input);
  f("TF_AddInputList", api.add_input_list);
  f("TF_SetAttrString", api.set_attr_string);
  f("TF_SetAttrInt", api.set_attr_int);
  f("TF_SetAttrIntList", api.set_attr_int_list);
  f("TF_SetAttrFloat", api.set_attr_float);
  f("TF_SetAttrBool", api.set_attr_bool);
  f("TF_SetAttrType", api.set_attr_type);
  f("TF_SetAttrShape", api.set_attr_shape);
  f("TF_SetAttrTensor", api.set_attr_tensor);
  f("TF_FinishOperation", api.finish_operation);
  f("TF_GraphOperationByName", api.graph_operation_by_name);
  f("TF_OperationNumOutputs", api.operation_num_outputs);
  f("TF_OperationOutputType", api.operation_output_type);
  f("TF_GraphGetTensorNumDims", api.graph_get_tensor_num_dims);
  f("TF_GraphGetTensorShape", api.graph_get_tensor_shape);
  f("TF_GraphToGraphDef", api.graph_to_graph_def);
  f("TF_NewImportGraphDefOptions", api.new_import_graph_def_options);
  f("TF_DeleteImportGraphDefOptions", api.delete_import_graph_def_options);
  f("TF_GraphImportGraphDef", api.graph_import_graph_def);
  f("TF_NewSessionOptions", api.new_session_options);
  f("TF_DeleteSessionOptions", api.delete_session_options);
  f("TF_SetConfig", api.set_config);
  f("TF_NewSession", api.new_session);
  f("TF_LoadSessionFromSavedModel", api.load_session_from_saved_model);
  f("TF_CloseSession", api.close_session);
  f("TF_DeleteSession", api.delete_session);
  f("TF_SessionRun", api.session_run);
}

/// The functions of an opened library. Throws Failure(ASSAY_UNAVAILABLE) naming `library` and what it lacks.
Api resolve(void* handle, const char* library);

}  // namespace assay::tensorflow
