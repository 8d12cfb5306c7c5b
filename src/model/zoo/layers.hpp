#pragma once

#include <cstdint>
#include <string>

#include "model/zoo/graph.hpp"

namespace assay::model {

/// A tensor of feature maps (or, 1x1, of features) and what is foreseen of it.
struct Features {
  std::string name;
  std::int64_t channels = 0;
  std::int64_t height = 1;
  std::int64_t width = 1;
  Moments moments;
  Moments before_relu;  ///< where a ReLU made it: its largest values are foreseen better from before
};

struct ConvShape {
  std::int64_t outputs = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t pad = 0;
  bool depthwise = false;
  bool bias = false;
  double deviation = 1;  ///< of the outcome, on average over the channels
  double through = 0;    ///< deviation, over the channels, of what the inputs' means make of the outcome
  double bias_mean = 0;
  double bias_deviation = 0.3;
};

/// Layers with seeded weights on top of a Graph. Names are those that torchvision gives the same weights.
class Layers {
 public:
  Layers(const std::string& network, std::uint64_t seed) : graph_(network), seed_(seed) {}

  Features image(const std::string& name, const Axes& axes);
  Features conv(const std::string& scope, const Features& x, const ConvShape& shape);
  /// rise: the last channel's gain over the first one's.
  Features batch_norm(const std::string& scope, const Features& x, double gain = 1, double rise = 1);
  Features activation(const std::string& scope, const Features& x, Activation f);
  Features max_pool(const std::string& scope, const Features& x, std::int64_t kernel, std::int64_t stride,
                    std::int64_t pad);
  /// correlation: how much more neighbours vary together than independent ones would (1: not at all).
  Features average_pool(const std::string& scope, const Features& x, std::int64_t kernel, double correlation);
  Features global_average_pool(const std::string& scope, const Features& x);
  /// Keeps height and width: what follows knows the positions.
  Features flatten(const std::string& scope, const Features& x);
  Features dense(const std::string& scope, const Features& x, std::int64_t outputs, double deviation = 1,
                 const std::string& name = {});
  Features add(const std::string& scope, const Features& a, const Features& b);
  /// b is one factor a channel.
  Features scale(const std::string& scope, const Features& a, const Features& b);
  Features concat(const std::string& scope, const Features& a, const Features& b);
  /// The classifier at the end: "logits", and "probabilities" unless `logits`.
  void classifier(const std::string& scope, const Features& x, std::int64_t classes, bool logits, const Axis& batch);

  Graph& graph() { return graph_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }

 private:
  std::vector<double> spread(const std::string& name, std::int64_t count, double mean, double deviation) const;
  std::string vector_of(const std::string& name, const std::vector<double>& values, bool learned = true);
  std::string weight(const std::string& name, Shape dims, WeightRows rows, Moments& outcome);

  Graph graph_;
  std::uint64_t seed_;
};

}  // namespace assay::model
