#pragma once
// What is computed by one function of machine code, before it is MLIR: loops with an access for each operand.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph.hpp"
#include "target.hpp"

namespace assay::compiler {

/// Where an operand's element for a point of the loops lies in its buffer: offset + Σ i[k] * strides[k], in elements.
struct Access {
  std::int64_t offset = 0;
  Shape strides;
  friend bool operator==(const Access&, const Access&) = default;
};

struct Operand {
  Element element = Element::kF32;
  Access access;
  friend bool operator==(const Operand&, const Operand&) = default;
};

/// For every point of the loops: output = after(expression(inputs), others…). With `reduced` loops what the expression
/// gives is accumulated over the last so many, along which the output and the others have stride 0.
struct StridedKernel {
  Shape sizes;  ///< of the loops, outermost first
  std::size_t reduced = 0;
  Reduce::Combine combine = Reduce::Combine::kSum;
  Expression expression;
  std::vector<Operand> inputs;  ///< of the expression
  Expression after;             ///< input 0: what was accumulated, or one value of it; no terms: as it is
  std::vector<Operand> others;  ///< of `after`, from input 1 on
  Operand output;
  friend bool operator==(const StridedKernel&, const StridedKernel&) = default;
};

/// output[o, p, i] = data[o, index[p], i]; negative indices count from the end. One outside is taken for the nearest
/// inside: what a model computes is no reason to read elsewhere.
struct GatherKernel {
  std::int64_t outer = 1, picked = 1, inner = 1;
  std::int64_t extent = 1;  ///< of the axis that is indexed
  Element element = Element::kF32, index = Element::kI64;
  friend bool operator==(const GatherKernel&, const GatherKernel&) = default;
};

/// Where a value in blocked layout lies: [channels / lanes][batch][height][width][lanes], each with a stride of its
/// own, so that it may be part of a larger one, or have a border.
struct BlockedAccess {
  std::int64_t offset = 0;
  std::int64_t block = 0, batch = 0, row = 0, column = 0;  ///< strides in elements
  bool lanes = true;                                       ///< false: one number for all of a block's channels
  friend bool operator==(const BlockedAccess&, const BlockedAccess&) = default;
};

/// A convolution over blocked layout, of one group, of groups in parts, or depthwise. A unit is one row of one group of
/// `vectors` blocks of output channels; in it `tile` neighbouring pixels are accumulated in registers at once. Units
/// follow one another by row among `together` rows, which a cache holds, then by group.
struct ConvKernel {
  std::int64_t batch = 1, rows = 1, columns = 1;  ///< of the output
  std::int64_t groups = 1;                        ///< of output blocks, `vectors` each
  std::int64_t together = 1;                      ///< divides batch * rows
  std::int64_t blocks = 1, last_channels = 0;     ///< input blocks, and channels in the last
  std::int64_t parts = 1;                         ///< of the groups of output blocks, each with its own input blocks
  std::int64_t kernel_rows = 1, kernel_columns = 1, row_stride = 1, column_stride = 1, row_dilation = 1,
               column_dilation = 1;
  bool depthwise =
      false;  ///< weights [block][kernel row][kernel column][lane]; else [group][block][…][channel][vector][lane]
  std::int64_t lanes = 16, vectors = 1, tile = 1;
  BlockedAccess input, output;  ///< input: of the window's first pixel at output row 0, column 0
  std::int64_t channel = 1;     ///< stride of an input block's channels
  /// Nothing, or in place of loops over channels: for each number of a sum's channels the lanes' own ones, counted from
  /// the part's first; then weights [group][kernel row][kernel column][number][lane], `vectors` 1.
  std::vector<Shape> picks;
  bool plain_weights = false;  ///< a row of all outputs for each channel, so far apart; of each sample, so far
  std::int64_t weight_offset = 0, weight_channel = 0;
  std::int64_t weight_batch = 0;  ///< from a sample's weights to the next one's
  Expression after;               ///< input 0: the sum; no terms: as it is
  std::vector<BlockedAccess> others;
  std::optional<BlockedAccess> sums{};  ///< where each row's sums over its columns go, a vector for each block
  friend bool operator==(const ConvKernel&, const ConvKernel&) = default;
};

/// A dense convolution, then the depthwise one that alone takes what it gives: by bands of rows, so that this lies in
/// scratch memory that a cache holds. A unit is a band of one group of the dense convolution's blocks. Units follow one
/// another by band, then by group; rows that two bands share are computed once where one thread has both.
struct BandKernel {
  ConvKernel dense, depthwise;                ///< what lies between them: samples are threads, rows those of a band
  std::int64_t rows = 1;                      ///< of a band, of the depthwise convolution's output; fewer in the last
  std::int64_t top = 0, left = 0, width = 1;  ///< zeros before an image's rows and columns; columns with the zeros

