// Over a real TensorFlow: what is loaded, what is refused, what is left in the cache.
#include <gmock/gmock.h>

#include <fstream>

#include "test/framework_fixture.hpp"

namespace assay::tensorflow {
namespace {

using onnx_graph::TestModel;
using testing::ElementsAre;
using testing::HasSubstr;

class TensorFlow : public test::OverTensorFlow<> {
 protected:
  void SetUp() override {
    OverTensorFlow::SetUp();
    request_.threads = 2;
    request_.goal = ASSAY_GOAL_LATENCY;
  }
  /// y of y = f(x), one batch of 2 x 3.
  static std::vector<float> answer(kit::Session& session) {
    return OverTensorFlow::answer(session, {0, 1, 2, -5, 5, 0.5F}, {2, 3}, {2, 3});
  }
  static std::string in_force(kit::Session& session, const std::string& key) {
    for (const auto& [k, v] : session.describe().in_force) {
      if (k == key) return v;
    }
    return "(none)";
  }
};

TestModel add_relu() {
  TestModel m;
  m.input("x", {-1, 3}).floats("c", {3}, {1, -2, 3});
  m.node("Add", {"x", "c"}, {"s"}).node("Relu", {"s"}, {"y"}).output("y", {-1, 3});
  return m;
}

TEST_F(TensorFlow, ComputesWithXlaAndSaysSoOnceItHas) {
  write(add_relu());
  request_.batch_size = 2;
  request_.options = {{"xla", "true"}};
  const auto session = backend_.open(request_);
  EXPECT_EQ(in_force(*session, "xla"), "asked");
  EXPECT_THAT(answer(*session), ElementsAre(1, 0, 5, 0, 3, 3.5F));
  EXPECT_THAT(in_force(*session, "xla"),
              testing::AnyOf("true", "partly", "false"));  // a graph so small may not be worth a cluster
  EXPECT_THAT(session->report("placement"), HasSubstr("xla_clusters"));
  EXPECT_EQ(session->describe().short_batch, ASSAY_SHORT_BATCH_PAD);
}

TEST_F(TensorFlow, ComputesWithoutXlaAtAnyBatchSize) {
  write(add_relu());
  request_.options = {{"xla", "false"}};
  const auto session = backend_.open(request_);
  EXPECT_EQ(session->describe().inputs.at(0).shape, (std::vector<std::int64_t>{-1, 3}));
  EXPECT_EQ(session->describe().inputs.at(0).axes.at(0), "N");
  EXPECT_EQ(session->describe().short_batch, ASSAY_SHORT_BATCH_RESHAPE);
  EXPECT_THAT(answer(*session), ElementsAre(1, 0, 5, 0, 3, 3.5F));
  EXPECT_EQ(in_force(*session, "xla"), "false");
}

TEST_F(TensorFlow, AllThatCannotBeTranslatedIsOneError) {
  TestModel m;
  m.input("x", {1, 3}).output("y", {1, 3});
  m.node("Bernoulli", {"x"}, {"a"})
      .node("Relu", {"a"}, {"b"})
      .node("NotInOnnx", {"b"}, {"c"})
      .node("Celu", {"x"}, {"d"});
  m.node("Multinomial", {"x"}, {"e"}).node("Add", {"c", "e"}, {"y"});
  write(m);
  const auto [code, message] = failure();
  EXPECT_EQ(code, ASSAY_UNSUPPORTED);
  EXPECT_THAT(message, HasSubstr("opset 17"));
  EXPECT_THAT(message, HasSubstr("3 nodes (1 Bernoulli, 1 Multinomial, 1 NotInOnnx)"));  // Celu is needed by nobody
  EXPECT_THAT(message, HasSubstr("Bernoulli"));
  EXPECT_THAT(message, HasSubstr("Multinomial"));
}

TEST_F(TensorFlow, WindowsThatNoModelHasAreRefused) {
  using Attributes = onnx_graph::TestAttributes;
  const std::vector<std::int64_t> two = {2, 2};
  const std::vector<std::pair<const char*, Attributes>> cases = {
      {"MaxPool", {{"kernel_shape", two}, {"strides", std::vector<std::int64_t>{0, 1}}, {"auto_pad", "SAME_UPPER"}}},
      {"MaxPool",
       {{"kernel_shape", two}, {"strides", std::vector<std::int64_t>{0, 1}}, {"ceil_mode", std::int64_t{1}}}},
      {"MaxPool", {{"kernel_shape", two}, {"dilations", std::vector<std::int64_t>{0, 1}}}},
      {"AveragePool", {{"kernel_shape", two}, {"pads", std::vector<std::int64_t>{0, 0, INT64_C(4000000000), 0}}}},
      {"LRN", {{"size", std::int64_t{2000000000}}}}};
  for (const auto& [op, attributes] : cases) {
    TestModel m;
    m.input("x", {1, 2, 8, 8}).node(op, {"x"}, {"y"}, attributes).output("y");
    write(m);
    EXPECT_EQ(failure().first, ASSAY_UNSUPPORTED) << op;
  }
}

TEST_F(TensorFlow, Bf16ThatNothingWouldComputeIsRefused) {
  write(add_relu());
  request_.precision = ASSAY_PRECISION_BF16;
  request_.options = {{"grappler", "false"}};
  EXPECT_EQ(failure().first, ASSAY_UNSUPPORTED);  // or because the processor has no bf16
}

TEST_F(TensorFlow, OpsetsBeyondTheTableAreRefused) {
  for (const std::int64_t opset : {6, 22}) {
    TestModel m(opset);
    m.input("x", {1, 3}).node("Relu", {"x"}, {"y"}).output("y", {1, 3});
    write(m);
    const auto [code, message] = failure();
    EXPECT_EQ(code, ASSAY_UNSUPPORTED) << opset;
    EXPECT_THAT(message, HasSubstr("opset " + std::to_string(opset)));
  }
}

TEST_F(TensorFlow, AFileThatIsNoModelIsInvalid) {
  request_.model_path = folder_ + "/model.onnx";
  std::ofstream(request_.model_path) << "nonsense";
  EXPECT_EQ(failure().first, ASSAY_INVALID_MODEL);
}

TEST_F(TensorFlow, AShapeThatDoesNotFitIsTheCallersMistake) {
  write(add_relu());
  request_.shapes = {{"x", {2, 4}}};
  EXPECT_EQ(failure().first, ASSAY_INVALID_ARGUMENT);
  request_.shapes = {{"nobody", {2, 3}}};
  EXPECT_EQ(failure().first, ASSAY_INVALID_ARGUMENT);
}

TEST_F(TensorFlow, OneDnnIsOneChoiceAProcess) {
  write(add_relu());
  const auto session = backend_.open(request_);
  request_.options = {{"onednn", "false"}};
  const auto [code, message] = failure();
  EXPECT_EQ(code, ASSAY_UNSUPPORTED);
  EXPECT_THAT(message, HasSubstr("another process"));
}

TestModel dense_relu() {
  TestModel m;
  m.input("x", {-1, 3}).floats("w", {3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1}).floats("b", {3}, {1, -2, 3});
  m.node("MatMul", {"x", "w"}, {"p"}).node("Add", {"p", "b"}, {"s"}).node("Relu", {"s"}, {"y"}).output("y", {-1, 3});
  return m;
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(TensorFlow, TheOptimizedGraphIsCachedAndTakenUpAgain) {
  write(dense_relu());
  request_.batch_size = 2;
  request_.cache_fill = folder_;
  EXPECT_THAT(answer(*backend_.open(request_)), ElementsAre(1, 0, 5, 0, 3, 3.5F));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/graph.pb"));
  const std::string optimized = content(folder_ + "/optimized.pb");
  EXPECT_THAT(optimized, HasSubstr("FusedMatMul"));
  EXPECT_THAT(optimized, testing::Not(HasSubstr("_Arg")));
  request_.cache_fill.clear();
  request_.cache_read = folder_;
  const auto session = backend_.open(request_);
  EXPECT_TRUE(session->describe().from_cache);
  EXPECT_EQ(session->describe().inputs.at(0).shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_THAT(answer(*session), ElementsAre(1, 0, 5, 0, 3, 3.5F));
  EXPECT_EQ(in_force(*session, "fused_operations"), "1");  // though grappler did not run in this session
}

TEST_F(TensorFlow, AFreeBatchIsOptimizedOnOneSample) {
  write(dense_relu());
  request_.cache_fill = folder_;
  (void)backend_.open(request_);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/optimized.pb"));
  request_.cache_fill.clear();
  request_.cache_read = folder_;
  EXPECT_THAT(answer(*backend_.open(request_)), ElementsAre(1, 0, 5, 0, 3, 3.5F));
}

// XLA compiles none of oneDNN's kernels; nobody waits for a large batch that is run for its graph alone.
TEST_F(TensorFlow, TheTranslatedGraphIsCachedForXlaAndForLargeBatches) {
  write(dense_relu());
  request_.cache_fill = folder_;
  request_.options = {{"xla", "true"}};
  (void)backend_.open(request_);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/graph.pb"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/optimized.pb"));
  request_.options.clear();
  request_.batch_size = 1024;
  (void)backend_.open(request_);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/optimized.pb"));
  request_.batch_size = 2;
  request_.cache_fill.clear();
  request_.cache_read = folder_;
  const auto session = backend_.open(request_);
  EXPECT_TRUE(session->describe().from_cache);
  EXPECT_THAT(answer(*session), ElementsAre(1, 0, 5, 0, 3, 3.5F));
}

TEST_F(TensorFlow, ASavedGraphThatIsBrokenIsMadeAnew) {
  write(add_relu());
  request_.cache_read = folder_;
  for (const char* file : {"/graph.pb", "/optimized.pb"}) {
    std::ofstream(folder_ + file) << "nonsense";
    const auto session = backend_.open(request_);
    EXPECT_FALSE(session->describe().from_cache);
    EXPECT_THAT(answer(*session), ElementsAre(1, 0, 5, 0, 3, 3.5F));
  }
}

/// y_i = (i + 1) x_i of so many inputs, each third an integer.
TestModel many(int count) {
  TestModel m;
  for (int i = 0; i < count; ++i) {
    const std::string x = "x" + std::to_string(i), c = "c" + std::to_string(i), f = "f" + std::to_string(i);
    m.input(x, {1}, i % 3 == 2 ? onnx::TensorProto::INT32 : onnx::TensorProto::FLOAT);
    m.floats(c, {1}, {static_cast<float>(i + 1)});
    m.node("Cast", {x}, {f});
    auto* to = m.proto.mutable_graph()->mutable_node(m.proto.graph().node_size() - 1)->add_attribute();
    to->set_name("to");
    to->set_type(onnx::AttributeProto::INT);
    to->set_i(onnx::TensorProto::FLOAT);
    m.node("Mul", {f, c}, {"y" + std::to_string(i)}).output("y" + std::to_string(i), {1});
  }
  return m;
}

std::vector<float> answers_of_many(kit::Session& session, int count) {
  std::vector<float> floats;
  std::vector<std::int32_t> integers;
  for (int i = 0; i < count; ++i) {
    floats.push_back(static_cast<float>(10 + i));
    integers.push_back(10 + i);
  }
  const std::int64_t one = 1;
  std::vector<assay_tensor> in, out(static_cast<std::size_t>(count));
  std::vector<kit::FixedShape> shapes;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool integer = i % 3 == 2;
    void* data = integer ? static_cast<void*>(&integers[i]) : &floats[i];
    in.push_back({data, 4, integer ? ASSAY_INT32 : ASSAY_FLOAT32, ASSAY_HOST, 1, 0, &one, nullptr});
    shapes.push_back({"", {1}});
  }
  const auto slot = session.open_slot(shapes);
  kit::Timing timing;
  slot->submit(in, out, nullptr, nullptr);
  slot->wait(out, timing);
  std::vector<float> answers;
  for (const assay_tensor& t : out) answers.push_back(*static_cast<const float*>(t.data));
  slot->quiesce();
  return answers;
}

// More than ten, so that TensorFlow's order of them, which is alphabetical, is another than the model's.
TEST_F(TensorFlow, ManyInputsAndOutputsComeOutOfTheCacheInTheirPlaces) {
  constexpr int kCount = 13;
  write(many(kCount));
  const std::vector<float> expected = answers_of_many(*backend_.open(request_), kCount);
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(expected.at(static_cast<std::size_t>(i)), (i + 1) * (10 + i));
  request_.cache_fill = folder_;
  EXPECT_EQ(answers_of_many(*backend_.open(request_), kCount), expected);
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/optimized.pb"));
  request_.cache_fill.clear();
  request_.cache_read = folder_;
  const auto session = backend_.open(request_);
  EXPECT_TRUE(session->describe().from_cache);
  EXPECT_EQ(answers_of_many(*session, kCount), expected);
}

TEST_F(TensorFlow, AProfileNamesWhatRan) {
  write(add_relu());
  request_.options = {{"xla", "false"}};
  EXPECT_THROW((void)backend_.open(request_)->report("profile"), kit::Failure);
  request_.profile = true;
  const auto session = backend_.open(request_);
  answer(*session);
  EXPECT_THAT(session->report("profile"), HasSubstr("\"batches\": 1"));
  EXPECT_THAT(session->report("profile"), HasSubstr("output_0"));
}

}  // namespace
}  // namespace assay::tensorflow
