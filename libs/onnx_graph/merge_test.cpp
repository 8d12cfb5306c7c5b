#include "onnx_graph/merge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <set>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "onnx_graph/inference.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::onnx_graph {
namespace {

using testing::HasSubstr;

/// y = relu(x W) + b, with W of ones and b all `bias`.
TestModel dense(float bias, std::int64_t opset = 17) {
  TestModel m(opset);
  m.input("x", {-1, 4}).floats("W", {4, 3}, std::vector<float>(12, 1)).floats("b", {3}, {bias, bias, bias});
  m.node("MatMul", {"x", "W"}, {"h"}).node("Relu", {"h"}, {"r"}).node("Add", {"r", "b"}, {"y"});
  m.output("y", {-1, 3});
  return m;
}

/// Models that are merged, each with its answer as an output, and what comes of it.
class MergeTest : public testing::Test {
 protected:
  /// `inputs`: one "x" of the shape that all share.
  void merge(const std::vector<TestModel>& models, std::int32_t inner = 4) {
    merge_named(models, {"a", "b", "c"}, inner);
  }
  void merge_named(const std::vector<TestModel>& models, const std::vector<std::string>& names,
                   std::int32_t inner = 4) {
    std::vector<ValueInfo> outputs;
    for (std::size_t i = 0; i < models.size(); ++i) {
      outputs.push_back({output_name(i), "tensor", {ElementType::kFloat32, std::nullopt}});
    }
    const Dimensions shape = {{-1, "batch"}, {inner, ""}};
    merge_ = std::make_unique<Merge>(std::vector<ValueInfo>{{"x", "tensor", {ElementType::kFloat32, shape}}}, outputs);
    parts_.clear();
    files_.clear();
    for (std::size_t i = 0; i < models.size(); ++i) {
      files_.push_back(std::make_unique<std::string>());
      parts_.push_back(std::make_unique<Model>(parse_kept(models[i], *files_.back())));
      merge_->output(i, merge_->add({names[i], parts_.back().get(), {{"x", "x"}}}).at(0));
    }
    bytes_ = merge_->bytes();
    merged_ = parse(as_bytes(bytes_));
    std::set<std::string> nodes;
    for (const Node& node : merged_.graph.nodes) {
      EXPECT_TRUE(node.name.empty() || nodes.insert(node.name).second) << node.name << " twice";
    }
  }
  static std::string output_name(std::size_t i) { return "y" + std::to_string(i); }
  [[nodiscard]] std::size_t count(const std::string& op) const {
    std::size_t n = 0;
    for (const Node& node : merged_.graph.nodes) n += node.op_type == op ? 1U : 0U;
    return n;
  }
  std::string refusal(const std::vector<TestModel>& models) {
    try {
      merge(models);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
      return e.what();
    }
    return "nothing was refused";
  }

