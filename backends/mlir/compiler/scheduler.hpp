#pragma once
// Nodes to kernels. A value is seen through a view (a buffer, an offset, a stride an axis), so that a slice, a
// transpose or a reshape is no step where whoever takes it can read it so. Images may lie in blocked layout, where
// convolutions compute.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grouped.hpp"
#include "layout.hpp"
#include "plan.hpp"

namespace assay::compiler {

struct View {
  int buffer = -1;
  Access access;
};

struct BlockedView {
  int buffer = -1;
  BlockedAccess access;
};

/// `after` of the conv, of the biased result: its other inputs come behind the bias.
Expression after_bias(const Conv& conv, const Expression& biased);
/// sum * factor: the end of an average.
Expression times_share();

class Scheduler {
 public:
  Scheduler(const Graph& graph, const Target& target, Math math, const PackedWeights* there);
  Plan run();

 private:
  struct Convolution {
    const Conv& conv;
    BlockedView x, out;        ///< x may lie plain: its blocks are one, its channels a stride apart
    Shape x_shape, out_shape;  ///< batch, channels, height, width
    View weights;              ///< strides of outputs, channels, rows, columns of the window
    Shape window;              ///< its rows and columns
    bool depthwise;
    std::int64_t channel = 1;  ///< stride of x's channels
    std::vector<BlockedView> others{};
    Expression after{};
    std::optional<BlockedView> factors{};  ///< of x's channels, of each sample or of all; they go into the weights
    [[nodiscard]] WeightView weight_view() const { return {weights.access, out_shape[1], x_shape[1], window}; }
  };

  // Buffers and views: schedule.cpp.
  int add_buffer(std::int64_t bytes, Buffer::Place place);
  int add_buffer(ValueId id, Buffer::Place place, int number = -1);
  int add_constant(std::vector<float> values);
  /// A constant buffer's contents in an order (packed_weights.hpp), once for all equal ones that are wanted so.
  int add_packed(int constant, std::string order, std::int64_t floats, std::function<void(float*)> make);
  [[nodiscard]] bool is_constant(int buffer) const {
    return plan_.buffers[static_cast<std::size_t>(buffer)].place == Buffer::Place::kConstant;
  }
  [[nodiscard]] View whole(ValueId id, int buffer) const { return {buffer, {0, contiguous_strides(shape(id))}}; }
  [[nodiscard]] const Shape& shape(ValueId id) const { return graph_.value(id).shape; }
  [[nodiscard]] Element element(ValueId id) const { return graph_.value(id).element; }
  /// The value's plain view; copied from blocked layout where it lies so alone.
  const View& view(ValueId id);
  View new_output();
  /// The value's elements in order; copied where they do not lie so.
  View contiguous(ValueId id);
  /// Contiguous from the buffer's beginning on.
  View at_zero(ValueId id);

  // Steps: schedule.cpp.
  /// The kernel on its operands' buffers, in the order of the function's pointers.
  template <class Kernel>
  void add_step(Kernel kernel, const std::vector<int>& buffers);
  /// The same, with its account for the profile: the definition's multiplications, each with an addition.
  template <class Kernel>
  void add_step(Kernel kernel, const std::vector<int>& buffers, std::string schedule, double products);
  template <class Kernel>
  void add_convolution(Kernel kernel, const std::vector<int>& buffers, const Convolution& c, const std::string& method);
  int number_of(const KernelText& text);
  void copy(const View& from, const View& to, const Shape& size, Element type);
  void fill(const View& to, const Shape& size, Element type, double value);
  [[nodiscard]] static Access broadcast_access(const View& from, const Shape& own, std::size_t rank);

  // One for each kind of node, over plain layout: schedule_plain.cpp.
  void lower(const Map& map);
  void lower(const Reduce& reduce);
  void lower(const Conv& conv);
  void lower(const Pool& pool);
  void lower(const MatMul& matmul);
  void lower(const Reshape& reshape);
  void lower(const Strided& strided);
  void lower(const Concat& concat);
  void lower(const Pad& pad);
  void lower(const Gather& gather);
  View bordered(ValueId x, const Shape& begin, const Shape& end, double value, Shape* padded);
  void add_after(StridedKernel& kernel, const Conv& conv, std::int64_t of_group, std::vector<int>& buffers);
  /// Factors of an average, one for each place in space.
  static std::vector<float> shares(const Pool& pool, const Shape& x, const Shape& space);

  // Over blocked layout; false: it cannot be: schedule_blocked.cpp.
  bool blocked(const Map& map);
  bool blocked(const Reduce& reduce);
  bool blocked(const Conv& conv);
  bool blocked(const Pool& pool);
  bool blocked(const MatMul& matmul);
  bool blocked(const Concat& concat);
  template <class Other>
  bool blocked(const Other& /*operation*/) {
    return false;
  }

