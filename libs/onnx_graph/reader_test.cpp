#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "assay/error.hpp"
#include "onnx_graph/graph.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::onnx_graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void add_if(TestModel& m, const std::string& uses) {
  auto* node = m.proto.mutable_graph()->add_node();
  node->set_op_type("If");
  node->add_input("c");
  node->add_output("z");
  for (const char* name : {"then_branch", "else_branch"}) {
    auto* a = node->add_attribute();
    a->set_name(name);
    a->set_type(onnx::AttributeProto::GRAPH);
    auto* inner = a->mutable_g()->add_node();
    inner->set_op_type("Neg");
    inner->add_input(uses);
    inner->add_output("inner");
    a->mutable_g()->add_output()->set_name("inner");
  }
}

std::string why_refused(const TestModel& m) {
  const std::string bytes = m.bytes();
  try {
    parse(as_bytes(bytes));
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidModel);
    return e.message();
  }
  return "accepted";
}

// What must be refused, and what the message must say.

struct Hostile {
  const char* name;
  std::function<std::string()> bytes;
  const char* says;
};

std::string nested(int depth) {
  onnx::ModelProto model = relu().proto;
  onnx::GraphProto* graph = model.mutable_graph();
  for (int i = 0; i < depth; ++i) {
    auto* a = graph->mutable_node(0)->add_attribute();
    a->set_name("body");
    a->set_type(onnx::AttributeProto::GRAPH);
    graph = a->mutable_g();
    graph->add_node()->set_op_type("Relu");
  }
  return model.SerializeAsString();
}

