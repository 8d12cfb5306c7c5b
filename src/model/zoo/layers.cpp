#include "model/zoo/layers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace assay::model {
namespace {

constexpr float kEpsilon = 1e-5F;
constexpr double kSpread = 0.25;     // how much channels differ in scale
constexpr double kEvenSpread = 0.1;  // of dense layers: classes that differ much in scale would leave few to win
// A sum with a ReLU's output is skewed, and the ReLU after it lets more through than of a normal one (measured).
constexpr double kSkewedExcess = 1.1;

Attribute ints(const char* name, std::vector<std::int64_t> values) { return {name, std::move(values)}; }
Attribute square(const char* name, std::int64_t value) { return ints(name, {value, value}); }
Attribute around(std::int64_t pad) { return ints("pads", {pad, pad, pad, pad}); }

std::int64_t slid(std::int64_t length, std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return (length + 2 * pad - kernel) / stride + 1;
}

// The part of a kernel's taps that lies on the map and not on its padding, on average over the positions.
double covered(std::int64_t length, std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  const std::int64_t outputs = slid(length, kernel, stride, pad);
  std::int64_t inside = 0;
  for (std::int64_t o = 0; o < outputs; ++o) {
    const std::int64_t first = o * stride - pad;
    inside += std::min(first + kernel, length) - std::max<std::int64_t>(first, 0);
  }
  return static_cast<double>(inside) / static_cast<double>(outputs * kernel);
}

// Mean 0 and the deviation asked for, evenly spread, by the multiples of an irrational number: unlike random values,
// few pairs of channels are nearly alike, so that one in the other's place shows.
std::vector<double> even_spread(std::int64_t count, double deviation) {
  constexpr double kRoot3 = 1.7320508075688772;
  const double width = deviation * std::sqrt(12.0);
  std::vector<double> values(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(i) * kRoot3;
    values[i] = width * (x - std::floor(x) - 0.5);
  }
  return values;
}

}  // namespace

std::vector<double> Layers::spread(const std::string& name, std::int64_t count, double mean, double deviation) const {
  const RandomTensor random(seed_, name);
  std::vector<double> values(count);
  for (std::int64_t i = 0; i < count; ++i) values[i] = mean + deviation * random.unit(i);
  return values;
}

std::string Layers::vector_of(const std::string& name, const std::vector<double>& values, bool learned) {
  std::vector<float> elements(values.begin(), values.end());
  return graph_.initializer(
      {name, {static_cast<std::int64_t>(values.size())}, DType::kFloat32, learned, std::move(elements)});
}

std::string Layers::weight(const std::string& name, Shape dims, WeightRows rows, Moments& outcome) {
  outcome = foreseen(rows);
  return graph_.initializer({name, std::move(dims), DType::kFloat32, true, std::move(rows)});
}

Features Layers::image(const std::string& name, const Axes& axes) {
  Features x{graph_.input(name, DType::kFloat32, axes), 0, 1, 1, {}, {}};
  const auto length = [&](std::size_t i) { return std::get<std::int64_t>(axes[i]); };
  x.channels = length(1);
  x.height = length(2);
  x.width = length(3);
  x.moments.resize(x.channels);
  return x;
}

