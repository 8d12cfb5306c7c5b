// bench_networks FOLDER
// Writes networks of other kinds than the zoo's, for `assay bench FOLDER/NAME.onnx`: ResNet18 at 224 and at 225 pixels,
// MobileNetV2, a U-Net (transposed convolutions, Resize), a small transformer encoder, and convolutions of 17 channels.
// Weights are seeded random numbers of the variance of He et al. 2015: for timing and agreement, their answers mean
// nothing.

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "model/zoo/graph.hpp"
#include "model/zoo/random.hpp"
#include "model/zoo/writer.hpp"

namespace assay::bench {
namespace {

using model::Attribute;
using model::Graph;
using Sizes = std::vector<std::int64_t>;

struct Image {
  std::string name;
  std::int64_t channels = 0;
};

struct Window {
  std::int64_t outputs, size = 3, stride = 1, groups = 1;
};

class Net {
 public:
  explicit Net(const std::string& name) : graph_(name), name_(name) {}

  Image image(std::int64_t channels, std::int64_t side) {
    return {graph_.input("input", DType::kFloat32, {"batch", channels, side, side}), channels};
  }
  std::string tokens(std::int64_t count, std::int64_t width) {
    return graph_.input("input", DType::kFloat32, {"batch", count, width});
  }
  std::string node(const std::string& op, const std::vector<std::string>& inputs,
                   const std::vector<Attribute>& attributes = {}) {
    return graph_.node(op, fmt::format("{}_{}", op, ++number_), inputs, attributes);
  }
  std::string floats(const Sizes& dims, double deviation, double mean = 0) {
    const std::string name = fmt::format("w{}", ++number_);
    const model::RandomTensor random(1, name_ + name);
    std::int64_t count = 1;
    for (const std::int64_t d : dims) count *= d;
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<float>(mean + deviation * random.unit(static_cast<std::uint64_t>(i))));
    return graph_.initializer({name, dims, DType::kFloat32, true, std::move(values)});
  }
  std::string values(const std::vector<float>& values) {
    const Sizes dims = {static_cast<std::int64_t>(values.size())};
    return graph_.initializer({fmt::format("c{}", ++number_), dims, DType::kFloat32, false, values});
  }
  std::string integers(const Sizes& values) {
    const Sizes dims = {static_cast<std::int64_t>(values.size())};
    return graph_.initializer({fmt::format("c{}", ++number_), dims, DType::kInt64, false, values});
  }

  Image conv(const Image& x, const Window& w) {
    const std::int64_t of_group = x.channels / w.groups;
    const auto fan = static_cast<double>(of_group * w.size * w.size);
    const std::string weights = floats({w.outputs, of_group, w.size, w.size}, std::sqrt(2 / fan));
    const std::int64_t pad = w.size / 2;
    return {node("Conv", {x.name, weights, floats({w.outputs}, 0.1)},
                 {{"pads", Sizes{pad, pad, pad, pad}}, {"strides", Sizes{w.stride, w.stride}}, {"group", w.groups}}),
            w.outputs};
  }
  Image relu(const Image& x) { return {node("Relu", {x.name}), x.channels}; }
  Image relu6(const Image& x) { return {node("Clip", {x.name, floats({}, 0, 0), floats({}, 0, 6)}), x.channels}; }
  Image add(const Image& a, const Image& b) { return {node("Add", {a.name, b.name}), a.channels}; }
  std::string dense(const std::string& x, std::int64_t inputs, std::int64_t outputs) {
    const std::string product =
        node("MatMul", {x, floats({inputs, outputs}, std::sqrt(1 / static_cast<double>(inputs)))});
    return node("Add", {product, floats({outputs}, 0.1)});
  }
  void classify(const Image& x) {
    constexpr std::int64_t kClasses = 1000;
    const std::string flat = node("Flatten", {node("GlobalAveragePool", {x.name})});
    finish(dense(flat, x.channels, kClasses), {"batch", kClasses});
  }
  void finish(const std::string& result, const model::Axes& axes) { graph_.output(result, DType::kFloat32, axes); }
  void write(const std::filesystem::path& folder) const {
    const std::filesystem::path path = folder / (name_ + ".onnx");
    model::write_model(graph_, {}, "for timing: random weights", path);
    std::printf("%s\n", path.c_str());
  }

