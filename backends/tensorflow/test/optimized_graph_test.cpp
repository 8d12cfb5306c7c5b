// The nodes that pass arguments and results are put right, on graphs written by hand.
#include "optimized_graph.hpp"

#include <gmock/gmock.h>

#include "wire.hpp"

namespace assay::tensorflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MessageWriter node(const std::string& name, const std::string& type, const std::vector<std::string>& inputs) {
  MessageWriter made = MessageWriter().text(1, name).text(2, type);
  for (const std::string& input : inputs) made.text(3, input);
  return made;
}

MessageWriter argument(const std::string& name) { return node(name, "_Arg", {}); }
MessageWriter result(const std::string& name, const std::string& of) { return node(name, "_Retval", {of}); }

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

TEST(OptimizedGraph, PlaceholdersStandForArguments) {
  MessageWriter graph;
  graph.message(1, argument("_arg_input_1_0_1")).message(1, argument("_arg_input_0_0_0"));
  graph.message(1, node("sum", "Add", {"_arg_input_0_0_0", "_arg_input_1_0_1:0", "^_arg_input_1_0_1"}));
  graph.message(1, node("output_0", "Identity", {"sum"})).message(1, result("_retval_output_0_0_0", "output_0"));
  graph.message(4, MessageWriter().integer(1, 2000));  // versions
  const std::string made = with_placeholders(graph.bytes(), signature(2, 1));
  EXPECT_THAT(shown(made), ElementsAre("input_0 = Placeholder()", "input_1 = Placeholder()",
                                       "sum = Add(input_0, input_1, ^input_1)", "output_0 = Identity(sum)"));
  bool versions = false;
  for (MessageReader fields(made); fields.next();) versions = versions || fields.field() == 4;
  EXPECT_TRUE(versions);
}

// TensorFlow numbers arguments and results in the alphabetical order of what is fed and fetched: input_10 before
// input_2.
TEST(OptimizedGraph, ArgumentsGoByTheirNamesAndNotByTheirNumbers) {
  MessageWriter graph;
  graph.message(1, argument("_arg_input_10_0_2")).message(1, argument("_arg_input_1_0_1"));
  graph.message(1, argument("_arg_input_2_0_3"));
  graph.message(1, node("output_0", "AddN", {"_arg_input_2_0_3", "_arg_input_10_0_2", "_arg_input_1_0_1"}));
  graph.message(1, result("r", "output_0"));
  EXPECT_EQ(shown(with_placeholders(graph.bytes(), signature(11, 1))).back(),
            "output_0 = AddN(input_2, input_10, input_1)");
}

TEST(OptimizedGraph, AnInputThatNothingTakesIsAPlaceholderStill) {
  MessageWriter graph;
  graph.message(1, argument("_arg_input_0_0_0")).message(1, node("output_0", "Relu", {"_arg_input_0_0_0"}));
  graph.message(1, result("r", "output_0"));
  EXPECT_EQ(shown(with_placeholders(graph.bytes(), signature(2, 1))).size(), 3U);
}

TEST(OptimizedGraph, WhatDoesNotFitTheModelIsRefused) {
  const auto refused = [](const MessageWriter& graph, const Signature& of) {
    try {
      (void)with_placeholders(graph.bytes(), of);
      return std::string("nothing was thrown");
    } catch (const kit::Failure& e) {
      return std::string(e.what());
    }
  };
  MessageWriter graph;
  graph.message(1, argument("_arg_input_0_0_0")).message(1, node("folded", "Relu", {"_arg_input_0_0_0"}));
  graph.message(1, result("r", "folded"));
  EXPECT_THAT(refused(graph, signature(1, 1)), HasSubstr("'output_0' is no result"));
  EXPECT_THAT(refused(graph, signature(0, 0)), HasSubstr("'_arg_input_0_0_0' that is no input"));
}

}  // namespace
}  // namespace assay::tensorflow
