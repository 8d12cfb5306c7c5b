#pragma once
// The two kinds of work: from a caller's memory to a caller's memory, and between callbacks.

#include <span>
#include <vector>

#include "engine/lane.hpp"

namespace assay::engine {

/// Throws Error(kInvalidArgument) unless `x` fits the inputs; answers the number of samples (1 where there is no
/// batch).
std::int64_t check_inputs(const Layout& layout, std::span<const TensorView> x);
/// The same for a caller's outputs; also refuses memory that overlaps an input or another output.
void check_outputs(const Layout& layout, std::int64_t samples, std::span<const TensorView> x,
                   std::span<const MutableTensorView> y);
/// Throws Error where `samples` make several batches, or none, and an output cannot be put together from them.
void check_divisible(const Layout& layout, std::int64_t samples, std::int64_t batch);

/// Throws Error(kInvalidArgument) on a thread that is in a callback of this session's: what the call would wait for is
/// what it holds up.
void check_not_in_callback(const Layout& layout);

/// predict: in place where the memory allows it.
class PredictWork final : public Work {
 public:
  /// y[i].data nullptr: output i is known only from the run, and collected.
  PredictWork(const Layout& layout, std::int64_t samples, std::span<const TensorView> x,
              std::span<const MutableTensorView> y);
  void fill(Unit& unit) override;
  void drain(Unit& unit) override;
  /// Whether whole batches need neither filling nor draining: then there is nothing to do beside the computing.
  [[nodiscard]] bool all_in_place(std::int64_t batch) const;
  /// Output i put together from its batches.
  Tensor collected(std::size_t i);

 private:
  struct Piece {
    Tensor values;
    std::int64_t count = 0;  ///< samples
  };
  void collect(std::size_t i, const TensorView& output, std::int64_t count);
  void check_room(std::size_t i, const TensorView& output, const BatchRecord& record) const;
  const Layout& layout_;
  std::int64_t samples_;
  std::span<const TensorView> x_;
  std::span<const MutableTensorView> y_;
  std::vector<std::vector<Piece>> pieces_;
};

/// predict_stream.
class StreamWork final : public Work {
 public:
  StreamWork(const Layout& layout, const FillFunction& fill, const DrainFunction& drain)
      : layout_(layout), fill_(fill), drain_(drain) {}
  void fill(Unit& unit) override;
  void drain(Unit& unit) override;

 private:
  const Layout& layout_;
  const FillFunction& fill_;
  const DrainFunction& drain_;
};

}  // namespace assay::engine