const Hostile kHostile[] = {
    {"Empty", [] { return std::string(); }, "empty (0 bytes)"},
    {"Text", [] { return std::string("this is not a model, it is a line of text\n"); }, "not a whole ONNX model"},
    {"Jpeg", [] { return std::string("\xff\xd8\xff\xe0\x00\x10JFIF", 10); }, "ONNX model"},
    {"Zeros", [] { return std::string(100, '\0'); }, "not a whole ONNX model"},
    {"NoGraph", [] { return std::string("\x08\x08", 2); }, "without a graph"},
    {"Truncated",
     [] {
       const std::string whole = relu().bytes();
       return whole.substr(0, whole.size() - 10);
     },
     "cut off"},
    {"TwoGraphs", [] { return relu().bytes() + relu().bytes(); }, "two graphs"},
    {"NoOpset",
     [] {
       TestModel m = relu();
       m.proto.clear_opset_import();
       return m.bytes();
     },
     "does not say which operator set"},
    {"NoOutputs",
     [] {
       TestModel m = relu();
       m.proto.mutable_graph()->clear_output();
       return m.bytes();
     },
     "no outputs"},
    {"OutputNobodyMakes", [] { return relu().output("nowhere").bytes(); }, "uses value \"nowhere\""},
    {"DanglingInput", [] { return relu().node("Neg", {"missing"}, {"z"}).bytes(); },
     "Neg node \"z\" uses value \"missing\", which no input, initializer or node defines"},
    {"DanglingInSubgraph",
     [] {
       TestModel m = relu();
       m.input("c", {}, onnx::TensorProto::BOOL);
       add_if(m, "missing");
       return m.bytes();
     },
     "If node \"z\" uses value \"missing\""},
    {"SelfCycle", [] { return relu().node("Add", {"x", "a"}, {"a"}).bytes(); }, "cycle of 1 nodes: Add node \"a\""},
    {"Cycle",
     [] { return relu().node("Add", {"x", "c"}, {"a"}).node("Neg", {"a"}, {"b"}).node("Neg", {"b"}, {"c"}).bytes(); },
     "cycle of 3 nodes"},
    {"CycleThroughSubgraph",
     [] {
       TestModel m = relu();
       m.input("c", {}, onnx::TensorProto::BOOL);
       add_if(m, "later");
       m.node("Neg", {"z"}, {"later"});
       return m.bytes();
     },
     "cycle of 2 nodes"},
    {"DefinedTwice", [] { return relu().node("Neg", {"x"}, {"y"}).bytes(); }, "\"y\" is defined twice"},
    {"OutputShadowsInput", [] { return relu().node("Neg", {"y"}, {"x"}).bytes(); }, "\"x\" is defined twice"},
    {"TwoInputs", [] { return relu().input("x", {1}).bytes(); }, "two inputs of the graph are called \"x\""},
    {"TwoInitializers", [] { return relu().weights("w", {1}).weights("w", {1}).bytes(); },
     "two initializers are called \"w\""},
    {"AttributeTwice", [] { return relu().node("Neg", {"x"}, {"z"}, {{"a", 1.0F}, {"a", 2.0F}}).bytes(); },
     "attribute \"a\" twice"},
    {"NoOperator", [] { return relu().node("", {"x"}, {"z"}).bytes(); }, "has no operator"},
    {"RawTooShort", [] { return with_tensor([](auto& t) { t.set_raw_data("abc"); }).bytes(); },
     "should have 16 bytes of data but has 3"},
    {"NoData", [] { return with_tensor([](auto&) {}).bytes(); }, "should have 16 bytes of data but has 0"},
    {"TooFewNumbers", [] { return with_tensor([](auto& t) { t.add_float_data(1); }).bytes(); },
     "should hold 4 numbers but holds 1"},
    {"WrongField", [] { return with_tensor([](auto& t) { t.add_int64_data(1); }).bytes(); }, "field of another type"},
    {"TwoWays",
     [] {
       return with_tensor([](auto& t) {
                t.add_float_data(1);
                t.set_raw_data("abc");
              })
           .bytes();
     },
     "two ways at once"},
    {"UnknownType", [] { return with_tensor([](auto& t) { t.set_data_type(99); }).bytes(); }, "element type 99"},
    {"NegativeSize", [] { return with_tensor([](auto& t) { t.set_dims(0, -4); }).bytes(); }, "negative size"},
    {"HugeDims",
     [] {
       return with_tensor([](auto& t) {
                t.set_dims(0, INT64_MAX);
                t.set_dims(1, INT64_MAX);
              })
           .bytes();
     },
     "refused as hostile"},
    {"HugeDimsTimesZero",
     [] {
       return with_tensor([](auto& t) {
                t.set_dims(0, INT64_MAX);
                t.set_dims(1, INT64_MAX);
                t.add_dims(0);
              })
           .bytes();
     },
     "refused as hostile"},
    {"HugeRank",
     [] {
       return with_tensor([](auto& t) {
                for (int i = 0; i < 1000; ++i) t.add_dims(1);
              })
           .bytes();
     },
     "more than 64 axes"},
    {"HugeInput", [] { return relu().input("h", {INT64_MAX, INT64_MAX}).bytes(); }, "larger than any memory"},
    {"HugeRankOfInput", [] { return relu().input("h", std::vector<std::int64_t>(1000, 1)).bytes(); },
     "more than 64 axes"},
    {"DeepSubgraphs", [] { return nested(40); }, "nested more than 16 deep"},
    {"LongName", [] { return relu().input(std::string(5000, 'a'), {1}).bytes(); }, "5000 bytes"},
    {"NotUtf8", [] { return relu().input("\xff\xfe", {1}).bytes(); }, "not UTF-8"},
    {"ExternalInMemory",
     [] { return with_tensor([](auto& t) { t.set_data_location(onnx::TensorProto::EXTERNAL); }).bytes(); },
     "no folder"},
};

class HostileTest : public testing::TestWithParam<Hostile> {};

TEST_P(HostileTest, IsRefusedAndSaysWhy) {
  const std::string bytes = GetParam().bytes();
  try {
    parse(as_bytes(bytes));
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidModel);
    EXPECT_THAT(e.message(), HasSubstr(GetParam().says));
  }
}
INSTANTIATE_TEST_SUITE_P(Table, HostileTest, testing::ValuesIn(kHostile),
                         [](const auto& i) { return std::string(i.param.name); });

TEST(LimitsTest, EachOneHolds) {
  const std::string bytes = relu().weights("w", {2}).node("Neg", {"x"}, {"z"}).bytes();
  const auto message = [&](const Limits& limits) {
    try {
      parse(as_bytes(bytes), {}, limits);
    } catch (const Error& e) {
      return e.message();
    }
    return std::string("nothing was thrown");
  };
  Limits nodes, initializers, memory, size;
  nodes.nodes = 1;
  initializers.initializers = 0;
  memory.structure_bytes = 500;
  size.file_bytes = 10;
  EXPECT_THAT(message(nodes), HasSubstr("more than 1 nodes"));
  EXPECT_THAT(message(initializers), HasSubstr("more than 0 initializers"));
  EXPECT_THAT(message(memory), HasSubstr("of memory"));
  EXPECT_THAT(message(size), HasSubstr("at most 10 are read"));
  EXPECT_EQ(message({}), "nothing was thrown");
}

