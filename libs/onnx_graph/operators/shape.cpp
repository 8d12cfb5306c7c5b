// Operators that change a tensor's shape, or ask for it.

#include <algorithm>

#include "onnx_graph/operators/operator.hpp"

namespace assay::onnx_graph {

void infer_shape(Operator& op) {
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return op.output(0, ElementType::kInt64, unknown(1));
  const auto rank = static_cast<std::int64_t>(x->size());
  const auto clamp = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const std::int64_t start = clamp(op.integer("start", 0)), end = clamp(op.integer("end", rank));
  Integers values;
  for (std::int64_t i = start; i < end; ++i) {
    const Dimension& d = (*x)[static_cast<std::size_t>(i)];
    values.push_back({d.known() ? std::optional(d.size) : std::nullopt, d.name});
  }
  op.output(0, ElementType::kInt64, sizes({static_cast<std::int64_t>(values.size())}));
  op.output_integers(0, std::move(values));
}

void infer_size(Operator& op) {
  op.output(0, ElementType::kInt64, Dimensions{});
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return;
  const std::int64_t count = product(*x);
  if (count >= 0) op.output_integers(0, {Integer{count, ""}});
}

namespace {

/// What stands for -1: what is left of the input when the other targets are taken out. Axes that are free on both sides
/// under one name cancel each other.
Dimension remaining(const Dimensions& x, const Dimensions& target, std::size_t hole) {
  Dimensions in = x, out = target;
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(hole));
  const auto cancel = [&](const auto& matches) {
    for (auto i = in.begin(); i != in.end();) {
      const auto o = std::find_if(out.begin(), out.end(), [&](const Dimension& d) { return matches(*i, d); });
      if (o == out.end()) {
        ++i;
      } else {
        out.erase(o);
        i = in.erase(i);
      }
    }
  };
  cancel([](const Dimension& a, const Dimension& b) {
    return !a.known() && !b.known() && !a.name.empty() && a.name == b.name;
  });
  const auto take_free = [](Dimensions& from) {
    Dimensions free;
    for (const Dimension& d : from) {
      if (!d.known()) free.push_back(d);
    }
    std::erase_if(from, [](const Dimension& d) { return !d.known(); });
    return free;
  };
  const Dimensions free_in = take_free(in), free_out = take_free(out);
  const std::int64_t all = product(in), taken = product(out);
  if (!free_out.empty() || free_in.size() > 1) return {};
  if (free_in.size() == 1) return all == taken ? free_in[0] : Dimension{};
  if (taken == 0) return {};
  if (all % taken != 0) throw Mismatch("the elements do not fit the new shape");
  return {all / taken, ""};
}

}  // namespace

void infer_reshape(Operator& op) {
  infer_same(op);  // the type; the shape is replaced below
  const Dimensions* x = op.shape(0);
  const Integers* to = op.integers(1);
  Integers from_attribute;  // opset 1
  if (!op.has(1)) {
    for (const std::int64_t v : op.list("shape")) from_attribute.push_back({v, ""});
    to = &from_attribute;
  }
  if (to == nullptr) {
    const Dimensions* rank = op.shape(1);
    const bool known = rank != nullptr && rank->size() == 1 && (*rank)[0].known() && (*rank)[0].size <= kMostAxes;
    return op.output(0, op.element(0),
                     known ? std::optional(unknown(static_cast<std::size_t>((*rank)[0].size))) : std::nullopt);
  }
  const bool zero_copies = op.integer("allowzero", 0) == 0;
  Dimensions shape;
  std::optional<std::size_t> hole;
  for (std::size_t i = 0; i < to->size(); ++i) {
    const Integer& t = (*to)[i];
    if (t.value == 0 && zero_copies) {
      if (x != nullptr && i >= x->size()) throw Mismatch("the new shape copies an axis that the input does not have");
      shape.push_back(x != nullptr ? (*x)[i] : Dimension{});
      // A free axis without a name is still the same axis: give remaining() something to see that by.
      if (!shape.back().known() && shape.back().name.empty() && x != nullptr)
        shape.back().name = "\x01" + std::to_string(i);
    } else if (t.value == -1) {
      if (hole) throw Mismatch("the new shape has -1 twice");
      hole = i;
      shape.emplace_back();
    } else {
      if (t.value && *t.value < 0) throw Mismatch("the new shape has a negative size");
      shape.push_back({t.value.value_or(-1), t.name});
    }
  }
  if (x != nullptr && hole) {
    Dimensions named = *x;
    for (std::size_t i = 0; i < named.size(); ++i) {
      if (!named[i].known() && named[i].name.empty()) named[i].name = "\x01" + std::to_string(i);
    }
    shape[*hole] = remaining(named, shape, *hole);
  } else if (x != nullptr) {
    const std::int64_t before = product(*x), after = product(shape);
    if (before >= 0 && after >= 0 && before != after) throw Mismatch("the elements do not fit the new shape");
  }
  for (Dimension& d : shape) {
    if (!d.name.empty() && d.name[0] == '\x01') d.name.clear();
  }
  op.output(0, op.element(0), shape);
  const Integers* values = op.integers(0);
  if (values != nullptr && shape.size() <= 1) op.output_integers(0, *values);
}