  // Values in blocked layout, of at most four axes, aligned at the last; f32: blocked_views.cpp.
  [[nodiscard]] Shape four_axes(ValueId id) const;
  /// The value in blocked layout; copied there where it does not lie so.
  const BlockedView& blocked_view(ValueId id);
  BlockedView new_blocked(ValueId id);
  BlockedView new_blocked(const Shape& four, const Border& border);
  [[nodiscard]] bool can_be_operand(ValueId id, const Shape& output) const;
  /// An operand of a blocked output: of its shape, or broadcast to it.
  BlockedView blocked_operand(ValueId id, const Shape& output);
  void to_plain(const BlockedView& from, const View& to, const Shape& four) { move_lanes(to, from, four, true); }
  void to_blocked(const View& from, const BlockedView& to, const Shape& four) { move_lanes(from, to, four, false); }
  /// `plain` has the strides of four axes.
  void move_lanes(const View& plain, const BlockedView& blocked, const Shape& four, bool out);
  [[nodiscard]] View aligned(ValueId id);
  [[nodiscard]] std::int64_t blocks_of(std::int64_t channels) const { return (channels + lanes_ - 1) / lanes_; }
  [[nodiscard]] Shape loops_of(const Shape& four) const {
    return {blocks_of(four[1]), four[0], four[2], four[3], lanes_};
  }

  // Convolutions: schedule_conv.cpp.
  /// Of the node that is scheduled, with its operands in blocked layout, without a place for what it gives; nothing: it
  /// cannot be so.
  std::optional<Convolution> convolution(const Conv& conv);
  [[nodiscard]] ConvKernel kernel_of(const Convolution& c) const;
  /// With the depthwise one that takes it: schedule_bands.cpp.
  void convolve_in_bands(const Node& dense, const Convolution& depthwise);

  // Matrices: schedule_matmul.cpp.
  void multiply_by_constant(ValueId a, ValueId b);
  void multiply_computed(ValueId a, ValueId b, std::int64_t lanes);

  void convolve(const Convolution& c);
  /// In the order of a kernel's arguments.
  [[nodiscard]] static std::vector<int> buffers_of(const Convolution& c, int weights);
  /// The kernel and its buffers with sums of rows, where they are wanted and it can; before the output.
  void add_sums(const Convolution& c, ConvKernel& kernel, std::vector<int>& buffers);
  void flatten(const Convolution& c, ConvKernel& kernel) const;
  [[nodiscard]] Tile model_tile(const Convolution& c, const ConvKernel& kernel);
  [[nodiscard]] Tile tile_of(const Convolution& c, const ConvKernel& kernel);
  [[nodiscard]] int packed(const Convolution& c, const ConvKernel& kernel);
  /// The same times the factors where there are some: then of each sample.
  int weights_of(const Convolution& c, ConvKernel& kernel);
  /// x of a convolution, zeros around it, in plain layout: of so few channels that blocks would be mostly empty.
  [[nodiscard]] std::optional<View> plain_input(const Conv& conv);
  [[nodiscard]] static bool flattens(const Convolution& c);
  // Of groups: schedule_grouped.cpp.
  void convolve_grouped(const Convolution& c, const GroupedPlan& plan);
  void pick(const Convolution& c, ConvKernel kernel, const GroupedPlan& plan, std::int64_t block);
  void convolve_winograd(const Convolution& c, const WinogradPlan& plan);
  [[nodiscard]] int packed_winograd(const Convolution& c, const WinogradKernel& kernel);

  // The end: schedule.cpp.
  void hand_out(ValueId id, int number);
  void separate_prologue();

  const Graph& graph_;
  const Target& target_;
  std::int64_t lanes_;
  Kept kept_;
  Layouts layouts_;
  const Node* node_ = nullptr;
  Plan plan_;
  std::unordered_map<ValueId, View> views_;
  std::unordered_map<ValueId, BlockedView> blocked_;
  std::unordered_map<ValueId, const Node*> waiting_;  // convolutions that are computed with who takes them
  std::unordered_map<ValueId, const Node*> scaled_;   // products that are left to who takes them
  std::unordered_map<ValueId, BlockedView> sums_;     // images whose rows' sums are there: a column
  std::map<std::string, int> kernels_;                // by text
  template <class... Kernels>
  using Known = std::tuple<std::vector<std::pair<Kernels, int>>...>;
  Known<StridedKernel, GatherKernel, BorderKernel, ConvKernel, BandKernel, WinogradKernel> known_;  // their numbers
  std::multimap<std::string, int> packed_;  // buffers, by how what they are of is packed
  std::map<std::string, int> constants_;    // by their bytes
};

}  // namespace assay::compiler
