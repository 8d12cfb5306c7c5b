// What predict refuses, and how it says so.

#include <fmt/format.h>

#include <algorithm>

#include "core/strided.hpp"
#include "engine/work.hpp"

namespace assay::engine {
namespace {

/// The shape that is asked for, with what may differ left open.
std::string asked(const TensorLayout& t) { return std::string(to_string(t.info.dtype)) + " " + to_string(t.shape); }

/// A first axis that the model fixes may be the batch all the same: batches are then filled up to its length.
std::string batch_advice(const TensorLayout& t, std::size_t axis) {
  if (axis != 0 || t.info.batch_axis >= 0) return "";
  return fmt::format(
      "; if this axis is the batch, which the model fixes at {}, load with --batch-axis {}=0 "
      "(Params::batch_axis) for any number of samples",
      t.shape[0], t.info.name);
}

template <class View>
void check_view(const TensorLayout& t, const View& view, const char* kind) {
  if (view.dtype != t.info.dtype) {
    refuse(fmt::format("the {} is {}, but {} was given; values are never converted silently: convert them first", kind,
                       asked(t), to_string(view.dtype)),
           t.info.name);
  }
  const bool any_rank = !t.info.rank_known;
  if (view.shape.size() != t.shape.size() && !any_rank) {
    refuse(fmt::format("the {} is {} ({} axes), but a shape of {} ({} axes) was given", kind, asked(t), t.shape.size(),
                       to_string(view.shape), view.shape.size()),
           t.info.name);
  }
  if (view.shape.size() > kMaxRank) refuse(fmt::format("more than {} axes were given", kMaxRank), t.info.name);
  if (!view.strides.empty() && view.strides.size() != view.shape.size()) {
    refuse(fmt::format("{} strides were given for {} axes", view.strides.size(), view.shape.size()), t.info.name);
  }
  std::int64_t elements = 1;
  bool empty = false;
  for (std::size_t a = 0; a < view.shape.size(); ++a) {
    const std::int64_t expected = any_rank ? -1 : t.shape[a];
    const std::int64_t found = view.shape[a];
    if (found < 0 || (expected >= 0 && found != expected)) {
      const std::string message =
          fmt::format("the {} is {}, but a shape of {} was given (axis {})", kind, asked(t), to_string(view.shape), a);
      refuse(found >= 0 ? message + batch_advice(t, a) : message, t.info.name);
    }
    empty = empty || found == 0;
    if (__builtin_mul_overflow(elements, std::max<std::int64_t>(found, 1), &elements)) {
      refuse(fmt::format("a shape of {} has too many elements", to_string(view.shape)), t.info.name);
    }
  }
  if (view.data == nullptr && !empty) refuse(fmt::format("no memory was given for the {}", kind), t.info.name);
}

void check_number(std::size_t given, const std::vector<TensorLayout>& tensors, const char* kind) {
  if (given == tensors.size()) return;
  refuse(fmt::format("{} {}s were given, but the model has {}: {}", given, kind, tensors.size(), quoted_names(tensors)),
         "");
}

ByteRange range_of(const TensorLayout& t, const void* data, const Shape& shape, const Shape& strides) {
  return byte_range(data, t.element_size, shape, strides);
}

}  // namespace

std::int64_t check_inputs(const Layout& layout, std::span<const TensorView> x) {
  check_number(x.size(), layout.inputs, "input");
  std::int64_t samples = layout.batched ? -1 : 1;
  std::size_t first = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const TensorLayout& t = layout.inputs[i];
    check_view(t, x[i], "input");
    if (t.info.batch_axis < 0) continue;
    const std::int64_t found = x[i].shape[static_cast<std::size_t>(t.info.batch_axis)];
    if (samples >= 0 && found != samples) {
      refuse(fmt::format("{} samples were given, but {} for '{}': every input needs as many", found, samples,
                         layout.inputs[first].info.name),
             t.info.name);
    }
    if (samples < 0) first = i;
    samples = found;
  }
  return samples;
}

void check_outputs(const Layout& layout, std::int64_t samples, std::span<const TensorView> x,
                   std::span<const MutableTensorView> y) {
  check_number(y.size(), layout.outputs, "output");
  for (std::size_t i = 0; i < y.size(); ++i) {
    const TensorLayout& t = layout.outputs[i];
    check_view(t, y[i], "output");
    const int axis = t.info.batch_axis;
    if (t.info.rank_known && axis >= 0 && y[i].shape[static_cast<std::size_t>(axis)] != samples) {
      refuse(fmt::format("memory of shape {} was given for {} samples", to_string(y[i].shape), samples), t.info.name);
    }
    for (std::size_t a = 0; a < y[i].strides.size(); ++a) {
      if (y[i].strides[a] == 0 && y[i].shape[a] > 1) {
        refuse(fmt::format("memory with a stride of 0 along axis {} cannot be written to", a), t.info.name);
      }
    }
    const ByteRange mine = range_of(t, y[i].data, y[i].shape, y[i].strides);
    for (std::size_t j = 0; j < x.size(); ++j) {
      if (mine.overlaps(range_of(layout.inputs[j], x[j].data, x[j].shape, x[j].strides))) {
        refuse(fmt::format("its memory overlaps that of input '{}', which is still read while batches are written",
                           layout.inputs[j].info.name),
               t.info.name);
      }
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (mine.overlaps(range_of(layout.outputs[j], y[j].data, y[j].shape, y[j].strides))) {
        refuse(fmt::format("its memory overlaps that of output '{}'", layout.outputs[j].info.name), t.info.name);
      }
    }
  }
}

void check_divisible(const Layout& layout, std::int64_t samples, std::int64_t batch) {
  if (samples > 0 && samples <= batch) return;
  for (const TensorLayout& t : layout.outputs) {
    if (t.info.batch_axis >= 0 || (samples == 0 && !t.sized)) continue;
    const std::string way_out =
        fmt::format("say which axis it is (--batch-axis {}=K, Params::batch_axis)", t.info.name);
    if (samples == 0) {
      refuse(fmt::format("0 samples were given, and this output has no batch axis along which there could be none of "
                         "theirs: give at least one sample, or {}",
                         way_out),
             t.info.name);
    }
    refuse(
        fmt::format(
            "{} samples make several batches of {}, and this output has no batch axis along which theirs "
            "could be put together: give at most {} at once, load with a batch size of 0 (--batch-size model), or {}",
            samples, batch, batch, way_out),
        t.info.name);
  }
}

}  // namespace assay::engine