  std::vector<std::unique_ptr<std::string>> files_;
  std::vector<std::unique_ptr<Model>> parts_;
  std::unique_ptr<Merge> merge_;
  std::string bytes_;
  Model merged_;
};

TEST_F(MergeTest, SharesWhatBeginsAlike) {
  merge({dense(1), dense(2)});
  EXPECT_EQ(count("MatMul"), 1U);
  EXPECT_EQ(count("Relu"), 1U);
  EXPECT_EQ(count("Add"), 2U);
  EXPECT_EQ(merged_.graph.initializers.size(), 3U);  // W once, each b
  EXPECT_EQ(merge_->counts().shared_nodes, 2U);
  EXPECT_EQ(merge_->counts().shared_initializers, 1U);
}

TEST_F(MergeTest, TheSameModelTwiceIsOneBody) {
  merge({dense(1), dense(1), dense(1)});
  EXPECT_EQ(merge_->counts().shared_nodes, 6U);
  EXPECT_EQ(merged_.graph.nodes.size(), 3U + 3U);  // and an Identity for each output
  EXPECT_EQ(merged_.graph.initializers.size(), 2U);
}

TEST_F(MergeTest, IsAWholeModelWithShapes) {
  merge({dense(1), dense(2)});
  EXPECT_EQ(merged_.opset(), 17);
  EXPECT_EQ(merged_.ir_version, 8);
  const Inference known = infer(merged_);
  for (const char* output : {"y0", "y1"}) {
    ASSERT_NE(known.shape(output), nullptr) << output;
    EXPECT_EQ(to_string(*known.shape(output)), "batch x 3");
  }
  const auto values = constants(merged_.graph);
  EXPECT_EQ(values.at("b/b")->floats(), (std::vector<float>{2, 2, 2}));
}

TEST_F(MergeTest, AttributesTellNodesApart) {
  const auto softmax = [](std::int64_t axis) {
    TestModel m;
    m.input("x", {-1, 4}).node("Softmax", {"x"}, {"y"}, {{"axis", axis}}).output("y", {-1, 4});
    return m;
  };
  merge({softmax(1), softmax(1), softmax(0)});
  EXPECT_EQ(count("Softmax"), 2U);
}

TEST_F(MergeTest, WhatIsRandomIsNeverShared) {
  TestModel noise;
  noise.input("x", {-1, 4}).node("RandomNormalLike", {"x"}, {"n"}).node("Add", {"x", "n"}, {"y"}).output("y", {-1, 4});
  merge({noise, noise});
  EXPECT_EQ(count("RandomNormalLike"), 2U);
  EXPECT_EQ(count("Add"), 2U);
  TestModel inference;
  inference.input("x", {-1, 4}).node("Dropout", {"x"}, {"y"}).output("y", {-1, 4});
  merge({inference, inference});
  EXPECT_EQ(count("Dropout"), 1U);
  TestModel training = inference;
  training.tensor("t", {}, onnx::TensorProto::BOOL)->add_int32_data(1);
  training.proto.mutable_graph()->mutable_node(0)->add_input("");
  training.proto.mutable_graph()->mutable_node(0)->add_input("t");
  merge({training, training});
  EXPECT_EQ(count("Dropout"), 2U);
}

TEST_F(MergeTest, NamesThatWouldMeetAreKeptApart) {
  TestModel inner;  // its "b/y" in "a" would be the "y" of "a/b"
  inner.input("x", {-1, 4}).node("Abs", {"x"}, {"b/y"}).output("b/y", {-1, 4});
  TestModel outer;
  outer.input("x", {-1, 4}).node("Neg", {"x"}, {"y"}).output("y", {-1, 4});
  merge_named({inner, outer}, {"a", "a/b"});
  EXPECT_EQ(merged_.graph.nodes.size(), 4U);
}

TEST_F(MergeTest, OmittedInputsAndUnusedOutputsStay) {
  TestModel clip;
  clip.input("x", {-1, 4}).floats("most", {}, {6}).node("Clip", {"x", "", "most"}, {"y"}).output("y", {-1, 4});
  merge({clip});
  EXPECT_EQ(merged_.graph.nodes.at(0).inputs, (std::vector<std::string>{"x", "", "a/most"}));
}

TEST_F(MergeTest, AnswersThatAreAnInputOrAConstant) {
  TestModel as_it_is;
  as_it_is.input("x", {-1, 4}).output("x", {-1, 4});
  TestModel constant;
  constant.input("x", {-1, 4}).floats("w", {2}, {1, 2}).output("w", {2});
  merge({as_it_is, constant});
  EXPECT_EQ(count("Identity"), 2U);
}

TEST_F(MergeTest, EveryEncodingOfNumbers) {
  TestModel m;
  m.input("x", {-1, 4}).integers("i", {1, -2, 300}).node("Relu", {"x"}, {"y"}).output("y", {-1, 4});
  m.tensor("f", {2}, onnx::TensorProto::FLOAT)->add_float_data(1);
  m.proto.mutable_graph()->mutable_initializer(1)->add_float_data(-2);
  m.tensor("d", {1}, onnx::TensorProto::DOUBLE)->add_double_data(0.5);
  m.tensor("u", {1}, onnx::TensorProto::UINT64)->add_uint64_data(7);
  m.tensor("none", {0}, onnx::TensorProto::FLOAT);
  m.weights("large", {64, 64});
  merge({m});
  const auto values = constants(merged_.graph);
  EXPECT_EQ(values.at("a/i")->integers(), (std::vector<std::int64_t>{1, -2, 300}));
  EXPECT_EQ(values.at("a/f")->floats(), (std::vector<float>{1, -2}));
  EXPECT_EQ(values.at("a/d")->floats(), (std::vector<float>{0.5}));
  EXPECT_EQ(values.at("a/u")->integers(), (std::vector<std::int64_t>{7}));
  EXPECT_EQ(values.at("a/none")->elements, 0);
  EXPECT_EQ(values.at("a/large")->byte_size(), 64U * 64U * sizeof(float));
}

TEST_F(MergeTest, ExternalDataAreTakenIn) {
  const TemporaryFolder folder;
  const std::vector<float> numbers = {1, 2, 3, 4};
  std::ofstream(folder.path() / "w.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(numbers.data()),
             static_cast<std::streamsize>(numbers.size() * sizeof(float)));
  const auto outside = [](onnx::TensorProto& t) {
    t.set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = t.add_external_data();
    entry->set_key("location");
    entry->set_value("w.bin");
  };
  TestModel m;
  outside(*m.tensor("w", {4}, onnx::TensorProto::FLOAT));
  m.input("x", {-1, 4}).node("Constant", {}, {"c"}).node("Add", {"x", "w"}, {"s"}).node("Mul", {"s", "c"}, {"y"});
  m.output("y", {-1, 4});
  auto* a = m.proto.mutable_graph()->mutable_node(0)->add_attribute();
  a->set_name("value");
  a->set_type(onnx::AttributeProto::TENSOR);
  a->mutable_t()->set_data_type(onnx::TensorProto::FLOAT);
  a->mutable_t()->add_dims(4);
  outside(*a->mutable_t());
  const std::string file = m.bytes();
  const Model part = parse(as_bytes(file), folder.path());
  const Dimensions shape = {{-1, "batch"}, {4, ""}};
  Merge merge({{"x", "tensor", {ElementType::kFloat32, shape}}}, {{"y", "tensor", {ElementType::kFloat32, shape}}});
  merge.output(0, merge.add({"a", &part, {{"x", "x"}}}).at(0));
  const std::string bytes = merge.bytes();
  const Model merged = parse(as_bytes(bytes));  // without a folder: nothing may lie outside
  const auto values = constants(merged.graph);
  EXPECT_EQ(values.at("a/w")->floats(), numbers);
  EXPECT_EQ(values.at("a/c")->floats(), numbers);
}

TEST_F(MergeTest, OwnNodesAndConstants) {
  const std::string file = dense(1).bytes();
  const Model part = parse(as_bytes(file));
  Merge merge({{"x", "tensor", {ElementType::kFloat32, Dimensions{{-1, "batch"}, {4, ""}}}}},
              {{"y", "tensor", {ElementType::kInt64, std::nullopt}}});
  const std::string answer = merge.add({"a", &part, {{"x", "x"}}}).at(0);
  const std::string largest = merge.node("ArgMax", {answer}, {{"axis", 1}, {"keepdims", 0}});
  const std::int64_t five = 5;
  const auto raw = std::as_bytes(std::span(&five, 1));
  const std::string constant = merge.constant(ElementType::kInt64, {}, {raw.begin(), raw.end()});
  merge.output(0, merge.node("Add", {largest, constant}));
  EXPECT_EQ(merge.opset(), 17);
  const std::string bytes = merge.bytes();
  const Model merged = parse(as_bytes(bytes));
  EXPECT_EQ(to_string(*infer(merged).shape("y")), "batch");
  EXPECT_EQ(constants(merged.graph).at(constant)->integers(), (std::vector<std::int64_t>{5}));
}

TEST_F(MergeTest, AttributesOfOwnNodesMayBeLists) {
  const std::string file = dense(1, 11).bytes();
  const Model part = parse(as_bytes(file));
  Merge merge({{"x", "tensor", {ElementType::kFloat32, Dimensions{{-1, "batch"}, {4, ""}}}}},
              {{"y", "tensor", {ElementType::kFloat32, std::nullopt}}});
  const std::string answer = merge.add({"a", &part, {{"x", "x"}}}).at(0);
  merge.output(0, merge.node("Unsqueeze", {answer}, {{"axes", std::vector<std::int64_t>{0, 3}}}));
  const std::string bytes = merge.bytes();
  EXPECT_EQ(to_string(*infer(parse(as_bytes(bytes))).shape("y")), "1 x batch x 3 x 1");
}

TEST_F(MergeTest, RefusesWhatCannotBeMoved) {
  EXPECT_THAT(refusal({dense(1, 17), dense(1, 13)}),
              testing::AllOf(HasSubstr("'a' uses version 17"), HasSubstr("'b' version 13")));
  TestModel branch;
  branch.input("x", {-1, 4}).tensor("c", {}, onnx::TensorProto::BOOL)->add_int32_data(1);
  branch.node("If", {"c"}, {"y"}).output("y", {-1, 4});
  auto* a = branch.proto.mutable_graph()->mutable_node(0)->add_attribute();
  a->set_name("then_branch");
  a->set_type(onnx::AttributeProto::GRAPH);
  a->mutable_g()->add_output()->set_name("x");
  EXPECT_THAT(refusal({branch}), testing::AllOf(HasSubstr("'a' has a subgraph"), HasSubstr("If node")));
  TestModel own = dense(1);
  own.proto.add_functions()->set_name("f");
  EXPECT_THAT(refusal({own}), HasSubstr("functions"));
  TestModel text = dense(1);
  text.tensor("s", {1}, onnx::TensorProto::STRING)->add_string_data("word");
  EXPECT_THAT(refusal({text}), HasSubstr("strings"));
}

TEST_F(MergeTest, NamesOfInputsAndOutputsAreDistinct) {
  const ValueInfo x{"x", "tensor", {ElementType::kFloat32, std::nullopt}};
  EXPECT_THROW(Merge({x}, {x}), Error);
}

TEST_F(MergeTest, NothingLargerThanProtobufAllows) {
  std::vector<std::unique_ptr<Model>> parts;
  Merge merge({}, {});
  // Half a GiB each, of pages that nobody ever wrote to; told apart by their shapes.
  constexpr std::int64_t kFloats = 1 << 27;
  const std::unique_ptr<float, decltype(&std::free)> memory(
      static_cast<float*>(std::calloc(static_cast<std::size_t>(kFloats), sizeof(float))), &std::free);
  ASSERT_NE(memory, nullptr);
  for (std::int64_t rows = 1; rows <= 16; rows *= 2) {
    Tensor t;
    t.name = "w";
    t.type = ElementType::kFloat32;
    t.dims = {rows, kFloats / rows};
    t.elements = kFloats;
    t.chunks = {std::as_bytes(std::span(memory.get(), static_cast<std::size_t>(kFloats)))};
    auto& part = parts.emplace_back(std::make_unique<Model>());
    part->opsets[""] = 17;
    part->graph.initializers.push_back(t);
    merge.add({std::to_string(rows), part.get(), {}});
  }
  try {
    (void)merge.bytes();
    FAIL() << "five times half a GiB were written";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(e.what(), HasSubstr("an ONNX file has at most 2147483647"));
  }
}

}  // namespace
}  // namespace assay::onnx_graph
