#include "batch.hpp"

#include <algorithm>

namespace assay::compiler {
namespace {

class Analysis {
 public:
  explicit Analysis(const Graph& graph) : graph_(graph) {
    batch_.values.assign(graph.values.size(), false);
    if (graph.inputs.empty() || graph.shape(graph.inputs[0]).empty()) return;
    batch_.samples = std::max<std::int64_t>(1, graph.shape(graph.inputs[0])[0]);
    if (batch_.samples == 1) return;
    for (const ValueId id : graph.inputs) mark(id, starts_with_samples(id));
  }

  Batch run() {
    for (const Node& node : graph_.nodes) {
      node_ = &node;
      const bool takes = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) { return of_batch(id); });
      const bool apart = takes && starts_with_samples(node.output) &&
                         std::visit([this](const auto& operation) { return is_apart(operation); }, node.operation);
      batch_.nodes.push_back(!takes ? Batch::Takes::kNothing : apart ? Batch::Takes::kApart : Batch::Takes::kTogether);
      mark(node.output, takes);
    }
    return std::move(batch_);
  }

 private:
  void mark(ValueId id, bool value) { batch_.values[static_cast<std::size_t>(id)] = value; }
  [[nodiscard]] bool of_batch(ValueId id) const { return batch_.values[static_cast<std::size_t>(id)]; }
  [[nodiscard]] bool starts_with_samples(ValueId id) const {
    return !graph_.shape(id).empty() && graph_.shape(id)[0] == batch_.samples;
  }
  [[nodiscard]] const Shape& output() const { return graph_.shape(node_->output); }
  [[nodiscard]] bool first_alone_is_of_batch() const {
    return of_batch(node_->inputs[0]) && starts_with_samples(node_->inputs[0]) &&
           std::none_of(node_->inputs.begin() + 1, node_->inputs.end(), [&](ValueId id) { return of_batch(id); });
  }

  /// An operand of the output's shape or broadcast to it: along the first axis by sample, or the same for all.
  [[nodiscard]] bool is_apart_operand(ValueId id) const {
    const Shape& s = graph_.shape(id);
    if (of_batch(id)) return s.size() == output().size() && starts_with_samples(id);
    return s.size() < output().size() || s[0] == 1;
  }

  [[nodiscard]] bool is_apart(const Map& /*map*/) const {
    return std::all_of(node_->inputs.begin(), node_->inputs.end(), [&](ValueId id) { return is_apart_operand(id); });
  }
  [[nodiscard]] bool is_apart(const Reduce& reduce) const {
    return starts_with_samples(node_->inputs[0]) &&
           std::find(reduce.axes.begin(), reduce.axes.end(), 0U) == reduce.axes.end();
  }
  [[nodiscard]] bool is_apart(const Conv& conv) const {
    const auto own = static_cast<std::ptrdiff_t>(conv.bias ? 3 : 2);
    return of_batch(node_->inputs[0]) && starts_with_samples(node_->inputs[0]) && !of_batch(node_->inputs[1]) &&
           (!conv.bias || !of_batch(node_->inputs[2])) &&
           std::all_of(node_->inputs.begin() + own, node_->inputs.end(),
                       [&](ValueId id) { return is_apart_operand(id); });
  }
  [[nodiscard]] bool is_apart(const Pool& /*pool*/) const { return starts_with_samples(node_->inputs[0]); }
  /// Of two matrices the right one belongs to no sample; of stacks, each does or is the same for all.
  [[nodiscard]] bool is_apart(const MatMul& /*matmul*/) const {
    if (output().size() == 2) return first_alone_is_of_batch();
    return std::all_of(node_->inputs.begin(), node_->inputs.end(), [&](ValueId id) {
      return is_apart_operand(id) && (of_batch(id) || graph_.shape(id).size() >= 2);
    });
  }
  /// Elements stay in order.
  [[nodiscard]] bool is_apart(const Reshape& /*reshape*/) const { return starts_with_samples(node_->inputs[0]); }
  /// Each sample is made of elements of its own, in the same way as the first.
  [[nodiscard]] bool is_apart(const Strided& strided) const {
    if (!starts_with_samples(node_->inputs[0])) return false;
    const std::int64_t of_sample = count(graph_.shape(node_->inputs[0])) / batch_.samples;
    std::int64_t least = strided.offset, most = strided.offset;
    for (std::size_t k = 1; k < output().size(); ++k) {
      const std::int64_t last = strided.strides[k] * std::max<std::int64_t>(0, output()[k] - 1);
      (last < 0 ? least : most) += last;
    }
    return strided.strides[0] == of_sample && least >= 0 && most < of_sample;
  }
  [[nodiscard]] bool is_apart(const Concat& concat) const {
    return concat.axis != 0 && std::all_of(node_->inputs.begin(), node_->inputs.end(),
                                           [&](ValueId id) { return of_batch(id) && starts_with_samples(id); });
  }
  [[nodiscard]] bool is_apart(const Pad& /*pad*/) const { return starts_with_samples(node_->inputs[0]); }
  [[nodiscard]] bool is_apart(const Gather& gather) const { return gather.axis != 0 && first_alone_is_of_batch(); }

  const Graph& graph_;
  Batch batch_;
  const Node* node_ = nullptr;
};

}  // namespace

Batch batch_of(const Graph& graph) { return Analysis(graph).run(); }

}  // namespace assay::compiler