Features Layers::conv(const std::string& scope, const Features& x, const ConvShape& shape) {
  const std::int64_t inputs = shape.depthwise ? 1 : x.channels;
  Features y{{},
             shape.outputs,
             slid(x.height, shape.kernel, shape.stride, shape.pad),
             slid(x.width, shape.kernel, shape.stride, shape.pad),
             {},
             {}};
  WeightRows rows{shape.outputs,
                  inputs,
                  shape.kernel * shape.kernel,
                  std::make_shared<Moments>(x.moments),
                  spread(scope + ".scale", shape.outputs, shape.deviation, shape.deviation * kSpread),
                  shape.depthwise,
                  {}};
  if (shape.through > 0) rows.through = even_spread(shape.outputs, shape.through);
  std::vector<std::string> operands{x.name};
  operands.push_back(
      weight(scope + ".weight", {shape.outputs, inputs, shape.kernel, shape.kernel}, std::move(rows), y.moments));
  const double coverage = covered(x.height, shape.kernel, shape.stride, shape.pad) *
                          covered(x.width, shape.kernel, shape.stride, shape.pad);
  for (Normal& m : y.moments) m = {m.mean * coverage, m.variance * coverage};
  if (shape.bias) {
    const auto bias = spread(scope + ".bias", shape.outputs, shape.bias_mean, shape.bias_deviation);
    operands.push_back(vector_of(scope + ".bias", bias));
    for (std::int64_t i = 0; i < y.channels; ++i) y.moments[i].mean += bias[i];
  }
  y.name = graph_.node("Conv", scope, operands,
                       {square("dilations", 1),
                        {"group", shape.depthwise ? x.channels : std::int64_t{1}},
                        square("kernel_shape", shape.kernel),
                        around(shape.pad),
                        square("strides", shape.stride)});
  return y;
}

Features Layers::batch_norm(const std::string& scope, const Features& x, double gain, double rise) {
  auto gamma = spread(scope + ".weight", x.channels, gain, gain * kSpread);
  for (std::int64_t i = 0; i < x.channels; ++i) {
    gamma[i] *=
        1 + (rise - 1) * static_cast<double>(i) / static_cast<double>(std::max<std::int64_t>(x.channels - 1, 1));
  }
  const auto beta = spread(scope + ".bias", x.channels, 0, gain * 0.3);
  const auto offset = spread(scope + ".running_mean", x.channels, 0, 0.15);
  Features y = x;
  y.before_relu.clear();
  std::vector<double> mean(x.channels);
  std::vector<double> variance(x.channels);
  for (std::int64_t i = 0; i < x.channels; ++i) {
    const Normal& in = x.moments[i];
    mean[i] = in.mean + offset[i] * std::sqrt(in.variance);
    variance[i] = in.variance;
    const double factor = gamma[i] / std::sqrt(variance[i] + kEpsilon);
    y.moments[i] = {(in.mean - mean[i]) * factor + beta[i], in.variance * factor * factor};
  }
  const std::vector<std::string> operands{x.name, vector_of(scope + ".weight", gamma), vector_of(scope + ".bias", beta),
                                          vector_of(scope + ".running_mean", mean, false),
                                          vector_of(scope + ".running_var", variance, false)};
  y.name = graph_.node("BatchNormalization", scope, operands, {{"epsilon", kEpsilon}});
  return y;
}

Features Layers::activation(const std::string& scope, const Features& x, Activation f) {
  Features y = x;
  std::transform(x.moments.begin(), x.moments.end(), y.moments.begin(),
                 [f](const Normal& in) { return activated(f, in); });
  y.before_relu.clear();
  switch (f) {
    case Activation::kRelu:
      y.before_relu = x.moments;
      y.name = graph_.node("Relu", scope, {x.name});
      break;
    case Activation::kSigmoid:
      y.name = graph_.node("Sigmoid", scope, {x.name});
      break;
    case Activation::kSilu:
      y.name = graph_.node("Mul", scope, {x.name, graph_.node("Sigmoid", scope + ".sigmoid", {x.name})});
      break;
  }
  return y;
}

Features Layers::max_pool(const std::string& scope, const Features& x, std::int64_t kernel, std::int64_t stride,
                          std::int64_t pad) {
  Features y = x;
  y.height = slid(x.height, kernel, stride, pad);
  y.width = slid(x.width, kernel, stride, pad);
  for (std::int64_t i = 0; i < x.channels; ++i) {
    y.moments[i] = activated(Activation::kRelu, largest_of(static_cast<int>(kernel * kernel), x.before_relu[i]));
  }
  y.before_relu.clear();
  y.name =
      graph_.node("MaxPool", scope, {x.name}, {square("kernel_shape", kernel), around(pad), square("strides", stride)});
  return y;
}

