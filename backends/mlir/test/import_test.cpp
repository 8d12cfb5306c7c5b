// Operators as nodes of the graph.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <regex>

#include "compiler/operators/operator.hpp"
#include "test/models.hpp"

namespace assay::compiler {
namespace {

using test::TestModel;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TestModel of(const std::string& op, const std::vector<std::string>& inputs,
             const onnx_graph::TestAttributes& attributes = {}, std::int64_t opset = 17) {
  TestModel m(opset);
  m.input("x", {2, 3, 8, 8}).node(op, inputs, {"y"}, attributes).output("y");
  return m;
}

std::string graph_of(const TestModel& m) { return test::text_of(m, {{"x", {2, 3, 8, 8}}}); }

TEST(Import, AnOperatorOfOneElementIsAMap) {
  EXPECT_THAT(graph_of(of("Relu", {"x"})), HasSubstr("\n%1 f32 2x3x8x8 = Map(%0) max(%0, 0)  //"));
  EXPECT_THAT(graph_of(of("LeakyRelu", {"x"}, {{"alpha", 0.5F}})),
              HasSubstr("\n%1 f32 2x3x8x8 = Map(%0) select(less(%0, 0), mul(%0, 0.5), %0)  //"));
}

TEST(Import, ItsTextHasTheNamesOfTheFile) {
  TestModel m = of("Conv", {"x", "w"}).weights("w", {4, 3, 1, 1});
  m.proto.mutable_graph()->mutable_node(0)->set_name("first");
  m.proto.mutable_graph()->mutable_node(0)->set_output(0, "a\nb");
  m.proto.mutable_graph()->mutable_output(0)->set_name("a\nb");
  EXPECT_EQ(graph_of(m),
            "%0 f32 2x3x8x8 = input \"x\"\n"
            "%1 f32 4x3x1x1 = constant \"w\"\n"
            "%2 f32 2x4x8x8 = Conv(%0, %1) strides 1x1 dilations 1x1 begin 0x0 end 0x0 groups 1"
            "  // Conv node \"first\" -> \"a\\u000ab\"\n"
            "outputs %2\n");
}

TEST(Import, AFreeAxisHasTheSizeThatIsAskedFor) {
  TestModel m = onnx_graph::relu();
  EXPECT_THAT(test::text_of(m, {{"x", {7, 4}}}), HasSubstr("\n%1 f32 7x4 = Map(%0) max(%0, 0)"));
}

TEST(Import, AConvolutionHasItsPaddingWhateverItIsCalled) {
  TestModel m =
      of("Conv", {"x", "w"}, {{"auto_pad", std::string("SAME_LOWER")}, {"strides", std::vector<std::int64_t>{2, 2}}});
  m.weights("w", {4, 3, 3, 3});
  EXPECT_THAT(graph_of(m),
              HasSubstr("f32 2x4x4x4 = Conv(%0, %1) strides 2x2 dilations 1x1 begin 1x1 end 0x0 groups 1"));
}

TEST(Import, ATransposedConvolutionIsZerosBetweenThePixelsAndAConvolution) {
  TestModel m = of("ConvTranspose", {"x", "w"}, {{"strides", std::vector<std::int64_t>{2, 2}}});
  m.weights("w", {3, 4, 2, 2});
  EXPECT_THAT(graph_of(m),
              AllOf(HasSubstr("Pad("), HasSubstr("f32 2x4x16x16 = Conv("), Not(HasSubstr("strides 2x2 dil"))));
}

TEST(Import, SoftmaxIsTwoReductions) {
  const std::string text = graph_of(of("Softmax", {"x"}, {{"axis", std::int64_t{1}}}));
  EXPECT_THAT(text, AllOf(HasSubstr("Reduce(%0) maximum over 1"), HasSubstr("sum over 1"), HasSubstr("exp(")));
}

TEST(Import, SizesAndArithmeticOnThemAreKnown) {
  TestModel m;
  m.input("x", {2, 3, 8, 8})
      .integer("two", 2)
      .integers("first", {0})
      .integers("rest", {-1})
      .node("Shape", {"x"}, {"s"})
      .node("Gather", {"s", "first"}, {"n"}, {{"axis", std::int64_t{0}}})
      .node("Concat", {"n", "rest"}, {"shape"}, {{"axis", std::int64_t{0}}})
      .node("Reshape", {"x", "shape"}, {"y"})
      .output("y");
  EXPECT_THAT(graph_of(m),
              AllOf(HasSubstr("f32 2x192 = Reshape(%0)"), Not(HasSubstr("Gather")), Not(HasSubstr("Concat"))));
}

std::string refusal_of(const std::function<void()>& import) {
  try {
    import();
  } catch (const Unsupported& e) {
    return e.what();
  }
  return "it was imported";
}

TEST(Import, WhatIsNotCompiledIsToldInOneErrorWithItsNodesAndWhatToDo) {
  TestModel m;
  m.input("x", {2, 3, 8, 8})
      .integers("k", {1})
      .node("TopK", {"x", "k"}, {"t", "i"})
      .node("TopK", {"t", "k"}, {"u", "j"})
      .node("NonZero", {"u"}, {"y"})
      .output("y");
  std::string bytes;
  const onnx_graph::Model model = onnx_graph::parse_kept(m, bytes);
  const std::string told = refusal_of([&] { check_operators(model, nullptr); });
  EXPECT_EQ(
      told,
      "the model (opset 17) has what is not compiled:\n"
      "  operator TopK: 2 nodes, the first is TopK node \"t\"\n"
      "  operator NonZero: 1 node, NonZero node \"y\"\n"
      "another backend may run it: try --backend onnxruntime, then openvino or tensorflow ('assay backends' lists "
      "yours)");
  EXPECT_EQ(refusal_of([&] { (void)import_model(model, {{"x", {2, 3, 8, 8}}}); }), told);
}

/// Operators, attributes and types, in front of what cannot be imported and behind it.
TEST(Import, OperatorsAttributesAndTypesAreToldInOneError) {
  TestModel m;
  m.input("x", {-1, 3, -1, 8})
      .integers("k", {1})
      .integers("sizes", {1, 3, 4, 4})
      .node("Resize", {"x", "", "", "sizes"}, {"small"}, {{"antialias", std::int64_t{1}}})
      .node("TopK", {"small", "k"}, {"t", "i"})
      .node("Mul", {"t", "half"}, {"u"})
      .node("Pad", {"t", "p"}, {"y"}, {{"mode", std::string("fold")}})
      .integers("p", {0, 0, 1, 1, 0, 0, 1, 1})
      .output("u")
      .output("y");
  m.tensor("half", {1}, onnx::TensorProto::FLOAT16)->set_raw_data("\0\0", 2);
  std::string bytes;
  const onnx_graph::Model model = onnx_graph::parse_kept(m, bytes);
  const std::map<std::string, Shape> shapes = {{"x", {1, 3, 8, 8}}};
  const std::string told = refusal_of([&] { check_operators(model, &shapes); });
  EXPECT_THAT(refusal_of([&] { check_operators(model, nullptr); }),
              AllOf(HasSubstr("TopK"), Not(HasSubstr("antialias"))));
  EXPECT_THAT(told,
              AllOf(HasSubstr("\n  operator TopK: 1 node, TopK node \"t\"\n"),
                    HasSubstr("\n  Resize node \"small\": antialias is not computed\n"),
                    HasSubstr("\n  Mul node \"u\": 'half' is float16"), HasSubstr("\n  Pad node \"y\": mode fold")));
  const std::string imported = refusal_of([&] { (void)import_model(model, shapes); });
  for (const char* what : {"operator TopK: 1 node", "antialias", "float16", "mode fold"})
    EXPECT_THAT(imported, HasSubstr(what));
}

TEST(Import, WhatHasNoElementsIsConstantHoweverLargeItsOtherAxes) {
  TestModel m;
  m.input("x", {1, 2, 35, 3})
      .floats("scales", {4}, {1, 1 << 30, 0.004F, 2})
      .node("Resize", {"x", "", "scales"}, {"y"}, {{"mode", std::string("linear")}})
      .output("y");
  EXPECT_EQ(test::text_of(m, {{"x", {1, 2, 35, 3}}}),
            "%0 f32 1x2x35x3 = input \"x\"\n"
            "%1 f32 1x2147483648x0x6 = constant \"y\"\n"
            "outputs %1\n");
}

TEST(Import, ATensorOfNothingHasStridesThatAreNumbers) {
  EXPECT_EQ(count(Shape{0, std::int64_t{1} << 40}), 0);
  EXPECT_THROW((void)count(Shape{0, std::int64_t{1} << 40, std::int64_t{1} << 40}), Unsupported);
}

TEST(Import, AnOpsetThatIsNotKnownIsAnError) {
  for (const std::int64_t opset : {6, 22}) {
    EXPECT_THAT(refusal_of([&] { (void)graph_of(of("Relu", {"x"}, {}, opset)); }),
                AllOf(HasSubstr("opset " + std::to_string(opset)), HasSubstr("--backend onnxruntime")));
  }
}

TEST(Import, ATensorTooLargeForAnyMemoryIsAnError) {
  TestModel m;
  m.input("x", {1})
      .integers("s", {INT64_C(1) << 20, INT64_C(1) << 20, INT64_C(1) << 20})
      .node("Expand", {"x", "s"}, {"y"});
  m.output("y");
  EXPECT_THROW((void)test::text_of(m, {{"x", {1}}}), Unsupported);
}

/// What the backend's page lists between its marks.
std::vector<std::string> listed_operators() {
  std::ifstream in(ASSAY_SOURCE_DIR "/backends/mlir/README.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const std::string opens = "<!-- operators -->", closes = "<!-- end of operators -->";
  const std::size_t begin = std::min(page.find(opens), page.size()), end = std::min(page.find(closes), page.size());
  const std::string list = begin < end ? page.substr(begin + opens.size(), end - begin - opens.size()) : "";
  static const std::regex name("[A-Za-z0-9.]+");
  std::vector<std::string> names;
  for (std::sregex_iterator at(list.begin(), list.end(), name), none; at != none; ++at) names.push_back(at->str());
  return names;
}

TEST(Operators, TheBackendsPageListsThoseOfTheTables) { EXPECT_EQ(listed_operators(), operator_names()); }

struct Bad {
  const char* name;
  TestModel model;
  const char* says;
};
void PrintTo(const Bad& b, std::ostream* out) { *out << b.name; }  // NOLINT: gtest's name

std::vector<Bad> bad_models() {
  using Ints = std::vector<std::int64_t>;
  std::vector<Bad> all;
  all.push_back({"concat", of("Concat", {"x", "w"}, {{"axis", std::int64_t{1}}}).weights("w", {5, 3, 8, 8}),
                 "does not go beside"});
  all.push_back({"negative_pads", of("Conv", {"x", "w"}, {{"pads", Ints{-1, 0, 0, 0}}}).weights("w", {4, 3, 3, 3}),
                 "less than nothing"});
  all.push_back({"no_steps", of("Conv", {"x", "w"}, {{"strides", Ints{0, 1}}}).weights("w", {4, 3, 3, 3}),
                 "larger than nothing"});
  all.push_back({"window_too_large", of("Conv", {"x", "w"}).weights("w", {4, 3, 9, 9}), "larger than"});
  all.push_back({"bias", of("Conv", {"x", "w", "b"}).weights("w", {4, 3, 3, 3}).weights("b", {3}), "a bias of 3"});
  all.push_back(
      {"groups", of("Conv", {"x", "w"}, {{"group", std::int64_t{2}}}).weights("w", {4, 3, 3, 3}), "do not fit"});
  all.push_back({"normalization",
                 of("BatchNormalization", {"x", "s", "b", "m", "v"})
                     .weights("s", {3})
                     .weights("b", {2})
                     .weights("m", {3})
                     .weights("v", {3}),
                 "do not fit"});
  all.push_back({"types", of("Add", {"x", "k"}).integers("k", {1}), "add of f32 and i64"});
  all.push_back(
      {"one_hot", of("OneHot", {"k", "d", "v"}).integers("k", {1}).integer("d", 3).weights("v", {1}), "two values"});
  all.push_back({"gather_elements", of("GatherElements", {"x", "k"}).integers("k", {1}), "do not fit"});
  for (const float scale : {-1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    TestModel m(7);
    m.input("x", {2, 3, 8, 8}).node("Upsample", {"x"}, {"y"}, {{"scales", std::vector<float>{1, 1, 2, scale}}});
    all.push_back({scale < 0 ? "negative_scale" : "scale_that_is_no_number", m.output("y", {2, 3, 16, 8}), "a scale"});
  }
  TestModel second;  // its shape is declared, so that all behind it is known
  second.input("x", {2, 3, 8, 8}).node("Relu", {"x"}, {"a", "z"}).node("Neg", {"z"}, {"y"}).output("y", {2, 3, 8, 8});
  all.push_back({"second_output", std::move(second), "takes 'z', an output that is not compiled"});
  TestModel statistics;
  statistics.input("x", {2, 3, 8, 8})
      .weights("s", {3})
      .node("BatchNormalization", {"x", "s", "s", "s", "s"}, {"n", "mean"});
  statistics.node("Abs", {"mean"}, {"y"}).output("y", {3});
  all.push_back({"statistics", std::move(statistics), "takes 'mean', an output that is not compiled"});
  all.push_back({"axis", of("Softmax", {"x"}, {{"axis", std::int64_t{4}}}), "axis 4"});
  return all;
}

class BadModels : public testing::TestWithParam<Bad> {};

TEST_P(BadModels, AreErrorsThatSayWhatDoesNotFit) {
  try {
    (void)graph_of(GetParam().model);
    FAIL() << "it was imported";
  } catch (const Unsupported& e) {
    EXPECT_THAT(e.what(), HasSubstr(GetParam().says));
  }
}

INSTANTIATE_TEST_SUITE_P(All, BadModels, testing::ValuesIn(bad_models()),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace assay::compiler
