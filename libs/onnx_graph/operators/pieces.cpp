// Operators that put tensors together, or take pieces of them.

#include <algorithm>

#include "onnx_graph/operators/operator.hpp"

namespace assay::onnx_graph {

void infer_concat(Operator& op) {
  const std::int64_t given_axis = op.integer("axis", 1);
  std::optional<Dimensions> shape;
  bool whole = true;
  Integers values;
  for (std::size_t i = 0; i < op.node.inputs.size(); ++i) {
    const Dimensions* x = op.shape(i);
    const Integers* part = op.integers(i);
    whole = whole && part != nullptr && values.size() + part->size() <= kMostIntegers;
    if (whole) values.insert(values.end(), part->begin(), part->end());
    if (x == nullptr) return op.output(0, op.element(0), std::nullopt);
    if (!shape) {
      shape = *x;
      continue;
    }
    if (x->size() != shape->size()) throw Mismatch("the inputs differ in rank");
    const std::size_t axis = axis_index(given_axis, x->size());
    for (std::size_t d = 0; d < x->size(); ++d) {
      Dimension& sum = (*shape)[d];
      if (d != axis) {
        sum = same(sum, (*x)[d], "sizes beside the axis");
      } else {
        sum = {sum.known() && (*x)[d].known() ? sum.size + (*x)[d].size : -1, ""};
        if (sum.size > (INT64_MAX >> 8)) throw Mismatch("the result is larger than any memory");
      }
    }
  }
  if (shape) axis_index(given_axis, shape->size());
  const bool vector = shape && shape->size() == 1;
  op.output(0, op.element(0), std::move(shape));
  if (whole && vector) op.output_integers(0, std::move(values));
}

void infer_split(Operator& op) {
  const Dimensions* x = op.shape(0);
  const std::size_t parts = op.node.outputs.size();
  const auto lengths = op.list_or_input("split", 1);
  const std::int64_t given_axis = op.integer("axis", 0);
  const Integers* values = op.integers(0);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < parts; ++i) {
    if (x == nullptr) {
      op.output(i, op.element(0), std::nullopt);
      continue;
    }
    Dimensions shape = *x;
    Dimension& axis = shape[axis_index(given_axis, shape.size())];
    std::int64_t length = -1;
    if (lengths && !lengths->empty()) {
      if (lengths->size() != parts) throw Mismatch("split has not as many parts as there are outputs");
      length = std::max<std::int64_t>((*lengths)[i], -1);
    } else if (lengths && axis.known()) {
      // Equal parts, the last one short where they do not fit (opset 18).
      const auto n = static_cast<std::int64_t>(parts);
      const std::int64_t each = (axis.size + n - 1) / n;
      length = std::clamp<std::int64_t>(axis.size - static_cast<std::int64_t>(i) * each, 0, each);
    }
    axis = {length, ""};
    const bool vector = shape.size() == 1;
    op.output(i, op.element(0), std::move(shape));
    if (values != nullptr && vector && length >= 0 && length <= static_cast<std::int64_t>(values->size()) - begin) {
      op.output_integers(i, Integers(values->begin() + begin, values->begin() + begin + length));
      begin += length;
    } else {
      values = nullptr;
    }
  }
}

namespace {

struct SliceAxis {
  std::int64_t start, end, step;
};

/// Clamped as ONNX says.
SliceAxis clamp_slice(SliceAxis s, std::int64_t size) {
  if (s.step == 0) throw Mismatch("a step is 0");
  const auto from_end = [size](std::int64_t i) { return i < 0 ? (i < -size ? -1 : i + size) : i; };
  const bool start_below = s.start < -size, end_below = s.end < -size;
  if (s.step > 0) {
    s.start = start_below ? 0 : std::clamp<std::int64_t>(from_end(s.start), 0, size);
    s.end = end_below ? 0 : std::clamp<std::int64_t>(from_end(s.end), 0, size);
  } else {
    s.start = start_below ? 0 : std::clamp<std::int64_t>(from_end(s.start), 0, std::max<std::int64_t>(size - 1, 0));
    s.end = end_below ? -1 : std::clamp<std::int64_t>(from_end(s.end), -1, size);
  }
  return s;
}

std::int64_t slice_length(const SliceAxis& s) {
  if (s.step > 0) return s.end > s.start ? (s.end - s.start - 1) / s.step + 1 : 0;
  return s.start > s.end ? (s.start - s.end - 1) / -(s.step + (s.step == INT64_MIN ? 1 : 0)) + 1 : 0;
}

void slice_integers(Operator& op, SliceAxis s) {
  const Integers* values = op.integers(0);
  if (values == nullptr || op.shape(0) == nullptr || op.shape(0)->size() != 1) return;
  s = clamp_slice(s, static_cast<std::int64_t>(values->size()));
  Integers result;
  const std::int64_t n = values->empty() ? 0 : slice_length(s);
  for (std::int64_t i = 0; i < n; ++i) result.push_back(values->at(static_cast<std::size_t>(s.start + i * s.step)));
  op.output_integers(0, std::move(result));
}

}  // namespace