Features Layers::average_pool(const std::string& scope, const Features& x, std::int64_t kernel, double correlation) {
  Features y = x;
  y.height = slid(x.height, kernel, kernel, 0);
  y.width = slid(x.width, kernel, kernel, 0);
  for (Normal& m : y.moments) m.variance *= correlation / static_cast<double>(kernel * kernel);
  y.before_relu.clear();
  y.name = graph_.node("AveragePool", scope, {x.name}, {square("kernel_shape", kernel), square("strides", kernel)});
  return y;
}

Features Layers::global_average_pool(const std::string& scope, const Features& x) {
  Features y{graph_.node("GlobalAveragePool", scope, {x.name}), x.channels, 1, 1, x.moments, {}};
  for (Normal& m : y.moments) m.variance /= static_cast<double>(x.height * x.width);
  return y;
}

Features Layers::dense(const std::string& scope, const Features& x, std::int64_t outputs, double deviation,
                       const std::string& name) {
  const std::int64_t taps = x.height * x.width;
  Features y{{}, outputs, 1, 1, {}, {}};
  WeightRows rows{outputs,
                  x.channels,
                  taps,
                  std::make_shared<Moments>(x.moments),
                  spread(scope + ".scale", outputs, deviation, deviation * kEvenSpread),
                  false,
                  {}};
  const std::string w = weight(scope + ".weight", {outputs, x.channels * taps}, std::move(rows), y.moments);
  const auto bias = spread(scope + ".bias", outputs, 0, deviation * 0.2);
  const std::string b = vector_of(scope + ".bias", bias);
  for (std::int64_t i = 0; i < outputs; ++i) y.moments[i].mean += bias[i];
  y.name = graph_.node("Gemm", name.empty() ? scope : name, {x.name, w, b}, {{"transB", std::int64_t{1}}});
  return y;
}

Features Layers::add(const std::string& scope, const Features& a, const Features& b) {
  Features y = a;
  std::transform(a.moments.begin(), a.moments.end(), b.moments.begin(), y.moments.begin(), sum);
  if (!b.before_relu.empty()) {
    for (Normal& m : y.moments) m.variance *= kSkewedExcess;
  }
  y.before_relu.clear();
  y.name = graph_.node("Add", scope, {a.name, b.name});
  return y;
}

Features Layers::scale(const std::string& scope, const Features& a, const Features& b) {
  Features y = a;
  std::transform(a.moments.begin(), a.moments.end(), b.moments.begin(), y.moments.begin(), product);
  y.before_relu.clear();
  y.name = graph_.node("Mul", scope, {a.name, b.name});
  return y;
}

Features Layers::concat(const std::string& scope, const Features& a, const Features& b) {
  Features y = a;
  y.channels += b.channels;
  y.moments.insert(y.moments.end(), b.moments.begin(), b.moments.end());
  y.before_relu.clear();
  y.name = graph_.node("Concat", scope, {a.name, b.name}, {{"axis", std::int64_t{1}}});
  return y;
}

Features Layers::flatten(const std::string& scope, const Features& x) {
  Features y = x;
  y.name = graph_.node("Flatten", scope, {x.name}, {{"axis", std::int64_t{1}}});
  return y;
}

void Layers::classifier(const std::string& scope, const Features& x, std::int64_t classes, bool logits,
                        const Axis& batch) {
  // Deviation well between 1 and 5, so that probabilities are neither flat nor all on one class.
  const Features y = dense(scope, x, classes, 2.0, "logits");
  if (logits) {
    graph_.output("logits", DType::kFloat32, {batch, classes});
    return;
  }
  graph_.node("Softmax", "probabilities", {y.name}, {{"axis", std::int64_t{1}}});
  graph_.output("probabilities", DType::kFloat32, {batch, classes});
}

}  // namespace assay::model
