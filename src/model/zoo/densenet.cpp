#include <fmt/format.h>

#include "model/zoo/layers.hpp"
#include "model/zoo/networks.hpp"

// Huang, Liu, van der Maaten and Weinberger, "Densely connected convolutional networks" (CVPR 2017).

namespace assay::model {
namespace {

struct DensenetShape {
  std::int64_t side;
  std::int64_t growth;
  std::vector<std::int64_t> layers;  ///< per block
  std::int64_t classes;
};

const DensenetShape kDensenet201{224, 32, {6, 12, 48, 32}, 1000};
// How much neighbours vary together where a transition averages them (measured).
constexpr double kPooledCorrelation[] = {1.7, 1.15, 1.1};

const DensenetShape kTinyDensenet{32, 8, {2, 2}, 10};

// The classifier listens to late features most, as a trained one does (Huang et al., Densely Connected Convolutional
// Networks, figure 5): else a mistake in the last layers, which add 32 features of 1920, would hardly show.
constexpr double kLateOverEarly = 3;

Features normed_relu(Layers& net, const std::string& scope, const std::string& suffix, const Features& x,
                     double rise = 1) {
  return net.activation(scope + ".relu" + suffix, net.batch_norm(scope + ".norm" + suffix, x, 1, rise),
                        Activation::kRelu);
}

Features dense_layer(Layers& net, const std::string& scope, const Features& x, std::int64_t growth) {
  Features y = net.conv(scope + ".conv1", normed_relu(net, scope, "1", x), {.outputs = 4 * growth});
  y = net.conv(scope + ".conv2", normed_relu(net, scope, "2", y), {.outputs = growth, .kernel = 3, .pad = 1});
  return net.concat(scope + ".concat", x, y);
}

}  // namespace

Graph densenet(const ZooRequest& request, bool tiny) {
  const DensenetShape& shape = tiny ? kTinyDensenet : kDensenet201;
  Layers net(request.name, request.seed);
  Features x = net.image("input", {"batch", std::int64_t{3}, shape.side, shape.side});
  x = net.conv("features.conv0", x, {.outputs = 2 * shape.growth, .kernel = 7, .stride = 2, .pad = 3});
  x = net.max_pool("features.pool0", normed_relu(net, "features", "0", x), 3, 2, 1);
  for (std::size_t block = 1; block <= shape.layers.size(); ++block) {
    for (std::int64_t layer = 1; layer <= shape.layers[block - 1]; ++layer) {
      x = dense_layer(net, fmt::format("features.denseblock{}.denselayer{}", block, layer), x, shape.growth);
    }
    if (block == shape.layers.size()) break;
    const std::string scope = fmt::format("features.transition{}", block);
    x = net.conv(scope + ".conv", normed_relu(net, scope, "", x), {.outputs = x.channels / 2});
    x = net.average_pool(scope + ".pool", x, 2, kPooledCorrelation[block - 1]);
  }
  x = normed_relu(net, "features", "5", x, kLateOverEarly);
  x = net.flatten("flatten", net.global_average_pool("avgpool", x));
  net.classifier("classifier", x, shape.classes, request.logits, "batch");
  return std::move(net.graph());
}

}  // namespace assay::model