TEST(ReaderTest, EveryPrefixOfAModelIsRefusedOrWhole) {
  const std::string whole = relu().weights("w", {2}).bytes();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string part = whole.substr(0, n);
    try {
      // A cut between fields leaves a message that is whole: then the graph must be.
      EXPECT_EQ(parse(as_bytes(part)).graph.outputs.size(), 1U) << n;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidModel) << n;
    }
  }
}

// Each of many nodes waits for many that are done before the one that is not: looking once at each edge is enough.
TEST(ReaderTest, ACycleAmongManyEdgesIsFoundOnce) {
  constexpr int kMany = 1500;
  TestModel m = relu();
  std::vector<std::string> done;
  for (int i = 0; i < kMany; ++i) {
    done.push_back("d" + std::to_string(i));
    m.node("Neg", {"x"}, {done.back()});
  }
  for (int i = 0; i < kMany; ++i) {
    std::vector<std::string> inputs = done;
    inputs.push_back("c" + std::to_string((i + 1) % kMany));
    m.node("Sum", inputs, {"c" + std::to_string(i)});
  }
  EXPECT_THAT(why_refused(m), HasSubstr("cycle of 1500 nodes"));
}

TEST(ReaderTest, SparseInitializersKeepTheirValues) {
  TestModel m = relu();
  auto* sparse = m.proto.mutable_graph()->add_sparse_initializer();
  EXPECT_THAT(why_refused(m), HasSubstr("a sparse initializer has no values"));
  auto* values = sparse->mutable_values();
  values->set_name("w");
  values->set_data_type(onnx::TensorProto::FLOAT);
  values->add_dims(2);
  values->add_float_data(1);
  values->add_float_data(2);
  sparse->mutable_indices()->set_data_type(onnx::TensorProto::INT64);
  sparse->add_dims(100);
  m.node("Add", {"y", "w"}, {"z"});
  std::string bytes;
  const Model read = parse_kept(m, bytes);
  EXPECT_TRUE(read.has_sparse_initializers);
  ASSERT_EQ(read.graph.sparse_initializers.size(), 1U);
  EXPECT_EQ(read.graph.sparse_initializers[0].elements, 2);
  values->clear_name();
  EXPECT_THAT(why_refused(m), HasSubstr("has no name"));
}

// What must be understood.

TEST(ReaderTest, NodesAreBroughtIntoOrder) {
  TestModel m;
  m.input("x", {1}).node("Neg", {"b"}, {"c"}).node("Neg", {"a"}, {"b"}).node("Neg", {"x"}, {"a"}).output("c");
  const std::string bytes = m.bytes();
  const Model model = parse(as_bytes(bytes));
  std::vector<std::string> order;
  for (const Node& n : model.graph.nodes) order.push_back(n.outputs[0]);
  EXPECT_THAT(order, ElementsAre("a", "b", "c"));
}

TEST(ReaderTest, SubgraphsKeepWhatTheyCapture) {
  TestModel m = relu();
  m.input("c", {}, onnx::TensorProto::BOOL);
  add_if(m, "later");
  m.node("Neg", {"x"}, {"later"});  // used inside, so it must come before
  const std::string bytes = m.bytes();
  const Model model = parse(as_bytes(bytes));
  EXPECT_EQ(model.graph.nodes[1].op_type, "Neg");
  const auto* branch = model.graph.nodes[2].attribute<std::shared_ptr<const Graph>>("then_branch");
  ASSERT_NE(branch, nullptr);
  EXPECT_THAT((*branch)->captured, ElementsAre("later"));
}

