#include "engine/work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/strided.hpp"

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

/// Marks a thread as in a callback, for as long as it lives. Callbacks may be within those of other sessions.
class InCallback {
 public:
  explicit InCallback(const Layout& layout) : layout_(&layout), outer_(std::exchange(innermost, this)) {}
  ~InCallback() { innermost = outer_; }
  InCallback(const InCallback&) = delete;
  InCallback& operator=(const InCallback&) = delete;
  static bool of(const Layout& layout) {
    const InCallback* one = innermost;
    while (one != nullptr && one->layout_ != &layout) one = one->outer_;
    return one != nullptr;
  }

 private:
  static inline thread_local const InCallback* innermost = nullptr;
  const Layout* layout_;
  const InCallback* outer_;
};

}  // namespace

void check_not_in_callback(const Layout& layout) {
  if (!InCallback::of(layout)) return;
  throw Error(ErrorCode::kInvalidArgument,
              "predict was called from a fill or drain function of the same session, which would wait for itself: call "
              "it when predict_stream has returned, or load a second session");
}

PredictWork::PredictWork(const Layout& layout, std::int64_t samples, std::span<const TensorView> x,
                         std::span<const MutableTensorView> y)
    : layout_(layout), samples_(samples), x_(x), y_(y) {
  if (layout.any_from_run) pieces_.resize(layout.outputs.size());
}

void PredictWork::fill(Unit& unit) {
  const BatchRecord& r = unit.record;
  const bool full = r.count == unit.group.count;
  for (std::size_t i = 0; i < x_.size(); ++i) {
    const TensorLayout& t = layout_.inputs[i];
    const bool fits = !layout_.staged && (full || t.info.batch_axis < 0);
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
    const bool fits = !layout_.staged && t.sized && (full || t.info.batch_axis < 0);
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
    if (t.sized && slice(y, t, r.first, r.count) == outputs[i].data) continue;
    if (!t.sized) check_room(i, outputs[i], r);  // only now is the shape known
    const Block to{static_cast<std::byte*>(y.data), &y.shape, &y.strides, r.first};
    const int axis = r.count == samples_ ? -1 : t.info.batch_axis;  // a single batch is all of it
    copy_block(to, reading(outputs[i], 0), axis, r.count, t.element_size);
  }
}

/// The caller's memory for an output that only the run told the shape of: as long as all samples along the batch axis,
/// along which the batch has a row for each of its own; the same elsewhere.
void PredictWork::check_room(std::size_t i, const TensorView& output, const BatchRecord& record) const {
  const TensorLayout& t = layout_.outputs[i];
  const Shape& room = y_[i].shape;
  const bool single = record.count == samples_;
  bool fits = room.size() == output.shape.size() &&
              (single || (t.info.batch_axis >= 0 && static_cast<std::size_t>(t.info.batch_axis) < room.size()));
  for (std::size_t a = 0; fits && a < room.size(); ++a) {
    const bool batch = !single && static_cast<int>(a) == t.info.batch_axis;
    fits = batch ? output.shape[a] == record.count && room[a] == samples_ : output.shape[a] == room[a];
  }
  if (fits) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("memory of shape {} was given for {} samples, but {} samples gave {}", to_string(room),
                          samples_, record.count, to_string(output.shape)),
              t.info.name);
}

bool PredictWork::all_in_place(std::int64_t batch) const {
  if (layout_.staged) return false;
  for (std::size_t i = 0; i < x_.size(); ++i) {
    if (slice(x_[i], layout_.inputs[i], 0, batch) == nullptr) return false;
  }
  for (std::size_t i = 0; i < y_.size(); ++i) {
    if (!layout_.outputs[i].sized || slice(y_[i], layout_.outputs[i], 0, batch) == nullptr) return false;
  }
  return true;
}

void PredictWork::collect(std::size_t i, const TensorView& output, std::int64_t count) {
  Tensor piece(output.dtype, output.shape);
  const Shape shape = piece.shape();
  copy_block({static_cast<std::byte*>(piece.data()), &shape, &kContiguous, 0}, reading(output, 0), -1, 1,
             size_of(output.dtype));
  pieces_[i].push_back({std::move(piece), count});
}

Tensor PredictWork::collected(std::size_t i) {
  const TensorLayout& t = layout_.outputs[i];
  std::vector<Piece>& pieces = pieces_[i];
  if (pieces.empty()) {  // no sample: axes that nothing says are 0 long
    Shape shape = t.info.rank_known ? t.with_count(0) : Shape{0};
    std::replace(shape.begin(), shape.end(), std::int64_t{-1}, std::int64_t{0});
    return {t.info.dtype, shape};
  }
  if (pieces.size() == 1) return std::move(pieces[0].values);
  const auto axis = static_cast<std::size_t>(t.info.batch_axis);
  Shape whole_shape = pieces[0].values.shape();
  if (axis < whole_shape.size()) whole_shape[axis] = samples_;
  for (const Piece& piece : pieces) {
    Shape expected = whole_shape;
    if (axis < expected.size()) expected[axis] = piece.count;
    if (axis >= expected.size() || piece.values.shape() != expected) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("batches of {} and {} samples gave outputs of shapes {} and {}, which cannot be put "
                              "together along axis {}: ask for one batch at a time, or load with a batch size of 0",
                              pieces[0].count, piece.count, to_string(pieces[0].values.shape()),
                              to_string(piece.values.shape()), axis),
                  t.info.name);
    }
  }
  Tensor whole(t.info.dtype, whole_shape);
  std::int64_t at = 0;
  for (const Piece& piece : pieces) {
    const TensorView from = piece.values.view();
    copy_block({static_cast<std::byte*>(whole.data()), &whole.shape(), &kContiguous, at}, reading(from, 0),
               t.info.batch_axis, piece.count, t.element_size);
    at += piece.count;
  }
  return whole;
}

void StreamWork::fill(Unit& unit) {
  {
    const InCallback mark(layout_);
    fill_(unit.record.first, unit.record.count, unit.fill_views(unit.record.count));
  }
  unit.pad_inputs();
  for (std::size_t i = 0; i < layout_.outputs.size(); ++i) unit.bind_own_output(i);
}

void StreamWork::drain(Unit& unit) {
  if (!drain_) return;
  const InCallback mark(layout_);
  drain_(unit.record.first, unit.record.count, unit.drain_views());
}

}  // namespace assay::engine
