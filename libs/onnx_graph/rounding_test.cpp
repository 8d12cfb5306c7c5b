#include "onnx_graph/rounding.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::onnx_graph {
namespace {

using testing::ElementsAre;

constexpr int kFloat16Bits = 11, kBFloat16Bits = 8;

TEST(Rounding, IsToTheNearestAndOfTiesToTheEven) {
  EXPECT_EQ(rounded(0.1F, 24), 0.1F);
  EXPECT_EQ(rounded(0.1F, kFloat16Bits), 0x1.998p-4F);
  EXPECT_EQ(rounded(-0.1F, kBFloat16Bits), -0x1.9ap-4F);
  EXPECT_EQ(rounded(0x1.01p0F, kBFloat16Bits), 1);          // a tie
  EXPECT_EQ(rounded(0x1.03p0F, kBFloat16Bits), 0x1.04p0F);  // another
  EXPECT_EQ(rounded(0x1.fffp0F, kBFloat16Bits), 2);
  EXPECT_EQ(rounded(1e-30F, kFloat16Bits), rounded(1e-30F * 0x1p60F, kFloat16Bits) * 0x1p-60F);  // no least exponent
  EXPECT_EQ(rounded(0, kFloat16Bits), 0);
  EXPECT_EQ(rounded(std::numeric_limits<float>::max(), kFloat16Bits), 0x1.ffcp127F);  // what masks are made of
  EXPECT_EQ(rounded(std::numeric_limits<float>::lowest(), kBFloat16Bits), -0x1.fep127F);
  EXPECT_EQ(rounded(INFINITY, kFloat16Bits), INFINITY);
  EXPECT_TRUE(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN(), kFloat16Bits)));
}

std::vector<float> floats_of(const Model& model, const std::string& name) {
  for (const Tensor& t : model.graph.initializers) {
    if (t.name == name) return t.floats();
  }
  return {};
}

TEST(Rounding, IsOfAllFloatsOfAFileAndOfNothingElse) {
  TestModel m = relu();
  m.floats("raw", {2}, {0.1F, 1});
  m.tensor("listed", {2}, onnx::TensorProto::FLOAT);
  for (const float v : {0.1F, 2.0F}) m.proto.mutable_graph()->mutable_initializer(1)->add_float_data(v);
  m.integers("numbers", {1234567, 3});
  auto* node = m.node("Constant", {}, {"c"}).proto.mutable_graph()->mutable_node(1);
  auto* attribute = node->add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  attribute->mutable_t()->set_data_type(onnx::TensorProto::FLOAT);
  attribute->mutable_t()->add_dims(1);
  const float tenth = 0.1F;
  attribute->mutable_t()->set_raw_data(&tenth, sizeof tenth);

  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "model.onnx";
  write_file_atomically(file, m.bytes());
  const std::string bytes = with_rounded_weights(file, kFloat16Bits);
  const Model model = parse(as_bytes(bytes));
  EXPECT_THAT(floats_of(model, "raw"), ElementsAre(0x1.998p-4F, 1));
  EXPECT_THAT(floats_of(model, "listed"), ElementsAre(0x1.998p-4F, 2));
  EXPECT_THAT(std::get<Tensor>(model.graph.nodes.at(1).attributes.at(0).value).floats(), ElementsAre(0x1.998p-4F));
  EXPECT_EQ(with_rounded_weights(file, 24), m.bytes());
  for (const Tensor& t : model.graph.initializers) {
    if (t.name == "numbers") {
      EXPECT_THAT(t.integers(), ElementsAre(1234567, 3));
    }
  }
}

class BesideTheModel : public testing::TestWithParam<onnx::TensorProto::DataType> {};

TEST_P(BesideTheModel, NothingIsRounded) {
  TestModel m = with_tensor([](onnx::TensorProto& t) {
    t.set_data_type(GetParam());
    t.set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = t.add_external_data();
    entry->set_key("location");
    entry->set_value("weights");
  });
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "weights", std::string(16, '\0'));
  write_file_atomically(folder.path() / "model.onnx", m.bytes());
  try {
    (void)with_rounded_weights(folder.path() / "model.onnx", kFloat16Bits);
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(e.message(), testing::HasSubstr("weights lies beside the model"));
  }
}
INSTANTIATE_TEST_SUITE_P(OfAnyType, BesideTheModel,
                         testing::Values(onnx::TensorProto::FLOAT, onnx::TensorProto::INT32));

}  // namespace
}  // namespace assay::onnx_graph