  friend bool operator==(const BandKernel&, const BandKernel&) = default;
  [[nodiscard]] std::int64_t bands() const { return (depthwise.rows + rows - 1) / rows; }
  [[nodiscard]] std::int64_t window_rows() const { return (depthwise.kernel_rows - 1) * depthwise.row_dilation + 1; }
  [[nodiscard]] std::int64_t scratch_rows() const { return (rows - 1) * depthwise.row_stride + window_rows(); }
  /// Of a block: with a gap, so that blocks do not fall into the same sets of a cache.
  [[nodiscard]] std::int64_t block_floats() const { return scratch_rows() * width * dense.lanes + dense.lanes; }
  [[nodiscard]] std::int64_t scratch_floats() const { return dense.vectors * block_floats(); }
};

/// Zeros around images in blocked layout, whose memory something else had before. A unit is an image of one block of
/// channels.
struct BorderKernel {
  std::int64_t images = 1, rows = 1, columns = 1;  ///< without the border
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
  std::int64_t lanes = 16;
  friend bool operator==(const BorderKernel&, const BorderKernel&) = default;
};

/// A convolution of a window of 3 by 3, steps of 1, by Winograd's method F(m x m, 3 x 3): Lavin and Gray, "Fast
/// Algorithms for Convolutional Neural Networks", 2015 (winograd.hpp). A unit is a block of tiles times a group of
/// `vectors` blocks of output channels; the tiles of a block are transformed once for the units that a thread has of
/// it. Each thread has a part of the scratch memory.
struct WinogradKernel {
  std::int64_t m = 4;                                      ///< rows and columns of an output tile
  std::int64_t batch = 1, rows = 1, columns = 1;           ///< of the output
  std::int64_t tile_rows = 1, tile_columns = 1;            ///< of an image
  std::int64_t tiles = 1;                                  ///< of a block, which there are a whole number of
  std::int64_t groups = 1, blocks = 1, last_channels = 0;  ///< as ConvKernel's
  std::int64_t lanes = 16, vectors = 1, tile = 1;          ///< likewise, of the products
  BlockedAccess input, output;                             ///< input: of the first tile's first pixel, border included
  Expression after;
  std::vector<BlockedAccess> others;

  friend bool operator==(const WinogradKernel&, const WinogradKernel&) = default;
  [[nodiscard]] std::int64_t side() const { return m + 2; }
  [[nodiscard]] std::int64_t points() const { return side() * side(); }
  /// Floats between what belongs to one point and the next: with a gap, so that they do not all fall into one set of a
  /// cache.
  [[nodiscard]] std::int64_t input_stride() const { return blocks * tiles * lanes + lanes; }
  [[nodiscard]] std::int64_t product_stride() const { return tiles * vectors * lanes + lanes; }
  [[nodiscard]] std::int64_t scratch_floats() const { return points() * (input_stride() + product_stride()); }
};

/// Loops of one step are left out, and neighbours become one where every operand allows it.
StridedKernel simplified(StridedKernel kernel);

/// Takes the offsets out of a kernel, so that it is one for all places in memory: bytes from the beginning of each
/// operand's buffer to the first of its elements that the kernel reaches, in the order of the function's pointers.
std::vector<std::int64_t> take_offsets(StridedKernel& kernel);
std::vector<std::int64_t> take_offsets(GatherKernel& kernel);
std::vector<std::int64_t> take_offsets(BorderKernel& kernel);
std::vector<std::int64_t> take_offsets(ConvKernel& kernel);
std::vector<std::int64_t> take_offsets(BandKernel& kernel);
std::vector<std::int64_t> take_offsets(WinogradKernel& kernel);

/// How many of the function's pointers, the last ones, are written.
template <class Kernel>
std::size_t outputs_of(const Kernel& /*kernel*/) {
  return 1;
}
inline std::size_t outputs_of(const ConvKernel& kernel) { return kernel.sums ? 2 : 1; }
inline std::size_t outputs_of(const BandKernel& kernel) { return outputs_of(kernel.depthwise); }

/// A kernel as a function of MLIR: pointers to the operands (inputs, others, output), then the first and the last unit
/// to be computed, and the number of the thread that does.
struct KernelText {
  std::string text;                ///< `@kernel` is its name
  std::int64_t units = 0;          ///< that threads may divide among them
  std::int64_t scratch_bytes = 0;  ///< of each thread
};

/// kStrict: sums of products as they are defined. kFast: Winograd's method where it takes less time, too.
enum class Math { kStrict, kFast };

KernelText emit(const StridedKernel& kernel, const Target& target);
KernelText emit(const GatherKernel& kernel, const Target& target);
KernelText emit(const BorderKernel& kernel, const Target& target);
/// Pointers: input, weights, others, sums where it has some, output.
KernelText emit(const ConvKernel& kernel, const Target& target);
/// Pointers: scratch memory, the dense convolution's input, weights, others, the other's weights, others, sums where it
/// has some, output.
KernelText emit(const BandKernel& kernel, const Target& target);
/// Pointers: scratch memory, input, weights [group][point][block][channel][vector][lane], others, output.
KernelText emit(const WinogradKernel& kernel, const Target& target);

}  // namespace assay::compiler
