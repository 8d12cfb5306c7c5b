// Reductions along axes.
#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "operators/operator.hpp"

namespace assay::tensorflow {
namespace {

/// An image keeps its layout where the axes stay, and where all of space goes: what is left is batch and channels.
bool may_stay_last(const Ints& axes, std::size_t rank, bool keep) {
  if (keep) return true;
  if (axes.size() != rank - 2) return false;
  return std::all_of(axes.begin(), axes.end(), [](std::int64_t a) { return a >= 2; });
}

}  // namespace

void translate_reduce(Operator& op) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 5> kNames = {{{"ReduceMax", "Max"},
                                                                                      {"ReduceMean", "Mean"},
                                                                                      {"ReduceMin", "Min"},
                                                                                      {"ReduceProd", "Prod"},
                                                                                      {"ReduceSum", "Sum"}}};
  const auto* name =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& n) { return n.first == op.node.op_type; });
  const std::size_t rank = op.rank(0);
  Ints axes = op.list_or_input("axes", 1).value_or(Ints{});
  const bool keep = op.integer("keepdims", 1) != 0;
  if (axes.empty()) {
    if (op.integer("noop_with_empty_axes", 0) != 0) return op.alias(0, 0);
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (std::int64_t& a : axes) a = op.axis(a, rank);
  const bool last = op.is_last(0) && may_stay_last(axes, rank, keep);
  const TF_Output x = last ? op.in_last(0) : op.in(0);
  for (std::int64_t& a : axes) a = Operator::place(a, rank, last);
  op.out(0, op.g.reduce(name->second, x, axes, keep), last && keep);
}

}  // namespace assay::tensorflow
