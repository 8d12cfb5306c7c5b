#include <fmt/format.h>

#include <algorithm>

#include "model/zoo/layers.hpp"
#include "model/zoo/networks.hpp"

// Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks" (ICML 2019), B0.

namespace assay::model {
namespace {

struct Stage {
  std::int64_t expansion;
  std::int64_t kernel;
  std::int64_t stride;
  std::int64_t outputs;
  std::int64_t blocks;
};

struct EfficientnetShape {
  std::int64_t side;
  std::int64_t stem;
  std::vector<Stage> stages;
  std::int64_t head;
  std::int64_t classes;
};

const EfficientnetShape kB0{224,
                            32,
                            {{1, 3, 1, 16, 1},
                             {6, 3, 2, 24, 2},
                             {6, 5, 2, 40, 2},
                             {6, 3, 2, 80, 3},
                             {6, 5, 1, 112, 3},
                             {6, 5, 2, 192, 4},
                             {6, 3, 1, 320, 1}},
                            1280,
                            1000};
const EfficientnetShape kTinyEfficientnet{32, 8, {{1, 3, 1, 8, 1}, {6, 3, 2, 12, 2}, {6, 5, 2, 16, 1}}, 64, 10};

// Where its inputs are small SiLU is nearly a square, and a scale that is a little off is further off behind it; where
// they are larger it is nearly a ReLU, and errors stay what they are.
constexpr double kSiluGain = 2.5;

Features conv_norm(Layers& net, const std::string& scope, const Features& x, const ConvShape& shape, double gain = 1) {
  return net.batch_norm(scope + ".1", net.conv(scope + ".0", x, shape), gain);
}

Features conv_norm_silu(Layers& net, const std::string& scope, const Features& x, const ConvShape& shape) {
  return net.activation(scope + ".2", conv_norm(net, scope, x, shape, kSiluGain), Activation::kSilu);
}

// A depthwise convolution sums few values of few channels: what it makes has longer tails than a normal value, and more
// variance behind the SiLU (measured).
constexpr double kDepthwiseExcess = 1.15;

// A little more than what it is added to: else mistakes in the last blocks drown in what goes past them.
constexpr double kResidualGain = 1.25;

// A mean over a whole map of noise hardly varies, and what is foreseen of it is less exact than that: weights that took
// the variance at its word would blow the error up.
constexpr double kDoubt = 1.5;

// Gates lie around 0.6 and differ much, between channels and between inputs: two that are swapped, or made of swapped
// features, must show behind a sum over a thousand channels (measured: docs/figures.md).
Features squeeze_and_excite(Layers& net, const std::string& scope, const Features& x, std::int64_t squeezed) {
  Features g = net.global_average_pool(scope + ".avgpool", x);
  for (std::size_t i = 0; i < g.moments.size(); ++i) g.moments[i].variance += kDoubt * x.moments[i].variance;
  g = net.conv(scope + ".fc1", g, {.outputs = squeezed, .bias = true, .through = 1.2, .bias_deviation = 1.2});
  g = net.activation(scope + ".activation", g, Activation::kSilu);
  g = net.conv(
      scope + ".fc2", g,
      {.outputs = x.channels, .bias = true, .deviation = 0.5, .through = 0.8, .bias_mean = 0.6, .bias_deviation = 0.3});
  g = net.activation(scope + ".scale_activation", g, Activation::kSigmoid);
  return net.scale(scope + ".scale", x, g);
}

Features inverted_bottleneck(Layers& net, const std::string& scope, const Features& x, const Stage& stage,
                             std::int64_t stride) {
  const std::int64_t expanded = x.channels * stage.expansion;
  int part = 0;
  const auto next = [&] { return fmt::format("{}.block.{}", scope, part++); };
  Features y = x;
  if (stage.expansion > 1) y = conv_norm_silu(net, next(), y, {.outputs = expanded});
  y = conv_norm_silu(
      net, next(), y,
      {.outputs = expanded, .kernel = stage.kernel, .stride = stride, .pad = stage.kernel / 2, .depthwise = true});
  for (Normal& m : y.moments) m.variance *= kDepthwiseExcess;
  y = squeeze_and_excite(net, next(), y, std::max<std::int64_t>(1, x.channels / 4));
  const bool residual = stride == 1 && x.channels == stage.outputs;
  y = conv_norm(net, next(), y, {.outputs = stage.outputs}, residual ? kResidualGain : 1);
  return residual ? net.add(scope + ".add", y, x) : y;
}

}  // namespace

Graph efficientnet(const ZooRequest& request, bool tiny) {
  const EfficientnetShape& shape = tiny ? kTinyEfficientnet : kB0;
  Layers net(request.name, request.seed);
  Features x = net.image("input", {"batch", std::int64_t{3}, shape.side, shape.side});
  x = conv_norm_silu(net, "features.0", x, {.outputs = shape.stem, .kernel = 3, .stride = 2, .pad = 1});
  for (std::size_t s = 0; s < shape.stages.size(); ++s) {
    const Stage& stage = shape.stages[s];
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      x = inverted_bottleneck(net, fmt::format("features.{}.{}", s + 1, block), x, stage,
                              block == 0 ? stage.stride : 1);
    }
  }
  x = conv_norm_silu(net, fmt::format("features.{}", shape.stages.size() + 1), x, {.outputs = shape.head});
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  net.classifier("classifier.1", x, shape.classes, request.logits, "batch");
  return std::move(net.graph());
}

}  // namespace assay::model
