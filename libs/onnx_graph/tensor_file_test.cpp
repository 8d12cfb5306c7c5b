#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "onnx_graph/graph.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::onnx_graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string tensor_bytes(const std::function<void(onnx::TensorProto&)>& change = {}) {
  onnx::TensorProto t;
  t.set_name("x");
  t.set_data_type(onnx::TensorProto::FLOAT);
  t.add_dims(2);
  if (change) {
    change(t);
  } else {
    t.add_float_data(1.5F);
    t.add_float_data(-2);
  }
  return t.SerializeAsString();
}

class TensorFileTest : public testing::Test {
 protected:
  /// "code: message" of what reading these bytes as a file throws.
  std::string refusal(const std::string& bytes, const Limits& limits = {}) {
    write_file_atomically(file_, bytes);
    return refusal_of(file_, limits);
  }
  static std::string refusal_of(const std::filesystem::path& path, const Limits& limits = {}) {
    try {
      read_tensor_file(path, limits);
    } catch (const Error& e) {
      return std::string(to_string(e.code())) + ": " + e.message();
    }
    return "read";
  }
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "x.pb";
};

TEST_F(TensorFileTest, IsReadFromAFileAndFromMemory) {
  const std::string bytes = tensor_bytes();
  write_file_atomically(file_, bytes);
  const TensorFile read = read_tensor_file(file_), parsed = parse_tensor(as_bytes(bytes));
  for (const TensorFile* t : {&read, &parsed}) {
    EXPECT_EQ(t->tensor.name, "x");
    EXPECT_EQ(t->tensor.type, ElementType::kFloat32);
    EXPECT_THAT(t->tensor.dims, ElementsAre(2));
    EXPECT_THAT(t->tensor.floats(), ElementsAre(1.5F, -2));
  }
}

TEST_F(TensorFileTest, ExternalDataLieBesideIt) {
  const std::string bytes = tensor_bytes([](onnx::TensorProto& t) {
    t.set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = t.add_external_data();
    entry->set_key("location");
    entry->set_value("x.bin");
  });
  const float values[] = {3, 4};
  write_file_atomically(folder_.path() / "x.bin", std::string(reinterpret_cast<const char*>(values), sizeof values));
  write_file_atomically(file_, bytes);
  EXPECT_THAT(read_tensor_file(file_).tensor.floats(), ElementsAre(3, 4));
  EXPECT_THROW(parse_tensor(as_bytes(bytes)), Error);
}

TEST_F(TensorFileTest, RefusesWhatIsNoTensorAndSaysWhy) {
  EXPECT_THAT(refusal(""), HasSubstr("the tensor is empty"));
  EXPECT_THAT(refusal(std::string(9, '\xff')), HasSubstr("invalid model: not a whole ONNX model"));
  EXPECT_THAT(refusal(tensor_bytes([](onnx::TensorProto& t) { t.add_float_data(1); })),
              HasSubstr("should hold 2 numbers but holds 1"));
  EXPECT_THAT(refusal(tensor_bytes([](onnx::TensorProto& t) { t.set_data_type(99); })), HasSubstr("is not known"));
  EXPECT_THAT(refusal(tensor_bytes([](onnx::TensorProto& t) {
                t.set_data_type(onnx::TensorProto::STRING);
                t.add_string_data("a");
                t.add_string_data("b");
              })),
              HasSubstr("unsupported: a tensor of strings"));
  EXPECT_THAT(refusal_of(folder_.path() / "none.pb"), HasSubstr("there is no such tensor file"));
  EXPECT_THAT(refusal_of(folder_.path()), HasSubstr("a folder"));
}

TEST_F(TensorFileTest, HoldsTheLimits) {
  EXPECT_THAT(refusal(tensor_bytes(), {.file_bytes = 8}), HasSubstr("ONNX files end at 8"));
  EXPECT_THAT(refusal(tensor_bytes(), {.structure_bytes = 8}), HasSubstr("refused as hostile"));
  EXPECT_THAT(refusal(tensor_bytes([](onnx::TensorProto& t) {
                for (int i = 0; i < 64; ++i) t.add_dims(1);
              })),
              HasSubstr("more than 64 axes"));
  const std::string bytes = tensor_bytes();
  EXPECT_THROW(parse_tensor(as_bytes(bytes), {.file_bytes = 8}), Error);
}

TEST_F(TensorFileTest, EveryPrefixIsRefusedOrWhole) {
  const std::string bytes = tensor_bytes();
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    try {
      const TensorFile read = parse_tensor(as_bytes(bytes).first(n));
      EXPECT_THAT(read.tensor.floats(), ElementsAre(1.5F, -2)) << n << " bytes";  // only the name was cut off
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidModel) << n << " bytes";
    }
  }
}

}  // namespace
}  // namespace assay::onnx_graph
