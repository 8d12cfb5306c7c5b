#pragma once
// What is known of a session's tensors before a run: batch axes, shapes, and how samples become batches. Pure.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "assay/assay.hpp"
#include "backend/backend.hpp"

namespace assay::engine {

class OneGraph;

/// One input or output.
struct TensorLayout {
  TensorInfo info;  ///< as the user sees it, its batch axis decided
  Shape shape;      ///< info.shape with what Params::shapes says; -1: the batch axis, or known from x or the run
  std::size_t element_size = 4;
  bool sized = true;     ///< an output whose shape follows from the number of samples
  bool assumed = false;  ///< an output whose first axis the model does not name, and which was taken for the batch
  /// The shape for `count` samples. With batch_axis -1 it is the same for all.
  [[nodiscard]] Shape with_count(std::int64_t count) const;
};

/// The layout of a session. Made from the model alone, completed by what the backend says once it has opened it.
class Layout {
 public:
  /// Throws Error(kInvalidArgument) on unknown names, axes, shapes and batch sizes that do not fit the model.
  Layout(const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs, const Params& params);
  /// Takes over the backend's order of tensors and the shapes that it worked out. Throws Error(kFramework) where the
  /// backend's tensors are not the model's.
  void adopt(const backend::SessionInfo& session);

  std::vector<TensorLayout> inputs, outputs;           ///< in the model's order
  std::vector<std::size_t> input_order, output_order;  ///< the backend's i-th tensor is ours of that index
  /// Samples that go through at once; 0: as many as come.
  std::int64_t batch_size = 1;
  bool batched = false;           ///< some input has a batch axis
  bool fixed_batch = false;       ///< and its length is the model's: batches are always full
  std::int64_t stream_batch = 1;  ///< samples in a batch of an endless stream
  bool any_from_run = false;      ///< some output is not `sized`
  /// The backend copies from and to pinned memory beside computing, and from other memory does not: batches go through
  /// buffers of ours, wherever the caller's lie.
  bool staged = false;
  std::shared_ptr<const OneGraph> one_graph;  ///< where the model is several members': who they are

  /// For the backend's `open`: shapes of the inputs that differ from the model's; a free batch axis stays -1.
  [[nodiscard]] std::map<std::string, Shape> open_shapes() const;
  /// Throws Error(kInvalidArgument), with the line to add, where an input has a free axis that nothing gives a value.
  void require_whole_shapes() const;

 private:
  void decide_inputs(const std::vector<TensorInfo>& all, const Params& params);
  void decide_batch(const Params& params);
  void decide_output(TensorLayout& output) const;
  [[nodiscard]] int guess_batch_axis(const TensorLayout& output) const;
  std::map<std::string, int> batch_axis_;
  bool batch_first_ = true;  ///< the batch is the first axis of every input that has one
  std::int64_t fixed_size_ = -1;
  std::string batch_name_;  ///< of the inputs' batch axis in the model, or ""
};

/// Throws Error(kInvalidArgument) about a tensor ("": about none).
[[noreturn]] void refuse(const std::string& message, const std::string& tensor);

/// "'a', 'b'"
std::string quoted_names(const std::vector<TensorLayout>& tensors);

}  // namespace assay::engine
