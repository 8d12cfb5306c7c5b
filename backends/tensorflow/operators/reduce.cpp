// Reductions along axes.
#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "operators/formula.hpp"

namespace assay::tensorflow {
namespace {

/// An image keeps its layout where the axes stay. Where they go, what is left is in one order only without the
/// channels, and without all of space.
bool may_stay_last(const Ints& axes, std::size_t rank, bool keep) {
  if (keep) return true;
  const bool no_channels = std::find(axes.begin(), axes.end(), 1) != axes.end();
  const auto space = static_cast<std::size_t>(std::count_if(axes.begin(), axes.end(), [](auto a) { return a >= 2; }));
  return no_channels || space == rank - 2;
}

/// What is reduced, along which axes (constant, or known only when the graph runs), and whether they stay.
struct Reduction {
  Term x;
  TF_Output axes;
  bool keep = true;

  [[nodiscard]] Term by(const char* type, Term what, bool kept) const {
    return {what.g, what.g->op(type).in(what.x).in(axes).flag("keep_dims", kept).done()};
  }
  [[nodiscard]] Term by(const char* type, Term what) const { return by(type, what, keep); }
};

/// Maximum and minimum of what is true and false.
Term extreme(const Reduction& r, const char* of_numbers, const char* of_bools) {
  return r.by(r.x.type() == DataType::kBool ? of_bools : of_numbers, r.x);
}

/// For functions that only real numbers have.
Term real_of(Term x) { return is_float(x.type()) ? x : x.as(DataType::kDouble); }

/// Shifted by the largest, so that nothing overflows; not by infinities, of which the difference is no number.
Term log_sum_exp(const Reduction& r) {
  const Term x = real_of(r.x);
  const Term largest = r.by("Max", x, true);
  const Term shift = choose(largest.call("IsFinite"), largest, largest.number(0));
  const Term sum = r.by("Sum", (x - shift).call("Exp"));
  const Term back = r.keep ? shift : Term{x.g, x.g->binary("Reshape", shift.x, x.g->unary("Shape", sum.x))};
  return (sum.call("Log") + back).as(r.x.type());
}

using ReduceFunction = Term (*)(const Reduction&);
struct ReduceName {
  std::string_view onnx;
  ReduceFunction compute;
};

constexpr std::array<ReduceName, 10> kReductions = {{
    {"ReduceL1", [](const Reduction& r) { return r.by("Sum", r.x.call("Abs")); }},
    {"ReduceL2",
     [](const Reduction& r) {
       const Term x = real_of(r.x);
       return r.by("Sum", x * x).call("Sqrt").as(r.x.type());
     }},
    {"ReduceLogSum", [](const Reduction& r) { return real_of(r.by("Sum", r.x)).call("Log").as(r.x.type()); }},
    {"ReduceLogSumExp", log_sum_exp},
    {"ReduceMax", [](const Reduction& r) { return extreme(r, "Max", "Any"); }},
    {"ReduceMean", [](const Reduction& r) { return r.by("Mean", r.x); }},
    {"ReduceMin", [](const Reduction& r) { return extreme(r, "Min", "All"); }},
    {"ReduceProd", [](const Reduction& r) { return r.by("Prod", r.x); }},
    {"ReduceSum", [](const Reduction& r) { return r.by("Sum", r.x); }},
    {"ReduceSumSquare", [](const Reduction& r) { return r.by("Sum", r.x * r.x); }},
}};

/// Nothing where they are known only when the graph runs; then there is at least one.
std::optional<Ints> static_axes(Operator& op) {
  if (!op.has(1) || op.integers(1)) return op.list_or_input("axes", 1).value_or(Ints{});
  const std::optional<Ints> shape = op.shape(1);
  if (!shape || shape->size() != 1 || shape->at(0) < 0) op.fail("how many axes is known only when the graph runs");
  return shape->at(0) == 0 ? std::optional(Ints{}) : std::nullopt;
}

}  // namespace

void translate_reduce(Operator& op) {
  const auto* found = std::find_if(kReductions.begin(), kReductions.end(),
                                   [&](const ReduceName& n) { return n.onnx == op.node.op_type; });
  const bool keep = op.integer("keepdims", 1) != 0;
  std::optional<Ints> axes = static_axes(op);
  if (!axes) {
    op.out(0, found->compute({{&op.g, op.in(0)}, op.in(1), keep}).x);
    return;
  }
  const std::size_t rank = op.rank(0);
  if (axes->empty()) {
    if (op.integer("noop_with_empty_axes", 0) != 0) return op.alias(0, 0);
    axes->resize(rank);
    std::iota(axes->begin(), axes->end(), 0);
  }
  for (std::int64_t& a : *axes) a = op.axis(a, rank);
  const bool last = op.is_last(0) && may_stay_last(*axes, rank, keep);
  const TF_Output x = last ? op.in_last(0) : op.in(0);
  for (std::int64_t& a : *axes) a = Operator::place(a, rank, last);
  op.out(0, found->compute({{&op.g, x}, op.g.ints(*axes), keep}).x, last && keep);
}

}  // namespace assay::tensorflow