void infer_slice(Operator& op) {
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return op.output(0, op.element(0), std::nullopt);
  const auto starts = op.list_or_input("starts", 1), ends = op.list_or_input("ends", 2);
  const auto given_axes = op.list_or_input("axes", 3), given_steps = op.list_or_input("steps", 4);
  Dimensions shape = *x;
  if (!given_axes || (given_axes->empty() && (!starts || !ends)))
    return op.output(0, op.element(0), unknown(x->size()));
  std::vector<std::int64_t> axes = *given_axes;
  if (axes.empty() && starts) {
    for (std::size_t i = 0; i < starts->size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  if (!starts || !ends || !given_steps) {
    for (const std::int64_t axis : axes) shape[axis_index(axis, x->size())] = {};
    return op.output(0, op.element(0), std::move(shape));
  }
  const std::vector<std::int64_t> steps =
      given_steps->empty() ? std::vector<std::int64_t>(axes.size(), 1) : *given_steps;
  if (starts->size() != axes.size() || ends->size() != axes.size() || steps.size() != axes.size()) {
    throw Mismatch("starts, ends, axes and steps differ in length");
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const SliceAxis s{(*starts)[i], (*ends)[i], steps[i]};
    if (s.step == 0) throw Mismatch("a step is 0");
    Dimension& d = shape[axis_index(axes[i], shape.size())];
    if (!d.known()) {
      const bool everything = s.start == 0 && s.end >= INT32_MAX && s.step == 1;
      if (!everything) d.name.clear();
    } else {
      d = {slice_length(clamp_slice(s, d.size)), ""};
    }
  }
  op.output(0, op.element(0), std::move(shape));
  if (axes.size() == 1) slice_integers(op, {(*starts)[0], (*ends)[0], steps[0]});
}

void infer_gather(Operator& op) {
  const Dimensions *x = op.shape(0), *indices = op.shape(1);
  if (x == nullptr || indices == nullptr) return op.output(0, op.element(0), std::nullopt);
  const std::size_t axis = axis_index(op.integer("axis", 0), x->size());
  Dimensions shape(x->begin(), x->begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices->begin(), indices->end());
  shape.insert(shape.end(), x->begin() + static_cast<std::ptrdiff_t>(axis) + 1, x->end());
  op.output(0, op.element(0), std::move(shape));
  const Integers* values = op.integers(0);
  const auto which = op.known_integers(1);
  if (values == nullptr || !which || x->size() != 1 || indices->size() > 1) return;
  Integers result;
  for (const std::int64_t i : *which) result.push_back((*values)[axis_index(i, values->size())]);
  op.output_integers(0, std::move(result));
}

void infer_gather_elements(Operator& op) {
  const Dimensions* indices = op.shape(1);
  op.output(0, op.element(0), indices != nullptr ? std::optional(*indices) : std::nullopt);
}

void infer_gather_nd(Operator& op) {
  const Dimensions *x = op.shape(0), *indices = op.shape(1);
  if (x == nullptr || indices == nullptr || indices->empty() || !indices->back().known()) {
    return op.output(0, op.element(0), std::nullopt);
  }
  const std::int64_t batch = op.integer("batch_dims", 0), used = indices->back().size;
  const auto rank = static_cast<std::int64_t>(x->size());
  if (batch < 0 || batch > rank || used > rank - batch) throw Mismatch("the indices do not fit the data");
  Dimensions shape(indices->begin(), indices->end() - 1);
  shape.insert(shape.end(), x->begin() + batch + used, x->end());
  op.output(0, op.element(0), std::move(shape));
}

void infer_pad(Operator& op) {
  const Dimensions* x = op.shape(0);
  if (x == nullptr) return op.output(0, op.element(0), std::nullopt);
  const auto pads = op.opset() < 2 ? op.list("paddings") : op.list_or_input("pads", 1);
  auto axes = op.list_or_input("axes", 3);
  if (!pads || !axes) return op.output(0, op.element(0), unknown(x->size()));
  if (axes->empty()) {
    for (std::size_t i = 0; i < x->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (pads->size() != 2 * axes->size()) throw Mismatch("there are not two pads per axis");
  Dimensions shape = *x;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const std::int64_t before = (*pads)[i], after = (*pads)[i + axes->size()];
    if (std::max(before, after) > kLargestSize || std::min(before, after) < -kLargestSize)
      throw Mismatch("a pad is out of range");
    if (before == 0 && after == 0) continue;
    Dimension& d = shape[axis_index((*axes)[i], shape.size())];
    d = {d.known() ? d.size + before + after : -1, ""};
    if (d.size < -1) throw Mismatch("a pad takes more than there is");
  }
  op.output(0, op.element(0), std::move(shape));
}

void infer_one_hot(Operator& op) {
  const Dimensions* indices = op.shape(0);
  std::optional<Dimensions> shape;
  if (indices != nullptr) {
    shape = *indices;
    const auto depth = op.known_integers(1);
    const std::size_t axis = axis_index(op.integer("axis", -1), shape->size() + 1);
    const bool known = depth && depth->size() == 1 && depth->at(0) >= 0;
    shape->insert(shape->begin() + static_cast<std::ptrdiff_t>(axis), Dimension{known ? depth->at(0) : -1, ""});
  }
  op.output(0, op.element(2), std::move(shape));
}

void infer_non_zero(Operator& op) {
  const Dimensions* x = op.shape(0);
  op.output(0, ElementType::kInt64,
            x != nullptr ? Dimensions{{std::max<std::int64_t>(1, static_cast<std::int64_t>(x->size())), ""}, {}}
                         : unknown(2));
}

void infer_compress(Operator& op) {
  const Dimensions* x = op.shape(0);
  if (!op.has_attribute("axis")) return op.output(0, op.element(0), unknown(1));
  if (x == nullptr) return op.output(0, op.element(0), std::nullopt);
  Dimensions shape = *x;
  shape[axis_index(op.integer("axis", 0), shape.size())] = {};
  op.output(0, op.element(0), std::move(shape));
}

}  // namespace assay::onnx_graph
