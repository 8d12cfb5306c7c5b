#include "engine/work.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/strided.hpp"

namespace assay::engine {
namespace {

const Shape kContiguous;

/// Where samples [first, first + count) lie in one piece and as the engine wants them, else nullptr.
template <class View>
const std::byte* slice(const View& view, const TensorLayout& t, std::int64_t first, std::int64_t count) {
  return contiguous_slice(view.data, t.element_size, view.shape, view.strides, t.info.batch_axis, first, count);
}

/// A block to read; copy_block never writes to its second block.
Block reading(const TensorView& view, std::int64_t first) {
  return {static_cast<std::byte*>(const_cast<void*>(view.data)), &view.shape, &view.strides, first};
}

}  // namespace

PredictWork::PredictWork(const Layout& layout, std::span<const TensorView> x, std::span<const MutableTensorView> y)
    : layout_(layout), x_(x), y_(y) {
  if (layout.any_from_run) pieces_.resize(layout.outputs.size());
}

void PredictWork::fill(Unit& unit) {
  const BatchRecord& r = unit.record;
  const bool full = r.count == unit.group.count;
  for (std::size_t i = 0; i < x_.size(); ++i) {
    const TensorLayout& t = layout_.inputs[i];
    const bool fits = full || t.info.batch_axis < 0;
    if (const std::byte* here = fits ? slice(x_[i], t, r.first, r.count) : nullptr) {
      unit.bind_input(i, here);
      continue;
    }
    const Block to{unit.input_buffer(i), &unit.group.inputs[i], &kContiguous, 0};
    copy_block(to, reading(x_[i], r.first), t.info.batch_axis, r.count, t.element_size);
  }
  unit.pad_inputs();
  for (std::size_t i = 0; i < y_.size(); ++i) {
    const TensorLayout& t = layout_.outputs[i];
    const bool fits = t.sized && (full || t.info.batch_axis < 0);
    if (const std::byte* here = fits ? slice(y_[i], t, r.first, r.count) : nullptr) {
      unit.bind_output(i, const_cast<std::byte*>(here));
    } else {
      unit.bind_own_output(i);
    }
  }
}

void PredictWork::drain(Unit& unit) {
  const BatchRecord& r = unit.record;
  const std::span<const TensorView> outputs = unit.drain_views();
  for (std::size_t i = 0; i < y_.size(); ++i) {
    const TensorLayout& t = layout_.outputs[i];
    const MutableTensorView& y = y_[i];
    if (!t.sized && y.data == nullptr) {
      collect(i, outputs[i], r.count);
      continue;
    }
    const int axis = t.info.batch_axis;
    if (t.sized && slice(y, t, r.first, r.count) == outputs[i].data) continue;
    const Block to{static_cast<std::byte*>(y.data), &y.shape, &y.strides, r.first};
    if (!t.sized) {  // only now is the shape known
      Shape expected = y.shape;
      if (axis >= 0 && static_cast<std::size_t>(axis) < expected.size()) expected[axis] = r.count;
      if (expected != outputs[i].shape) {
        throw Error(ErrorCode::kInvalidArgument,
                    fmt::format("memory of shape {} was given, but {} samples gave {}", to_string(y.shape), r.count,
                                to_string(outputs[i].shape)),
                    t.info.name);
      }
    }
    copy_block(to, reading(outputs[i], 0), axis, axis >= 0 ? outputs[i].shape[axis] : 1, t.element_size);
  }
}

bool PredictWork::all_in_place(std::int64_t batch) const {
  for (std::size_t i = 0; i < x_.size(); ++i) {
    if (slice(x_[i], layout_.inputs[i], 0, batch) == nullptr) return false;
  }
  for (std::size_t i = 0; i < y_.size(); ++i) {
    if (!layout_.outputs[i].sized || slice(y_[i], layout_.outputs[i], 0, batch) == nullptr) return false;
  }
  return true;
}

void PredictWork::collect(std::size_t i, const TensorView& output, std::int64_t /*count*/) {
  Tensor piece(output.dtype, output.shape);
  const Shape shape = piece.shape();
  copy_block({static_cast<std::byte*>(piece.data()), &shape, &kContiguous, 0}, reading(output, 0), -1, 1,
             size_of(output.dtype));
  pieces_[i].push_back(std::move(piece));
}

Tensor PredictWork::collected(std::size_t i) {
  const TensorLayout& t = layout_.outputs[i];
  std::vector<Tensor>& pieces = pieces_[i];
  if (pieces.empty()) {  // no sample: axes that nothing says are 0 long
    Shape shape = t.with_count(0);
    std::replace(shape.begin(), shape.end(), std::int64_t{-1}, std::int64_t{0});
    return {t.info.dtype, shape};
  }
  if (pieces.size() == 1) return std::move(pieces[0]);
  const auto axis = static_cast<std::size_t>(t.info.batch_axis);
  Shape shape = pieces[0].shape();
  for (std::size_t p = 1; p < pieces.size(); ++p) {
    Shape other = pieces[p].shape();
    const bool fits = axis < shape.size() && other.size() == shape.size();
    const std::int64_t longer = fits ? other[axis] : 0;
    if (fits) other[axis] = shape[axis];
    if (!fits || other != shape) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("the batches gave outputs of shapes {} and {}, which cannot be put together along axis "
                              "{}: ask for one batch at a time, or load with a batch size of 0",
                              to_string(pieces[0].shape()), to_string(pieces[p].shape()), axis),
                  t.info.name);
    }
    shape[axis] += longer;
  }
  Tensor whole(t.info.dtype, shape);
  std::int64_t at = 0;
  for (const Tensor& piece : pieces) {
    const TensorView from = piece.view();
    copy_block({static_cast<std::byte*>(whole.data()), &whole.shape(), &kContiguous, at}, reading(from, 0),
               t.info.batch_axis, piece.shape()[axis], t.element_size);
    at += piece.shape()[axis];
  }
  return whole;
}

void StreamWork::fill(Unit& unit) {
  fill_(unit.record.first, unit.record.count, unit.fill_views(unit.record.count));
  unit.pad_inputs();
  for (std::size_t i = 0; i < layout_.outputs.size(); ++i) unit.bind_own_output(i);
}

void StreamWork::drain(Unit& unit) {
  if (drain_) drain_(unit.record.first, unit.record.count, unit.drain_views());
}

}  // namespace assay::engine
