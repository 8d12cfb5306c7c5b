#include <fmt/format.h>

#include "model/zoo/layers.hpp"
#include "model/zoo/networks.hpp"

// He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (CVPR 2016), with the stride in the 3x3
// convolution ("v1.5", as torchvision has it).

namespace assay::model {
namespace {

struct ResnetShape {
  std::int64_t side;
  std::int64_t stem;
  std::vector<std::int64_t> blocks;  ///< per stage; each stage is twice as wide as the one before
  std::int64_t classes;
};

const ResnetShape kResnet50{224, 64, {3, 4, 6, 3}, 1000};
const ResnetShape kTinyResnet{32, 8, {1, 2}, 10};
constexpr std::int64_t kExpansion = 4;

Features bottleneck(Layers& net, const std::string& scope, const Features& x, std::int64_t width, std::int64_t stride) {
  const std::int64_t outputs = width * kExpansion;
  Features y = net.conv(scope + ".conv1", x, {.outputs = width});
  y = net.activation(scope + ".relu1", net.batch_norm(scope + ".bn1", y), Activation::kRelu);
  y = net.conv(scope + ".conv2", y, {.outputs = width, .kernel = 3, .stride = stride, .pad = 1});
  y = net.activation(scope + ".relu2", net.batch_norm(scope + ".bn2", y), Activation::kRelu);
  y = net.batch_norm(scope + ".bn3", net.conv(scope + ".conv3", y, {.outputs = outputs}));
  Features shortcut = x;
  if (x.channels != outputs || stride != 1) {
    shortcut = net.conv(scope + ".downsample.0", x, {.outputs = outputs, .stride = stride});
    shortcut = net.batch_norm(scope + ".downsample.1", shortcut);
  }
  return net.activation(scope + ".relu3", net.add(scope + ".add", y, shortcut), Activation::kRelu);
}

}  // namespace

Graph resnet(const ZooRequest& request, bool tiny) {
  const ResnetShape& shape = tiny ? kTinyResnet : kResnet50;
  Layers net(request.name, request.seed);
  Features x = net.image("input", {"batch", std::int64_t{3}, shape.side, shape.side});
  x = net.batch_norm("bn1", net.conv("conv1", x, {.outputs = shape.stem, .kernel = 7, .stride = 2, .pad = 3}));
  x = net.max_pool("maxpool", net.activation("relu", x, Activation::kRelu), 3, 2, 1);
  for (std::size_t stage = 0; stage < shape.blocks.size(); ++stage) {
    const std::int64_t width = shape.stem << stage;
    for (std::int64_t block = 0; block < shape.blocks[stage]; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      x = bottleneck(net, fmt::format("layer{}.{}", stage + 1, block), x, width, stride);
    }
  }
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  net.classifier("fc", x, shape.classes, request.logits, "batch");
  return std::move(net.graph());
}

}  // namespace assay::model
