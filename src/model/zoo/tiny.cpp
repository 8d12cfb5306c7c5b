#include "model/zoo/layers.hpp"
#include "model/zoo/networks.hpp"

// Networks of a few kB for tests, each with one thing that engines and pipelines get wrong.

namespace assay::model {
namespace {

using Integers = std::vector<std::int64_t>;

// Named as in the file, for networks too small to need layers.
class Small {
 public:
  explicit Small(const ZooRequest& request) : graph_(request.name), request_(request) {}

  /// Random values of a given size; inputs of `fan_in` values of size 1 give outcomes of that size.
  std::string weight(const std::string& name, Shape dims, double deviation, DType dtype = DType::kFloat32) {
    const RandomTensor random(request_.seed, name);
    std::vector<float> elements(static_cast<std::size_t>(element_count(dims)));
    for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<float>(deviation * random.unit(i));
    return graph_.initializer({name, std::move(dims), dtype, true, std::move(elements)});
  }

  std::string constant(const std::string& name, float value) {
    return graph_.initializer({name, {}, DType::kFloat32, false, std::vector<float>{value}});
  }

  std::string constant(const std::string& name, Integers values) {
    return graph_.initializer(
        {name, {static_cast<std::int64_t>(values.size())}, DType::kInt64, false, std::move(values)});
  }

  /// x · w + b on the last axis.
  std::string linear(const std::string& name, const std::string& x, std::int64_t inputs, std::int64_t outputs,
                     double deviation, DType dtype = DType::kFloat32) {
    const std::string w = weight(name + ".weight", {inputs, outputs}, deviation, dtype);
    const std::string b = weight(name + ".bias", {outputs}, 0.5, dtype);
    return graph_.node("Add", name, {graph_.node("MatMul", name + ".product", {x, w}), b});
  }

  /// Ends with "logits", or with "probabilities" made of them.
  void classify(const std::string& x, const Axes& axes, DType dtype = DType::kFloat32) {
    const auto last = static_cast<std::int64_t>(axes.size()) - 1;
    std::string name = graph_.node("Identity", "logits", {x});
    if (!request_.logits) name = graph_.node("Softmax", "probabilities", {name}, {{"axis", last}});
    graph_.output(name, dtype, axes);
  }

  Graph& operator*() { return graph_; }
  Graph* operator->() { return &graph_; }

