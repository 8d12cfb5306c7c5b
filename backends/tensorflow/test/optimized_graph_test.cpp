// The nodes that pass arguments and results are put right, on graphs written by hand.
#include "optimized_graph.hpp"

#include <gmock/gmock.h>

#include "wire.hpp"

namespace assay::tensorflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MessageWriter attribute(const std::string& key, int field, std::int64_t value) {
  return MessageWriter().text(1, key).message(2, MessageWriter().integer(field, value));
}

MessageWriter node(const std::string& name, const std::string& type, const std::vector<std::string>& inputs) {
  MessageWriter made = MessageWriter().text(1, name).text(2, type);
  for (const std::string& input : inputs) made.text(3, input);
  return made;
}

MessageWriter argument(const std::string& name, int index) {
  return node(name, "_Arg", {}).message(5, attribute("T", 6, 1)).message(5, attribute("index", 3, index));
}

MessageWriter result(const std::string& name, const std::string& of, int index) {
  return node(name, "_Retval", {of}).message(5, attribute("index", 3, index)).message(5, attribute("T", 6, 1));
}

Signature signature(std::size_t inputs, std::size_t outputs) {
  Signature s;
  s.inputs.resize(inputs);
  s.outputs.resize(outputs);
  for (auto* ports : {&s.inputs, &s.outputs}) {
    for (Port& port : *ports) port.info.dtype = ASSAY_FLOAT32;
  }
  return s;
}

/// "name = Type(inputs)" of each node.
std::vector<std::string> shown(std::string_view graph_def) {
  std::vector<std::string> all;
  for (MessageReader graph(graph_def); graph.next();) {
    if (graph.field() != 1) continue;
    std::string name, type, inputs;
    for (MessageReader fields(graph.bytes()); fields.next();) {
      if (fields.field() == 1) name = fields.bytes();
      if (fields.field() == 2) type = fields.bytes();
      if (fields.field() == 3) inputs += (inputs.empty() ? "" : ", ") + std::string(fields.bytes());
    }
    all.push_back(name + " = " + type + "(" + inputs + ")");
  }
  return all;
}

TEST(OptimizedGraph, PlaceholdersStandForArgumentsInTheOrderOfTheInputs) {
  MessageWriter graph;
  graph.message(1, argument("_arg_b", 1)).message(1, argument("_arg_a", 0));
  graph.message(1, node("sum", "Add", {"_arg_a", "_arg_b:0", "^_arg_b"}));
  graph.message(1, node("output_0", "Identity", {"sum"})).message(1, result("_r", "output_0", 0));
  graph.message(4, MessageWriter().integer(1, 2000));  // versions
  const std::string made = with_placeholders(graph.bytes(), signature(2, 1));
  EXPECT_THAT(shown(made), ElementsAre("input_0 = Placeholder()", "input_1 = Placeholder()",
                                       "sum = Add(input_0, input_1, ^input_1)", "output_0 = Identity(sum)"));
  bool versions = false;
  for (MessageReader fields(made); fields.next();) versions = versions || fields.field() == 4;
  EXPECT_TRUE(versions);
}

TEST(OptimizedGraph, AnInputThatNothingTakesIsAPlaceholderStill) {
  MessageWriter graph;
  graph.message(1, argument("_arg", 0)).message(1, node("output_0", "Relu", {"_arg"}));
  graph.message(1, result("_r", "output_0", 0));
  EXPECT_EQ(shown(with_placeholders(graph.bytes(), signature(2, 1))).size(), 3U);
}

TEST(OptimizedGraph, AnOutputUnderAnotherNameIsRefused) {
  MessageWriter graph;
  graph.message(1, argument("_arg", 0))
      .message(1, node("folded", "Relu", {"_arg"}))
      .message(1, result("r", "folded", 0));
  try {
    (void)with_placeholders(graph.bytes(), signature(1, 1));
    FAIL() << "nothing was thrown";
  } catch (const kit::Failure& e) {
    EXPECT_THAT(e.what(), HasSubstr("'folded'"));
  }
  EXPECT_THROW((void)with_placeholders(graph.bytes(), signature(0, 0)), kit::Failure);  // an argument too many
}

}  // namespace
}  // namespace assay::tensorflow
