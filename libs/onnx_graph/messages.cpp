#include "onnx_graph/messages.hpp"

#include "onnx_graph/onnx.pb.h"
#include "onnx_graph/wire.hpp"

namespace assay::onnx_graph {
namespace {

int field_of(Tensor::Encoding encoding) {
  using Proto = onnx::TensorProto;
  switch (encoding) {
    case Tensor::Encoding::kFloats:
      return Proto::kFloatDataFieldNumber;
    case Tensor::Encoding::kInt32s:
      return Proto::kInt32DataFieldNumber;
    case Tensor::Encoding::kInt64s:
      return Proto::kInt64DataFieldNumber;
    case Tensor::Encoding::kDoubles:
      return Proto::kDoubleDataFieldNumber;
    case Tensor::Encoding::kUint64s:
      return Proto::kUint64DataFieldNumber;
    default:
      return Proto::kRawDataFieldNumber;
  }
}

}  // namespace

MessageWriter tensor_message(const std::string& name, const Tensor& t) {
  using Proto = onnx::TensorProto;
  MessageWriter m;
  for (const std::int64_t d : t.dims) m.integer(Proto::kDimsFieldNumber, d);
  m.integer(Proto::kDataTypeFieldNumber, static_cast<std::int64_t>(t.type));
  for (const ByteSpan chunk : t.chunks) m.view(field_of(t.encoding), chunk);
  if (t.chunks.empty()) m.text(Proto::kRawDataFieldNumber, "");
  if (!name.empty()) m.text(Proto::kNameFieldNumber, name);
  return m;
}

MessageWriter value_message(const ValueInfo& value) {
  MessageWriter tensor;
  tensor.integer(onnx::TypeProto::Tensor::kElemTypeFieldNumber, static_cast<std::int64_t>(value.type.element));
  if (value.type.shape) {
    using Proto = onnx::TensorShapeProto;
    MessageWriter shape;
    for (const Dimension& d : *value.type.shape) {
      MessageWriter dimension;
      if (d.known()) dimension.integer(Proto::Dimension::kDimValueFieldNumber, d.size);
      if (!d.known() && !d.name.empty()) dimension.text(Proto::Dimension::kDimParamFieldNumber, d.name);
      shape.message(Proto::kDimFieldNumber, dimension);
    }
    tensor.message(onnx::TypeProto::Tensor::kShapeFieldNumber, shape);
  }
  MessageWriter type, m;
  type.message(onnx::TypeProto::kTensorTypeFieldNumber, tensor);
  m.text(onnx::ValueInfoProto::kNameFieldNumber, value.name);
  m.message(onnx::ValueInfoProto::kTypeFieldNumber, type);
  return m;
}

}  // namespace assay::onnx_graph
