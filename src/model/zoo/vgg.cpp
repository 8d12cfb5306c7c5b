#include <fmt/format.h>

#include "model/zoo/layers.hpp"
#include "model/zoo/networks.hpp"

// Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition" (ICLR 2015), column E.

namespace assay::model {
namespace {

struct VggShape {
  std::int64_t side;
  std::vector<std::vector<std::int64_t>> stages;  ///< widths of the convolutions between two poolings
  std::int64_t hidden;
  std::int64_t classes;
};

const VggShape kVgg19{
    224, {{64, 64}, {128, 128}, {256, 256, 256, 256}, {512, 512, 512, 512}, {512, 512, 512, 512}}, 4096, 1000};
const VggShape kTinyVgg{32, {{8, 8}, {16, 16}, {32, 32}}, 64, 10};

}  // namespace

Graph vgg(const ZooRequest& request, bool tiny) {
  const VggShape& shape = tiny ? kTinyVgg : kVgg19;
  Layers net(request.name, request.seed);
  Features x = net.image("input", {"batch", std::int64_t{3}, shape.side, shape.side});
  int index = 0;  // torchvision counts convolutions, ReLUs and poolings together
  for (const auto& stage : shape.stages) {
    for (const std::int64_t width : stage) {
      x = net.conv(fmt::format("features.{}", index), x, {.outputs = width, .kernel = 3, .pad = 1, .bias = true});
      x = net.activation(fmt::format("features.{}", index + 1), x, Activation::kRelu);
      index += 2;
    }
    x = net.max_pool(fmt::format("features.{}", index++), x, 2, 2, 0);
  }
  x = net.flatten("flatten", x);
  x = net.activation("classifier.1", net.dense("classifier.0", x, shape.hidden), Activation::kRelu);
  x = net.activation("classifier.4", net.dense("classifier.3", x, shape.hidden), Activation::kRelu);
  net.classifier("classifier.6", x, shape.classes, request.logits, "batch");
  return std::move(net.graph());
}

}  // namespace assay::model
