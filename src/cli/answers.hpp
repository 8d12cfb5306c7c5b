#pragma once
// What a model answered, gathered from the pipeline's batches.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "assay/assay.hpp"

namespace assay::cli {

/// A sample's largest elements.
struct Top {
  std::vector<std::pair<std::int64_t, double>> values;  ///< index and value, the largest first, of equal ones
                                                        ///< the first; what is no number last
  std::int64_t nan = 0;                                 ///< of all the sample's elements
};

/// Collects the outputs of `samples` samples. Fed by one thread at a time.
class Answers {
 public:
  Answers(std::vector<TensorInfo> outputs, std::int64_t samples);
  /// A drain function's work: samples [first, first + count). Throws Error where the batches make no one array.
  void add(std::int64_t first, std::int64_t count, std::span<const TensorView> outputs);
  [[nodiscard]] const std::vector<TensorInfo>& infos() const { return infos_; }
  [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }
  /// Every sample has one row of this output: not so where rows are what was found (NonZero, NonMaxSuppression).
  [[nodiscard]] bool by_sample(std::size_t output) const { return state_[output].by_sample; }
  /// Of a sample's part of an output that is by_sample.
  [[nodiscard]] Top top(std::size_t output, std::int64_t sample, std::size_t k) const;

 private:
  struct State {
    std::int64_t rows = 0;  ///< filled along the batch axis
    bool by_sample = true;
  };
  [[nodiscard]] std::size_t batch_axis(std::size_t output) const {
    return static_cast<std::size_t>(infos_[output].batch_axis);
  }
  void append(std::size_t output, std::int64_t first, std::int64_t count, const TensorView& batch);
  void keep(std::size_t output, std::int64_t first, const TensorView& batch);
  void reserve(std::size_t output, std::int64_t rows, const TensorView& batch);

  std::vector<TensorInfo> infos_;
  std::int64_t samples_;
  std::vector<Tensor> tensors_;
  std::vector<State> state_;
};

/// Element i of a contiguous tensor.
double element(const Tensor& tensor, std::int64_t i);

}  // namespace assay::cli