TEST(ReaderTest, AttributesOfEveryKind) {
  TestModel m = relu();
  m.node("Neg", {"x"}, {"z"},
         {{"i", std::int64_t{-3}},
          {"f", 0.5F},
          {"s", std::string("text")},
          {"is", std::vector<std::int64_t>{1, -2}},
          {"fs", std::vector<float>{0.25F}}});
  const std::string bytes = m.bytes();
  const Model model = parse(as_bytes(bytes));
  const Node& node = model.graph.nodes[1];
  EXPECT_EQ(node.attribute_or<std::int64_t>("i", 0), -3);
  EXPECT_EQ(node.attribute_or<float>("f", 0), 0.5F);
  EXPECT_EQ(node.attribute_or<std::string>("s", ""), "text");
  EXPECT_THAT(node.attribute_or<std::vector<std::int64_t>>("is", {}), ElementsAre(1, -2));
  EXPECT_THAT(node.attribute_or<std::vector<float>>("fs", {}), ElementsAre(0.25F));
  EXPECT_EQ(node.attribute<float>("i"), nullptr);
}

template <class Check>
void check_tensor(std::int32_t type, const std::function<void(onnx::TensorProto&)>& fill, Check check) {
  TestModel m = relu();
  auto* t = m.tensor("w", {2}, type);
  fill(*t);
  const std::string bytes = m.bytes();
  const Model model = parse(as_bytes(bytes));
  check(model.graph.initializers.at(0));
}

TEST(TensorTest, TypedFieldsAndRawDataSayTheSame) {
  using P = onnx::TensorProto;
  const auto ints = [](const Tensor& t) { return t.integers(); };
  const auto is = [&](std::int64_t a, std::int64_t b) {
    return [&ints, a, b](const Tensor& t) { EXPECT_THAT(ints(t), ElementsAre(a, b)); };
  };
  const auto fill32 = [](std::int32_t a, std::int32_t b) {
    return [a, b](P& t) {
      t.add_int32_data(a);
      t.add_int32_data(b);
    };
  };
  check_tensor(P::INT8, fill32(-1, 127), is(-1, 127));
  check_tensor(P::UINT8, fill32(0, 255), is(0, 255));
  check_tensor(P::INT16, fill32(-300, 300), is(-300, 300));
  check_tensor(P::INT32, fill32(INT32_MIN, INT32_MAX), is(INT32_MIN, INT32_MAX));
  check_tensor(P::BOOL, fill32(0, 1), is(0, 1));
  check_tensor(P::INT64, [](P& t) { t.add_int64_data(INT64_MIN), t.add_int64_data(5); }, is(INT64_MIN, 5));
  check_tensor(P::UINT32, [](P& t) { t.add_uint64_data(7), t.add_uint64_data(UINT32_MAX); }, is(7, UINT32_MAX));
  check_tensor(P::INT16, [](P& t) { t.set_raw_data("\x01\x00\xff\xff", 4); }, is(1, -1));
}

TEST(TensorTest, FloatsOfEveryWidth) {
  using P = onnx::TensorProto;
  const auto is = [](float a, float b) {
    return [a, b](const Tensor& t) { EXPECT_THAT(t.floats(), ElementsAre(a, b)); };
  };
  check_tensor(P::FLOAT, [](P& t) { t.add_float_data(1.5F), t.add_float_data(-2); }, is(1.5F, -2));
  check_tensor(P::DOUBLE, [](P& t) { t.add_double_data(1.5), t.add_double_data(-2); }, is(1.5F, -2));
  check_tensor(P::FLOAT16, [](P& t) { t.add_int32_data(0x3e00), t.add_int32_data(0xc000); }, is(1.5F, -2));
  check_tensor(
      P::FLOAT16, [](P& t) { t.add_int32_data(0x0001), t.add_int32_data(0x7c00); },
      is(std::ldexp(1.0F, -24), INFINITY));
  check_tensor(P::BFLOAT16, [](P& t) { t.add_int32_data(0x3fc0), t.add_int32_data(0xc000); }, is(1.5F, -2));
}

TEST(TensorTest, RawDataIsNotCopied) {
  const std::string bytes = relu().floats("w", {2}, {1, 2}).bytes();
  const Model model = parse(as_bytes(bytes));
  const Bytes contents = model.graph.initializers[0].bytes();
  const auto* begin = reinterpret_cast<const char*>(contents.span().data());
  EXPECT_GE(begin, bytes.data());
  EXPECT_LT(begin, bytes.data() + bytes.size());
}

}  // namespace
}  // namespace assay::onnx_graph