 private:
  Graph graph_;
  std::string name_;
  int number_ = 0;
};

/// He et al., "Deep residual learning for image recognition", 2016.
Net resnet18(std::int64_t side) {
  Net net(fmt::format("resnet18-{}", side));
  constexpr std::int64_t kStem = 64, kStemSize = 7;
  Image x = net.relu(net.conv(net.image(3, side), {kStem, kStemSize, 2}));
  x.name = net.node("MaxPool", {x.name},
                    {{"kernel_shape", Sizes{3, 3}}, {"strides", Sizes{2, 2}}, {"pads", Sizes{1, 1, 1, 1}}});
  for (const std::int64_t width : {64, 128, 256, 512}) {
    for (int block = 0; block < 2; ++block) {
      const std::int64_t stride = width > kStem && block == 0 ? 2 : 1;
      const Image y = net.conv(net.relu(net.conv(x, {width, 3, stride})), {width});
      x = net.relu(net.add(y, stride == 1 && x.channels == width ? x : net.conv(x, {width, 1, stride})));
    }
  }
  net.classify(x);
  return net;
}

/// Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018.
Net mobilenetv2() {
  struct Stage {
    std::int64_t expansion, width, blocks, stride;
  };
  constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                               {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  constexpr std::int64_t kSide = 224, kStem = 32, kHead = 1280;
  Net net("mobilenetv2");
  Image x = net.relu6(net.conv(net.image(3, kSide), {kStem, 3, 2}));
  for (const Stage& s : kStages) {
    for (std::int64_t block = 0; block < s.blocks; ++block) {
      const std::int64_t stride = block == 0 ? s.stride : 1, inner = x.channels * s.expansion;
      Image y = s.expansion > 1 ? net.relu6(net.conv(x, {inner, 1})) : x;
      y = net.conv(net.relu6(net.conv(y, {inner, 3, stride, inner})), {s.width, 1});
      x = stride == 1 && x.channels == s.width ? net.add(x, y) : y;
    }
  }
  net.classify(net.relu6(net.conv(x, {kHead, 1})));
  return net;
}

/// Ronneberger et al., "U-Net: convolutional networks for biomedical image segmentation", 2015: two ways up are
/// transposed convolutions, one is Resize.
Net unet() {
  constexpr std::int64_t kSide = 128, kClasses = 2;
  Net net("unet");
  const auto twice = [&](const Image& x, std::int64_t width) {
    return net.relu(net.conv(net.relu(net.conv(x, {width})), {width}));
  };
  std::vector<Image> down;
  Image x = net.image(3, kSide);
  for (const std::int64_t width : {32, 64, 128}) {
    down.push_back(twice(x, width));
    x = {net.node("MaxPool", {down.back().name}, {{"kernel_shape", Sizes{2, 2}}, {"strides", Sizes{2, 2}}}), width};
  }
  x = twice(x, 2 * x.channels);
  for (; !down.empty(); down.pop_back()) {
    const Image& skip = down.back();
    std::string up;
    if (down.size() == 2) {
      up = net.conv({net.node("Resize", {x.name, "", net.values({1, 1, 2, 2})}), x.channels}, {skip.channels}).name;
    } else {
      const double deviation = std::sqrt(1 / static_cast<double>(x.channels));
      const std::string weights = net.floats({x.channels, skip.channels, 2, 2}, deviation);
      up = net.node("ConvTranspose", {x.name, weights}, {{"strides", Sizes{2, 2}}});
    }
    x = twice({net.node("Concat", {skip.name, up}, {{"axis", std::int64_t{1}}}), 2 * skip.channels}, skip.channels);
  }
  net.finish(net.conv(x, {kClasses, 1}).name, {"batch", kClasses, kSide, kSide});
  return net;
}

/// Vaswani et al., "Attention is all you need", 2017: an encoder of four layers, 256 wide, four heads, over 128 tokens.
Net transformer() {
  constexpr std::int64_t kTokens = 128, kWidth = 256, kHeads = 4, kInner = 1024, kLayers = 4, kOfHead = kWidth / kHeads;
  Net net("transformer");
  const auto number = [&](double value) { return net.floats({}, 0, value); };
  const auto norm = [&](const std::string& x) {
    return net.node("LayerNormalization", {x, net.floats({kWidth}, 0.1, 1), net.floats({kWidth}, 0.1)});
  };
  const auto gelu = [&](const std::string& x) {
    const std::string erf = net.node("Erf", {net.node("Mul", {x, number(std::sqrt(0.5))})});
    return net.node("Mul", {net.node("Mul", {x, number(0.5)}), net.node("Add", {erf, number(1)})});
  };
  const auto heads = [&](const std::string& x, const Sizes& order) {
    const std::string split = net.node("Reshape", {x, net.integers({0, kTokens, kHeads, kOfHead})});
    return net.node("Transpose", {split}, {{"perm", order}});
  };
  std::string x = net.tokens(kTokens, kWidth);
  for (std::int64_t layer = 0; layer < kLayers; ++layer) {
    const std::string y = norm(x);
    const std::string queries = heads(net.dense(y, kWidth, kWidth), {0, 2, 1, 3});
    const std::string keys = heads(net.dense(y, kWidth, kWidth), {0, 2, 3, 1});
    const std::string values = heads(net.dense(y, kWidth, kWidth), {0, 2, 1, 3});
    const std::string scores =
        net.node("Mul", {net.node("MatMul", {queries, keys}), number(1 / std::sqrt(static_cast<double>(kOfHead)))});
    const std::string mixed = net.node("MatMul", {net.node("Softmax", {scores}, {{"axis", std::int64_t{3}}}), values});
    const std::string back = net.node("Transpose", {mixed}, {{"perm", Sizes{0, 2, 1, 3}}});
    const std::string joined = net.node("Reshape", {back, net.integers({0, kTokens, kWidth})});
    x = net.node("Add", {x, net.dense(joined, kWidth, kWidth)});
    x = net.node("Add", {x, net.dense(gelu(net.dense(norm(x), kWidth, kInner)), kInner, kWidth)});
  }
  net.finish(norm(x), {"batch", kTokens, kWidth});
  return net;
}

/// Sizes that fit nothing: 17 channels, images of 57 by 57, a window of 5 by 5.
Net odd() {
  constexpr std::int64_t kChannels = 17, kSide = 57, kMiddle = 51, kLast = 85;
  Net net("odd");
  Image x = net.relu(net.conv(net.image(kChannels, kSide), {kMiddle}));
  x = net.relu(net.conv(x, {kMiddle, 5, 2}));
  x = net.relu(net.add(net.conv(x, {kMiddle}), x));
  x = net.relu(net.conv(x, {kLast, 1}));
  x = net.relu(net.conv(x, {kLast, 3, 1, kLast}));
  net.classify(net.relu(net.conv(x, {kMiddle})));
  return net;
}

int run(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  constexpr std::int64_t kSide = 224;
  const Net all[] = {resnet18(kSide), resnet18(kSide + 1), mobilenetv2(), unet(), transformer(), odd()};
  for (const Net& net : all) net.write(folder);
  return 0;
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) {
  if (argc != 2 || std::string(argv[1]).starts_with("-")) {
    std::fprintf(stderr, "usage: bench_networks FOLDER\n");
    return 2;
  }
  try {
    return assay::bench::run(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