 private:
  Graph graph_;
  ZooRequest request_;
};

const Axis kBatch = "batch";

}  // namespace

Graph tiny_mlp(const ZooRequest& request) {
  Small net(request);
  std::string x = net->input("input", DType::kFloat32, {kBatch, 8});
  x = net->node("Relu", "relu", {net.linear("hidden", x, 8, 8, 0.5)});
  net.classify(net.linear("out", x, 8, 4, 0.6), {kBatch, 4});
  return std::move(*net);
}

Graph tiny_multi(const ZooRequest& request) {
  Small net(request);
  const std::string image = net->input("image", DType::kFloat32, {kBatch, 3, 16, 16});
  const std::string facts = net->input("facts", DType::kFloat32, {kBatch, 6});
  std::string x = net->node("Conv", "conv", {image, net.weight("conv.weight", {8, 3, 3, 3}, 0.3)},
                            {{"pads", Integers{1, 1, 1, 1}}, {"kernel_shape", Integers{3, 3}}});
  x = net->node("Relu", "features", {x});
  const std::string pooled = net->node("Flatten", "flat", {net->node("GlobalAveragePool", "pool", {x})});
  const std::string joined = net->node("Concat", "joined", {pooled, facts}, {{"axis", std::int64_t{1}}});
  const std::string score = net->node("Sigmoid", "score", {net.linear("judge", joined, 14, 1, 0.4)});
  net.classify(net.linear("out", joined, 14, 5, 0.6), {kBatch, 5});
  net->output("features", DType::kFloat32, {kBatch, 8, 16, 16});
  net->output(score, DType::kFloat32, {kBatch, 1});
  return std::move(*net);
}

Graph tiny_tokens(const ZooRequest& request) {
  Small net(request);
  const Axis sequence = "sequence";
  constexpr std::int64_t kWords = 100;
  constexpr std::int64_t kWidth = 16;
  const std::string ids = net->input("input_ids", DType::kInt64, {kBatch, sequence});
  const std::string mask = net->input("attention_mask", DType::kInt64, {kBatch, sequence});
  const std::string table = net.weight("embedding.weight", {kWords, kWidth}, 1);
  std::string x = net->node("Gather", "embedding", {table, ids}, {{"axis", std::int64_t{0}}});
  x = net->node("Relu", "relu", {net.linear("hidden", x, kWidth, kWidth, 0.4)});
  // The mean over the words that the mask keeps.
  const std::string kept = net->node("Cast", "kept", {mask}, {{"to", std::int64_t{1}}});
  const std::string weights = net->node("Unsqueeze", "weights", {kept, net.constant("last", Integers{2})});
  const std::string sequence_axis = net.constant("words", Integers{1});
  const Attribute drop{"keepdims", std::int64_t{0}};
  const std::string sum =
      net->node("ReduceSum", "sum", {net->node("Mul", "masked", {x, weights}), sequence_axis}, {drop});
  const std::string count = net->node("ReduceSum", "count", {weights, sequence_axis}, {drop});
  const std::string mean =
      net->node("Div", "mean", {sum, net->node("Max", "some", {count, net.constant("one", 1.0F)})});
  net.classify(net.linear("out", mean, kWidth, 4, 0.6), {kBatch, 4});
  return std::move(*net);
}

Graph tiny_uint8(const ZooRequest& request) {
  Small net(request);
  std::string x = net->input("image", DType::kUint8, {kBatch, 16, 16, 3});  // as images lie in memory
  x = net->node("Cast", "values", {x}, {{"to", std::int64_t{1}}});
  x = net->node("Sub", "centred", {x, net.constant("mean", 127.5F)});
  x = net->node("Mul", "scaled", {x, net.constant("scale", 1.0F / 64)});
  x = net->node("Transpose", "planes", {x}, {{"perm", Integers{0, 3, 1, 2}}});
  x = net->node("Conv", "conv", {x, net.weight("conv.weight", {8, 3, 3, 3}, 0.3), net.weight("conv.bias", {8}, 0.3)},
                {{"kernel_shape", Integers{3, 3}}, {"strides", Integers{2, 2}}});
  x = net->node("Flatten", "flat", {net->node("Relu", "relu", {x})});
  net.classify(net.linear("out", x, std::int64_t{8} * 7 * 7, 4, 0.08), {kBatch, 4});
  return std::move(*net);
}

Graph tiny_half(const ZooRequest& request) {
  Small net(request);
  constexpr DType kHalf = DType::kFloat16;
  std::string x = net->input("input", kHalf, {kBatch, 16});
  x = net->node("Relu", "relu", {net.linear("hidden", x, 16, 32, 0.3, kHalf)});
  net.classify(net.linear("out", x, 32, 4, 0.4, kHalf), {kBatch, 4}, kHalf);
  return std::move(*net);
}

Graph tiny_free_axes(const ZooRequest& request) {
  Small net(request);
  std::string x = net->input("input", DType::kFloat32, {kBatch, 3, "height", "width"});
  x = net->node("Conv", "conv1", {x, net.weight("conv1.weight", {8, 3, 3, 3}, 0.3), net.weight("conv1.bias", {8}, 0.3)},
                {{"pads", Integers{1, 1, 1, 1}}, {"kernel_shape", Integers{3, 3}}});
  x = net->node("Conv", "map", {net->node("Relu", "relu", {x}), net.weight("map.weight", {4, 8, 1, 1}, 0.4)},
                {{"kernel_shape", Integers{1, 1}}});
  net->output(x, DType::kFloat32, {kBatch, 4, "height", "width"});
  net.classify(net->node("Flatten", "flat", {net->node("GlobalAveragePool", "pool", {x})}), {kBatch, 4});
  return std::move(*net);
}

Graph tiny_fixed_batch(const ZooRequest& request) {
  Small net(request);
  std::string x = net->input("input", DType::kFloat32, {4, 8});
  x = net->node("Relu", "relu", {net.linear("hidden", x, 8, 16, 0.5)});
  net.classify(net.linear("out", x, 16, 4, 0.5), {4, 4});
  return std::move(*net);
}

Graph tiny_no_batch(const ZooRequest& request) {
  Small net(request);
  std::string x = net->input("signal", DType::kFloat32, {24, 8});  // 24 moments of one signal
  x = net->node("Relu", "relu", {net.linear("hidden", x, 8, 16, 0.5)});
  x = net->node("ReduceMean", "mean", {x}, {{"axes", Integers{0}}, {"keepdims", std::int64_t{0}}});
  net.classify(net.linear("out", x, 16, 4, 0.5), {4});
  return std::move(*net);
}

Graph tiny_dynamic_output(const ZooRequest& request) {
  Small net(request);
  std::string x = net->input("input", DType::kFloat32, {kBatch, 8});
  x = net.linear("score", x, 8, 6, 0.5);
  const std::string found = net->node("NonZero", "found", {net->node("Relu", "relu", {x})});
  net->output(net->node("Transpose", "indices", {found}, {{"perm", Integers{1, 0}}}), DType::kInt64, {"detections", 2});
  return std::move(*net);
}

}  // namespace assay::model