void infer_flatten(Operator& op) {
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return op.output(0, op.element(0), unknown(2));
  const std::int64_t given = op.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(x->size());
  if (given < -rank || given > rank) throw Mismatch("axis is out of range");
  const auto axis = static_cast<std::size_t>(given < 0 ? given + rank : given);
  const auto fold = [&](std::size_t begin, std::size_t end) {
    // One free axis among ones keeps its name.
    Dimension result{1, ""};
    for (std::size_t i = begin; i < end; ++i) {
      const Dimension& d = (*x)[i];
      if (result.size == 1) {
        result = d;
      } else if (d.size != 1) {
        result = result.known() && d.known() ? Dimension{multiply(result.size, d.size), ""} : Dimension{};
      }
    }
    return result;
  };
  op.output(0, op.element(0), Dimensions{fold(0, axis), fold(axis, x->size())});
}

void infer_squeeze(Operator& op) {
  const Dimensions* x = op.shape(0);
  const auto axes = op.list_or_input("axes", 1);
  if (x == nullptr || !axes) return op.output(0, op.element(0), std::nullopt);
  std::vector<std::size_t> gone = axis_indices(*axes, x->size());
  const bool all = gone.empty() && !op.has(1) && !op.has_attribute("axes");
  Dimensions shape;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const Dimension& d = (*x)[i];
    if (all && !d.known()) return op.output(0, op.element(0), std::nullopt);
    const bool named = std::find(gone.begin(), gone.end(), i) != gone.end();
    if (named && d.known() && d.size != 1) throw Mismatch("an axis that is squeezed is not 1");
    if (!named && !(all && d.size == 1)) shape.push_back(d);
  }
  op.output(0, op.element(0), std::move(shape));
  if (const Integers* values = op.integers(0)) op.output_integers(0, *values);
}

void infer_unsqueeze(Operator& op) {
  const Dimensions* x = op.shape(0);
  const auto axes = op.list_or_input("axes", 1);
  if (x == nullptr || !axes) return op.output(0, op.element(0), std::nullopt);
  const std::size_t rank = x->size() + axes->size();
  const std::vector<std::size_t> fresh = axis_indices(*axes, rank);
  if (fresh.size() != axes->size()) throw Mismatch("axes has one axis twice");
  Dimensions shape;
  auto next = x->begin();
  for (std::size_t i = 0; i < rank; ++i) {
    const bool is_new = std::find(fresh.begin(), fresh.end(), i) != fresh.end();
    shape.push_back(is_new ? Dimension{1, ""} : *next++);
  }
  op.output(0, op.element(0), std::move(shape));
  const Integers* values = op.integers(0);
  if (values != nullptr && rank <= 1) op.output_integers(0, *values);
}

void infer_transpose(Operator& op) {
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return op.output(0, op.element(0), std::nullopt);
  std::vector<std::int64_t> order = op.list("perm");
  if (order.empty()) {
    for (std::size_t i = x->size(); i > 0; --i) order.push_back(static_cast<std::int64_t>(i - 1));
  }
  if (order.size() != x->size() || axis_indices(order, x->size()).size() != x->size()) {
    throw Mismatch("perm is no permutation of the input's axes");
  }
  Dimensions shape;
  for (const std::int64_t axis : order) shape.push_back((*x)[axis_index(axis, x->size())]);
  op.output(0, op.element(0), std::move(shape));
}

void infer_tile(Operator& op) {
  const Dimensions* x = op.shape(0);
  const Integers* repeats = op.integers(1);
  if (x == nullptr || repeats == nullptr) {
    return op.output(0, op.element(0), x != nullptr ? std::optional(unknown(x->size())) : std::nullopt);
  }
  if (repeats->size() != x->size()) throw Mismatch("there are not as many repeats as axes");
  Dimensions shape = *x;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto n = (*repeats)[i].value;
    if (n && *n < 0) throw Mismatch("a repeat is negative");
    if (n == 1) continue;
    shape[i] = {n && shape[i].known() ? multiply(shape[i].size, *n) : -1, ""};
  }
  op.output(0, op.element(0), std::move(shape));
}

namespace {

void move_depth(Operator& op, bool to_space) {
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return op.output(0, op.element(0), unknown(4));
  const std::int64_t block = op.integer("blocksize", 0);
  if (x->size() != 4 || block < 1 || block > (1 << 20)) throw Mismatch("not four axes, or no valid blocksize");
  const auto times = [&](const Dimension& d, std::int64_t by) {
    return Dimension{d.known() ? multiply(d.size, by) : -1, ""};
  };
  const auto over = [&](const Dimension& d, std::int64_t by) {
    if (d.known() && d.size % by != 0) throw Mismatch("a size is no multiple of the block's");
    return Dimension{d.known() ? d.size / by : -1, ""};
  };
  const Dimensions& d = *x;
  op.output(0, op.element(0),
            to_space ? Dimensions{d[0], over(d[1], block * block), times(d[2], block), times(d[3], block)}
                     : Dimensions{d[0], times(d[1], block * block), over(d[2], block), over(d[3], block)});
}

}  // namespace

void infer_depth_to_space(Operator& op) { move_depth(op, true); }
void infer_space_to_depth(Operator& op) { move_depth(op, false); }

}  // namespace assay::onnx_graph
