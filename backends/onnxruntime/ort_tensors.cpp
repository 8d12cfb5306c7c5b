#include "ort_tensors.hpp"

#include <set>
#include <string>

namespace assay::ort {
namespace {

std::string name_of(const Library& library, char* text) {
  OrtAllocator* allocator = nullptr;
  library.call<GetAllocatorWithDefaultOptions>("reading a name", &allocator);
  std::string name = text;
  library.call<AllocatorFree>("reading a name", allocator, text);
  return name;
}

kit::TensorInfo tensor_info(const Library& library, std::string name, const OrtTypeInfo* type, const char* side) {
  kit::TensorInfo info;
  info.name = std::move(name);
  int kind = 0;
  library.call<GetOnnxTypeFromTypeInfo>("reading a type", type, &kind);
  if (kind != kTypeTensor) {
    throw kit::Failure(ASSAY_UNSUPPORTED, std::string(side) + " '" + info.name +
                                              "' is not a dense tensor (a sequence, map, optional or sparse tensor): "
                                              "only dense tensors can be passed");
  }
  const OrtTensorTypeAndShapeInfo* shape = nullptr;
  library.call<CastTypeInfoToTensorInfo>("reading a tensor's type", type, &shape);
  int element = 0;
  library.call<GetTensorElementType>("reading an element type", shape, &element);
  if (element == kElementString) {
    throw kit::Failure(ASSAY_UNSUPPORTED, std::string(side) + " '" + info.name +
                                              "' holds strings: only numbers and booleans can be passed");
  }
  info.dtype = element;  // both are the numbers of ONNX's TensorProto.DataType, as far as assay_dtype goes
  std::size_t rank = 0;
  library.call<GetDimensionsCount>("reading a rank", shape, &rank);
  // Older libraries have the same answer for a scalar and for a rank that nothing is known of.
  info.rank_known = library.has(kApiPlacement) ? library.raw<TensorTypeAndShapeHasShape>(shape) : rank > 0;
  info.shape.resize(rank);
  std::vector<const char*> axes(rank, "");
  library.call<GetDimensions>("reading a shape", shape, info.shape.data(), rank);
  library.call<GetSymbolicDimensions>("reading the names of axes", shape, axes.data(), rank);
  info.axes.assign(axes.begin(), axes.end());
  return info;
}

void check_dtype(const kit::TensorInfo& info, const char* side) {
  static const std::set<assay_dtype> kKnown = {ASSAY_FLOAT32, ASSAY_UINT8,  ASSAY_INT8,    ASSAY_UINT16,  ASSAY_INT16,
                                               ASSAY_INT32,   ASSAY_INT64,  ASSAY_BOOL,    ASSAY_FLOAT16, ASSAY_FLOAT64,
                                               ASSAY_UINT32,  ASSAY_UINT64, ASSAY_BFLOAT16};
  if (!kKnown.contains(info.dtype)) {
    throw kit::Failure(ASSAY_UNSUPPORTED, std::string(side) + " '" + info.name + "' has element type " +
                                              std::to_string(info.dtype) +
                                              " (ONNX's number), which cannot be passed: complex, 4-bit and 8-bit "
                                              "floating types are not supported as inputs or outputs");
  }
}

/// The entries of one side.
template <class Count, class Name, class Type>
std::vector<kit::TensorInfo> read_side(const Library& library, const OrtSession* session, const char* side) {
  OrtAllocator* allocator = nullptr;
  library.call<GetAllocatorWithDefaultOptions>("reading the model's tensors", &allocator);
  std::size_t count = 0;
  library.call<Count>("counting the model's tensors", session, &count);
  std::vector<kit::TensorInfo> infos;
  for (std::size_t i = 0; i < count; ++i) {
    char* name = nullptr;
    library.call<Name>("reading a tensor's name", session, i, allocator, &name);
    std::string text = name_of(library, name);
    OrtTypeInfo* type = nullptr;
    library.call<Type>("reading a tensor's type", session, i, &type);
    const OwnedTypeInfo owned(library, type);
    infos.push_back(tensor_info(library, std::move(text), type, side));
    check_dtype(infos.back(), side);
  }
  return infos;
}

}  // namespace

std::vector<kit::TensorInfo> read_inputs(const Library& library, const OrtSession* session) {
  return read_side<SessionGetInputCount, SessionGetInputName, SessionGetInputTypeInfo>(library, session, "input");
}

std::vector<kit::TensorInfo> read_outputs(const Library& library, const OrtSession* session) {
  return read_side<SessionGetOutputCount, SessionGetOutputName, SessionGetOutputTypeInfo>(library, session, "output");
}

}  // namespace assay::ort
