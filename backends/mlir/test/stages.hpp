#pragma once
// What the compiler prints of a model at each stage, for a target that needs not be this machine.

#include <functional>
#include <stdexcept>
#include <string>

#include "compiler/passes/pass.hpp"
#include "compiler/plan.hpp"
#include "test/file_check.hpp"
#include "test/models.hpp"

namespace assay::compiler::test {

struct Layer {
  TestModel model;
  std::map<std::string, Shape> shapes;
  Math math = Math::kStrict;
};

/// x of these axes through a convolution with weights of ones, its padding and groups, then ReLU.
inline Layer conv_relu(const Shape& x, const Shape& w, std::int64_t pad, std::int64_t groups, Math math) {
  Layer layer{TestModel(), {{"x", x}}, math};
  layer.model.input("x", x)
      .floats("w", w, std::vector<float>(static_cast<std::size_t>(count(w)), 1.0F))
      .node("Conv", {"x", "w"}, {"c"}, {{"pads", Shape(4, pad)}, {"group", groups}})
      .node("Relu", {"c"}, {"y"})
      .output("y");
  return layer;
}

// The layers whose stages are checked, each by another kernel.
inline Layer direct_layer() { return conv_relu({1, 32, 8, 8}, {32, 32, 3, 3}, 1, 1, Math::kStrict); }
inline Layer pointwise_layer() { return conv_relu({1, 32, 8, 8}, {32, 32, 1, 1}, 0, 1, Math::kStrict); }
inline Layer depthwise_layer() { return conv_relu({1, 32, 8, 8}, {32, 1, 3, 3}, 1, 32, Math::kStrict); }
inline Layer winograd_layer() { return conv_relu({1, 64, 28, 28}, {64, 64, 3, 3}, 1, 1, Math::kFast); }

inline Layer layer_of(const Shape& x, const std::function<void(TestModel& m)>& nodes_to_y) {
  Layer layer{TestModel(), {{"x", x}}, Math::kStrict};
  layer.model.input("x", x);
  nodes_to_y(layer.model);
  layer.model.output("y");
  return layer;
}
inline Layer exp_layer() {
  return layer_of({4, 45}, [](TestModel& m) { m.node("Exp", {"x"}, {"y"}); });
}
/// Sums over an axis that is whole vectors and some more.
inline Layer sum_layer() {
  return layer_of({4, 45}, [](TestModel& m) {
    m.integers("last", {1}).node("ReduceSum", {"x", "last"}, {"y"}, {{"keepdims", std::int64_t{0}}});
  });
}
/// What is seen transposed, times what is not.
inline Layer transposed_layer() {
  return layer_of({6, 40}, [](TestModel& m) {
    m.floats("k", {40, 6}, std::vector<float>(240, 2.0F));
    m.node("Transpose", {"x"}, {"t"}, {{"perm", Shape{1, 0}}}).node("Mul", {"t", "k"}, {"y"});
  });
}

struct Stages {
  std::string imported, graph;  ///< before and after the passes
  Plan plan;
  std::string steps;  ///< the plan's text

  /// The step, and its kernel, that computes a node of that operator's, and how, where that is said.
  [[nodiscard]] const Step& step(const std::string& op, const std::string& how = "") const {
    for (const Step& s : plan.steps) {
      if (s.label.starts_with(op) && s.schedule.starts_with(how)) return s;
    }
    throw std::invalid_argument("there is no step for " + op + " " + how + ":\n" + steps);
  }
  [[nodiscard]] const KernelText& kernel(const std::string& op, const std::string& how = "") const {
    return plan.kernels[static_cast<std::size_t>(step(op, how).kernel)];
  }
};

inline Stages stages_of(const Layer& layer, const Target& target, const std::string& without = "") {
  std::string bytes;
  Graph graph = imported(layer.model, layer.shapes, bytes);
  Stages stages;
  stages.imported = to_text(graph);
  run_passes(graph, target, layer.math, without);
  stages.graph = to_text(graph);
  stages.plan = schedule(graph, target, layer.math);
  stages.steps = to_text(stages.plan);
  return stages;
}

}  // namespace assay::compiler::test
