#include "model/model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::model {
namespace {

using onnx_graph::TestModel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class ModelTest : public testing::Test {
 protected:
  std::filesystem::path write(const TestModel& model, const std::string& name = "m.onnx") {
    const std::filesystem::path path = folder_.path() / name;
    write_file_atomically(path, model.bytes());
    return path;
  }
  Model read(const TestModel& model, const std::map<std::string, Shape>& shapes = {}) {
    return read_model(write(model), shapes);
  }
  TemporaryFolder folder_;
};

/// Convolution, normalisation, Swish, a squeeze-excite gate, an addition, a dense layer.
TestModel small_network() {
  TestModel m;
  m.input("x", {-1, 3, 8, 8}).input("w1", {4, 3, 3, 3});  // old files list weights among the inputs
  m.weights("w1", {4, 3, 3, 3}).weights("b1", {4}).weights("scale", {4}).weights("shift", {4});
  m.weights("mean", {4})
      .weights("var", {4})
      .weights("gate.w", {4, 4, 1, 1})
      .weights("fc", {4, 10})
      .weights("fc.b", {10});
  m.integers("flat", {0, -1}).floats("half", {}, {0.5F});
  m.node("Conv", {"x", "w1", "b1"}, {"c1"}, {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
  m.node("BatchNormalization", {"c1", "scale", "shift", "mean", "var"}, {"n1"});
  m.node("Sigmoid", {"n1"}, {"s1"}).node("Mul", {"n1", "s1"}, {"swish"});
  m.node("GlobalAveragePool", {"swish"}, {"p"}).node("Conv", {"p", "gate.w"}, {"g"}).node("Sigmoid", {"g"}, {"gate"});
  m.node("Mul", {"swish", "gate"}, {"gated"})
      .node("Add", {"gated", "c1"}, {"sum"})
      .node("Mul", {"sum", "half"}, {"scaled"});
  m.node("GlobalAveragePool", {"scaled"}, {"p2"}).node("Reshape", {"p2", "flat"}, {"f"});
  m.node("MatMul", {"f", "fc"}, {"d"}).node("Add", {"d", "fc.b"}, {"logits"});
  m.node("Softmax", {"logits"}, {"q"}).node("Identity", {"q"}, {"y"});
  m.output("y", {-1, 10});
  return m;
}

TEST_F(ModelTest, StatisticsOfASmallNetwork) {
  const Model m = read(small_network());
  const Statistics& s = m.statistics;
  // Weights and biases, scale and shift; neither running statistics, nor shapes, nor the factor 0.5.
  EXPECT_EQ(s.parameters, 4 * 27 + 4 + 4 + 4 + 16 + 40 + 10);
  EXPECT_EQ(s.layers, 3);
  EXPECT_DOUBLE_EQ(s.parameters_per_layer, 186.0 / 3);
  EXPECT_EQ(s.jumps, 2);  // the gate and the addition; x · sigmoid(x) is one branch
  EXPECT_THAT(s.jumps_by_operator, ElementsAre(Pair("Add", 1), Pair("Mul", 1)));
  EXPECT_EQ(s.operators.at("Mul"), 3);
  EXPECT_EQ(s.flops, 2 * (256 * 27 + 4 * 4 + 10 * 4));
  EXPECT_EQ(s.activation_bytes, 4 * (8 * 256 - 256 + 4 * 5 - 4 + 4 * 10 + 4));
  EXPECT_EQ(s.largest_step_bytes, 4 * (3 * 64 + 256));  // the convolution's input and output
  EXPECT_EQ(s.weight_bytes, 4U * (186 + 8 + 1) + 16);
}

TEST_F(ModelTest, InputsOutputsAndSoftmax) {
  const Model m = read(small_network());
  ASSERT_EQ(m.inputs.size(), 1U);
  EXPECT_EQ(m.inputs[0].name, "x");
  EXPECT_EQ(m.inputs[0].shape, (Shape{-1, 3, 8, 8}));
  EXPECT_THAT(m.inputs[0].axes, ElementsAre("N", "", "", ""));
  EXPECT_EQ(m.inputs[0].batch_axis, 0);
  EXPECT_EQ(m.outputs[0].batch_axis, 0);
  EXPECT_THAT(m.softmax_axis, ElementsAre(std::optional(1)));
  EXPECT_EQ(m.opset, 17);
  EXPECT_EQ(m.files, std::vector<std::filesystem::path>{m.path});
}

TEST_F(ModelTest, OutputShapesAreInferredWhereTheFileIsSilent) {
  TestModel m;
  m.input("x", {-1, 8}).weights("w", {8, 5}).node("MatMul", {"x", "w"}, {"y"}).output("y");
  EXPECT_EQ(read(m).outputs[0].shape, (Shape{-1, 5}));
}

TEST_F(ModelTest, AnUnknownRankIsNotAnAxisOfUnknownLength) {
  TestModel m;
  m.input("x", {-1, 8}).node("Quomodocunquize", {"x"}, {"y"}).output("y");
  m.proto.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::FLOAT);
  m.output("z", {}).node("ReduceSum", {"x"}, {"z"}, {{"keepdims", std::int64_t{0}}});
  const Model read_back = read(m);
  EXPECT_FALSE(read_back.outputs[0].rank_known);
  EXPECT_TRUE(read_back.outputs[0].shape.empty());
  EXPECT_TRUE(read_back.outputs[1].rank_known);
  EXPECT_TRUE(read_back.outputs[1].shape.empty());
}

TEST_F(ModelTest, AFreeAxisHasTheNameOfTheInputsFromWhichItComes) {
  TestModel m;
  m.input("x", {-1, 8}).weights("w", {8, 5}).node("MatMul", {"x", "w"}, {"y"}).output("y", {-1, 5});
  m.proto.mutable_graph()
      ->mutable_output(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_dim_param("unk__1");
  EXPECT_THAT(read(m).outputs[0].axes, ElementsAre("N", ""));
}

TEST_F(ModelTest, OldSoftmaxIsAlongAnAxisOnlyWhereTheOthersAreOne) {
  TestModel flat(9);
  flat.input("x", {-1, 10}).node("Softmax", {"x"}, {"y"}).output("y", {-1, 10});
  EXPECT_THAT(read(flat).softmax_axis, ElementsAre(std::optional(1)));
  TestModel wide(9);
  wide.input("x", {-1, 10, 4}).node("Softmax", {"x"}, {"y"}).output("y", {-1, 10, 4});
  EXPECT_THAT(read(wide).softmax_axis, ElementsAre(std::nullopt));
}

TEST_F(ModelTest, FreeAxesLeaveFlopsOpenUntilTheyAreGiven) {
  TestModel m;
  m.input("x", {-1, 6, 8}).weights("w", {8, 5}).node("MatMul", {"x", "w"}, {"y"}).output("y");
  m.proto.mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(1)
      ->set_dim_param("T");
  EXPECT_FALSE(read(m).statistics.flops.has_value());
  EXPECT_FALSE(read(m).statistics.activation_bytes.has_value());
  EXPECT_EQ(read(m, {{"x", {7, 6, 8}}}).statistics.flops, 2 * 6 * 5 * 8);  // per sample, whatever batch is given
}

TEST_F(ModelTest, WrongShapesAreTheCallersMistake) {
  const auto message = [&](const std::map<std::string, Shape>& shapes) {
    try {
      read(small_network(), shapes);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
      return e.message();
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(message({{"z", {1}}}), HasSubstr("no input of the model"));
  EXPECT_THAT(message({{"x", {1, 3, 8}}}), HasSubstr("has 3 axes"));
  EXPECT_THAT(message({{"x", {1, 4, 8, 8}}}), HasSubstr("axis 1 of input \"x\" is 3 in the model, but 4 was given"));
}

TEST_F(ModelTest, ABatchAxisOfNoTensorIsTheCallersMistake) {
  const auto path = write(small_network());
  for (const auto& ask : {read_model, inspect_model}) {
    EXPECT_THAT([&] { ask(path, {}, {{"nope", 1}}); },
                testing::ThrowsMessage<Error>(HasSubstr("'nope' is no input or output of the model; there are")));
  }
}

TEST_F(ModelTest, FiguresAreOfASampleWhateverTheBatchAxis) {
  TestModel fixed;
  fixed.input("x", {4, 8}).weights("w", {8, 5}).node("MatMul", {"x", "w"}, {"y"}).output("y");
  EXPECT_EQ(read(fixed).statistics.flops, 2 * 4 * 8 * 5) << "nothing says that the 4 are samples";
  const Statistics s = read_model(write(fixed), {}, {{"x", 0}}).statistics;
  EXPECT_EQ(s.flops, 2 * 8 * 5);
  EXPECT_EQ(s.activation_bytes, 4 * 5);
  EXPECT_EQ(s.largest_step_bytes, 4 * (8 + 5));
  TestModel second;
  second.input("x", {6, -1, 8}).weights("w", {8, 5}).node("MatMul", {"x", "w"}, {"y"}).output("y");
  EXPECT_FALSE(read(second).statistics.flops.has_value());
  EXPECT_EQ(read_model(write(second), {}, {{"x", 1}}).statistics.flops, 2 * 6 * 8 * 5);
  EXPECT_EQ(read_model(write(fixed), {}, {{"x", -1}}).statistics.flops, 2 * 4 * 8 * 5);
  EXPECT_EQ(read_model(write(fixed), {}, {{"x", 7}}).statistics.flops, 2 * 4 * 8 * 5);
}

// What cannot be loaded can be shown.
TEST_F(ModelTest, InputsThatCannotBeFedAreShown) {
  const auto refused = [&](const TestModel& m) {
    const auto path = write(m);
    return [path] { read_model(path); };
  };
  const auto unsupported = [](const char* why) {
    return testing::Throws<Error>(testing::AllOf(testing::Property(&Error::code, ErrorCode::kUnsupported),
                                                 testing::Property(&Error::message, HasSubstr(why))));
  };
  TestModel strings;
  strings.input("x", {1}, onnx::TensorProto::STRING).node("Identity", {"x"}, {"y"}).output("y");
  EXPECT_THAT(refused(strings), unsupported("elements of type string"));
  Model shown = inspect_model(write(strings));
  EXPECT_EQ(shown.input_ports[0].type, "string");
  EXPECT_EQ(shown.input_ports[0].shape, Shape{1});
  EXPECT_EQ(shown.output_ports[0].type, "string");

  TestModel sequence;
  sequence.input("x", {1}).node("SplitToSequence", {"x"}, {"y"}).output("y");
  auto* type = sequence.proto.mutable_graph()->mutable_output(0)->mutable_type();
  type->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type()->set_elem_type(1);
  EXPECT_THAT(refused(sequence), unsupported("is a sequence"));
  shown = inspect_model(write(sequence));
  EXPECT_EQ(shown.output_ports[0].type, "sequence");
  EXPECT_FALSE(shown.output_ports[0].shape.has_value());

  TestModel sparse;
  sparse.input("x", {-1, 4}).node("MatMul", {"x", "w"}, {"y"}).output("y");
  auto* w = sparse.proto.mutable_graph()->add_sparse_initializer();
  w->mutable_values()->set_name("w");
  w->mutable_values()->set_data_type(onnx::TensorProto::FLOAT);
  w->mutable_values()->add_dims(3);
  for (const float v : {1.0F, 2.0F, 3.0F}) w->mutable_values()->add_float_data(v);
  EXPECT_THAT(refused(sparse), unsupported("sparse initializers"));
  EXPECT_EQ(inspect_model(write(sparse)).statistics.parameters, 3);

  TestModel rank;
  rank.input("x", {}).node("Relu", {"x"}, {"y"}).output("y");
  rank.proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_FALSE(inspect_model(write(rank)).input_ports[0].shape.has_value());
}

// A chain of constants, each used by a layer, and cycles among nodes of many inputs: time grows with the file, no
// faster. Quadratic, each would take minutes.
TEST_F(ModelTest, LongChainsOfConstantsAreFollowedOnce) {
  constexpr int kLong = 20'000;
  TestModel m;
  m.input("x", {1, 4}).weights("c0", {4});
  for (int i = 1; i < kLong; ++i) {
    m.node("Neg", {"c" + std::to_string(i - 1)}, {"c" + std::to_string(i)});
    m.node("Add", {"x", "c" + std::to_string(i)}, {"y" + std::to_string(i)});
  }
  m.output("y1", {1, 4});
  EXPECT_EQ(read(m).statistics.parameters, 4);
}

TEST_F(ModelTest, QuantizedWeightsAreParametersAndScalesAreNot) {
  TestModel m;
  m.input("x", {-1, 4}).floats("s", {}, {0.1F});
  m.tensor("w", {4, 3}, onnx::TensorProto::INT8)->set_raw_data(std::string(12, '\1'));
  m.tensor("z", {}, onnx::TensorProto::INT8)->set_raw_data(std::string(1, '\0'));
  m.node("DequantizeLinear", {"w", "s", "z"}, {"wf"}).node("MatMul", {"x", "wf"}, {"y"}).output("y");
  const Model read_back = read(m);
  EXPECT_EQ(read_back.statistics.parameters, 12);
  EXPECT_EQ(read_back.statistics.layers, 1);
  EXPECT_EQ(read_back.statistics.jumps, 0);
}

TEST_F(ModelTest, HashIsTheFilesOwn) {
  const std::filesystem::path path = write(small_network());
  EXPECT_EQ(model_hash(read_model(path)), sha256_of_file(path));
}

TEST_F(ModelTest, HashCoversExternalData) {
  TestModel m;
  m.input("x", {-1, 4});
  auto* t = m.tensor("w", {4, 2}, onnx::TensorProto::FLOAT);
  t->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = t->add_external_data();
  entry->set_key("location");
  entry->set_value("w.bin");
  m.node("MatMul", {"x", "w"}, {"y"}).output("y");
  write_file_atomically(folder_.path() / "w.bin", std::string(32, 'a'));
  const Model read_back = read(m);
  ASSERT_EQ(read_back.files.size(), 2U);
  const std::string before = model_hash(read_back);
  write_file_atomically(folder_.path() / "w.bin", std::string(32, 'b'));
  EXPECT_NE(model_hash(read_back), before);
}

class MemoTest : public ModelTest {
 protected:
  MemoTest() : model_(read(small_network())), memo_(folder_.path() / "memo") {
    // A file that is only just written is not remembered: its times could not tell a second write.
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    hash_ = model_hash(model_, memo_);
  }
  std::filesystem::path file() {
    const std::filesystem::directory_iterator entries(memo_);
    EXPECT_NE(entries, std::filesystem::directory_iterator());
    return entries->path();
  }
  Model model_;
  std::filesystem::path memo_;
  std::string hash_;
};

TEST_F(MemoTest, RemembersAndNoticesChange) {
  // What is remembered is believed: put another hash in its place and see it come back.
  std::string text = read_file(file());
  ASSERT_THAT(text, HasSubstr(hash_));
  text.replace(text.find(hash_), 64, std::string(64, 'a'));
  write_file_atomically(file(), text);
  EXPECT_EQ(model_hash(model_, memo_), std::string(64, 'a'));
  // The same bytes written again have other times: hashed anew.
  write(small_network());
  EXPECT_EQ(model_hash(model_, memo_), hash_);
}

TEST_F(MemoTest, DamagedMemosAreIgnored) {
  const std::string good = read_file(file());
  for (const std::string& bad : {std::string(), good.substr(0, good.size() - 10), "x" + good, std::string(5000, 'a'),
                                 std::string(good).replace(good.size() - 20, 1, "G")}) {
    write_file_atomically(file(), bad);
    EXPECT_EQ(model_hash(model_, memo_), hash_);
  }
}

TEST_F(MemoTest, AFolderThatCannotBeMadeCostsTimeOnly) {
  write_file_atomically(folder_.path() / "blocked", std::string("a file"));
  EXPECT_EQ(model_hash(model_, folder_.path() / "blocked"), hash_);
}

}  // namespace
}  // namespace assay::model
