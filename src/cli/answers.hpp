#pragma once
// What a model answered, gathered from the pipeline's batches.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "assay/assay.hpp"

namespace assay::cli {

/// Collects the outputs of `samples` samples. Fed by one thread at a time.
class Answers {
 public:
  Answers(std::vector<TensorInfo> outputs, std::int64_t samples);
  /// A drain function's work: samples [first, first + count). Throws Error where an output changes its shape.
  void add(std::int64_t first, std::int64_t count, std::span<const TensorView> outputs);
  [[nodiscard]] const std::vector<TensorInfo>& infos() const { return infos_; }
  [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }
  /// Index and value of the largest elements of a sample's part of an output, the largest first.
  [[nodiscard]] std::vector<std::pair<std::int64_t, double>> top(std::size_t output, std::int64_t sample,
                                                                 std::size_t k) const;

 private:
  std::vector<TensorInfo> infos_;
  std::int64_t samples_;
  std::vector<Tensor> tensors_;
};

/// Element i of a contiguous tensor. Throws Error(kUnsupported) for bfloat16.
double element(const Tensor& tensor, std::int64_t i);

}  // namespace assay::cli
