#include "engine/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "core/strided.hpp"

namespace assay::engine {

void refuse(const std::string& message, const std::string& tensor) {
  throw Error(ErrorCode::kInvalidArgument, message, tensor);
}

namespace {

template <class Tensors>
auto find_by_name(Tensors& tensors, const std::string& name) {
  return std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.info.name == name; });
}

TensorLayout plain_layout(const TensorInfo& info) {
  if (info.shape.size() > kMaxRank) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("a tensor of {} axes; at most {} are supported", info.shape.size(), kMaxRank), info.name);
  }
  return {.info = info, .shape = info.shape, .element_size = size_of(info.dtype), .sized = true};
}

void check_batch_axis(const TensorLayout& t, int axis) {
  const int rank = static_cast<int>(t.shape.size());
  if (axis < -1) {
    refuse(fmt::format("the batch axis was said to be {}: choose one from 0, or none", axis), t.info.name);
  }
  if (t.info.rank_known && axis >= rank) {
    refuse(fmt::format("the batch axis was said to be {}, but it has {} axes ({}): choose 0 to {}, or none", axis, rank,
                       to_string(t.shape), rank - 1),
           t.info.name);
  }
}

/// By their names they are given, asked for and written.
void check_names(const std::vector<TensorInfo>& tensors, const char* kind) {
  std::set<std::string> names;
  for (const TensorInfo& t : tensors) {
    if (names.insert(t.name).second) continue;
    throw Error(ErrorCode::kInvalidModel,
                fmt::format("two {} of the model are called so: give each a name of its own, or leave one out", kind),
                t.name);
  }
}

/// Of an input whose rank the model does not say, the shape that is given is all that is known.
void take_rank(TensorLayout& t, const Params& params) {
  const auto given = params.shapes.find(t.info.name);
  if (given == params.shapes.end()) {
    refuse(
        "its shape is not known, not even how many axes it has: give it (--shape NAME=1x3x…, Params::shapes), and "
        "which "
        "axis is the batch (--batch-axis NAME=K)",
        t.info.name);
  }
  t.info.rank_known = true;
  t.info.shape.assign(given->second.size(), -1);
  t.info.axes.assign(given->second.size(), "");
  t.shape = t.info.shape;
}

/// Fixes free axes by what the user says.
void apply_shape(TensorLayout& t, const Shape& given) {
  const Shape& model = t.info.shape;
  bool fits = given.size() == model.size();
  for (std::size_t a = 0; fits && a < model.size(); ++a) {
    const bool batch = static_cast<int>(a) == t.info.batch_axis;
    fits = (batch && given[a] == -1) || (given[a] > 0 && (batch || model[a] < 0 || model[a] == given[a]));
  }
  if (!fits) {
    refuse(fmt::format("the shape given is {}, but the model's is {}: give a positive number for each '?' and leave "
                       "the others as they are",
                       to_string(given), to_string(model)),
           t.info.name);
  }
  for (std::size_t a = 0; a < model.size(); ++a) {
    if (static_cast<int>(a) != t.info.batch_axis) t.shape[a] = given[a];
  }
}

std::string axis_name(const TensorInfo& info, std::size_t axis) {
  return axis < info.axes.size() ? info.axes[axis] : std::string();
}

/// "x=1x3xHEIGHTxWIDTH": the line that a user has to complete.
std::string suggestion(const TensorLayout& t) {
  std::string line = t.info.name + "=";
  for (std::size_t a = 0; a < t.shape.size(); ++a) {
    if (a > 0) line += "x";
    if (t.shape[a] >= 0) {
      line += std::to_string(t.shape[a]);
    } else if (static_cast<int>(a) == t.info.batch_axis) {
      line += "1";
    } else {
      const std::string name = axis_name(t.info, a);
      std::string shown = name.empty() ? "N" + std::to_string(a) : name;
      std::transform(shown.begin(), shown.end(), shown.begin(), [](unsigned char c) { return std::toupper(c); });
      line += "<" + shown + ">";
    }
  }
  return line;
}

}  // namespace

Shape TensorLayout::with_count(std::int64_t count) const {
  Shape result = shape;
  const auto axis = static_cast<std::size_t>(info.batch_axis);
  if (info.batch_axis >= 0 && axis < result.size()) result[axis] = count;
  return result;
}

std::string quoted_names(const std::vector<TensorLayout>& tensors) {
  std::string text;
  for (const TensorLayout& t : tensors) text += (text.empty() ? "'" : ", '") + t.info.name + "'";
  return text.empty() ? "none" : text;
}

Layout::Layout(const std::vector<TensorInfo>& all_inputs, const std::vector<TensorInfo>& all_outputs,
               const Params& params)
    : batch_axis_(params.batch_axis) {
  check_names(all_inputs, "inputs");
  check_names(all_outputs, "outputs");
  decide_inputs(all_inputs, params);
  decide_batch(params);
  for (const TensorInfo& info : all_outputs) {
    TensorLayout output = plain_layout(info);
    decide_output(output);
    outputs.push_back(std::move(output));
  }
  for (const auto& [name, axis] : params.batch_axis) {
    if (find_by_name(inputs, name) == inputs.end() && find_by_name(outputs, name) == outputs.end()) {
      refuse(fmt::format("a batch axis is given for a tensor that the model does not have; inputs: {}; outputs: {}",
                         quoted_names(inputs), quoted_names(outputs)),
             name);
    }
  }
  if (batch_size > 0) require_whole_shapes();
}

void Layout::decide_inputs(const std::vector<TensorInfo>& all, const Params& params) {
  for (const TensorInfo& info : all) {
    TensorLayout t = plain_layout(info);
    if (!info.rank_known) take_rank(t, params);
    if (const auto said = batch_axis_.find(info.name); said != batch_axis_.end()) {
      check_batch_axis(t, said->second);
      t.info.batch_axis = said->second;
    }
    if (const auto given = params.shapes.find(info.name); given != params.shapes.end()) apply_shape(t, given->second);
    inputs.push_back(std::move(t));
  }
  for (const auto& [name, shape] : params.shapes) {
    if (find_by_name(inputs, name) == inputs.end()) {
      refuse(fmt::format("a shape is given for an input that the model does not have; its inputs are {}",
                         quoted_names(inputs)),
             name);
    }
  }
}

void Layout::decide_batch(const Params& params) {
  for (TensorLayout& t : inputs) {
    if (t.info.batch_axis < 0) continue;
    batched = true;
    const auto axis = static_cast<std::size_t>(t.info.batch_axis);
    if (batch_name_.empty()) batch_name_ = axis_name(t.info, axis);
    batch_first_ = batch_first_ && axis == 0;
    const std::int64_t size = t.info.shape[axis];
    if (size < 0) {
      const auto given = params.shapes.find(t.info.name);
      if (given != params.shapes.end() && given->second[axis] > 0) stream_batch = given->second[axis];
      continue;
    }
    if (fixed_size_ >= 0 && fixed_size_ != size) {
      refuse(fmt::format("its batch axis has {} samples, another input's {}: say which axis is the batch", size,
                         fixed_size_),
             t.info.name);
    }
    fixed_size_ = size;
    fixed_batch = true;
    t.shape[axis] = -1;  // the batch's length is filled in like a free one's
  }
  if (params.batch_size < 0) {
    refuse(fmt::format("a batch size of {}: it must be positive, or 0 for the graph as it is", params.batch_size), "");
  }
  batch_size = params.batch_size;
  if (fixed_batch) {
    if (batch_size > 1 && batch_size != fixed_size_) {
      refuse(fmt::format("a batch size of {} was asked, but the model's batch is fixed at {}: leave it out, or export "
                         "the model with a free batch axis",
                         batch_size, fixed_size_),
             "");
    }
    batch_size = fixed_size_;
  }
  if (!batched && batch_size > 1) {
    refuse(
        fmt::format("a batch size of {} was asked, but no input has a batch axis: leave it out, or say which axis it "
                    "is (--batch-axis NAME=K)",
                    batch_size),
        "");
  }
  if (batch_size > 0) stream_batch = batch_size;
}

void Layout::require_whole_shapes() const {
  std::string axes, lines;
  for (const TensorLayout& t : inputs) {
    bool open = false;
    for (std::size_t a = 0; a < t.shape.size(); ++a) {
      if (t.shape[a] >= 0 || static_cast<int>(a) == t.info.batch_axis) continue;
      open = true;
      const std::string name = axis_name(t.info, a);
      axes += fmt::format("{}axis {}{} of '{}'", axes.empty() ? "" : ", ", a, name.empty() ? "" : " (" + name + ")",
                          t.info.name);
    }
    if (open) lines += " --shape " + suggestion(t);
  }
  if (!axes.empty()) {
    refuse(fmt::format("free axes without a value: {}; give each a number by adding{}", axes, lines), "");
  }
}

/// Where nobody says: the axis of the inputs' batch name; where names say nothing, the first, if it grows with the
/// batch.
int Layout::guess_batch_axis(const TensorLayout& output) const {
  const TensorInfo& info = output.info;
  if (!batched) return -1;
  if (!info.rank_known) return 0;  // batches are put one after another, if the run shows a row for each sample
  if (info.shape.empty()) return -1;
  for (std::size_t a = 0; a < info.axes.size() && !batch_name_.empty(); ++a) {
    if (info.axes[a] == batch_name_) return static_cast<int>(a);
  }
  if (!batch_first_) return -1;
  if (info.shape[0] >= 0) return fixed_batch && info.shape[0] == fixed_size_ ? 0 : -1;
  // Free under another name it is something else: objects found, tokens. So it is where the backend, which was told the
  // batch, has fixed it to another size.
  if (!batch_name_.empty() && !axis_name(info, 0).empty()) return -1;
  return output.shape[0] < 0 || output.shape[0] == batch_size ? 0 : -1;
}

void Layout::decide_output(TensorLayout& output) const {
  TensorInfo& info = output.info;
  if (const auto said = batch_axis_.find(info.name); said != batch_axis_.end()) {
    check_batch_axis(output, said->second);
    info.batch_axis = said->second;
    output.assumed = false;
  } else {
    info.batch_axis = guess_batch_axis(output);
    output.assumed = info.batch_axis == 0 && info.rank_known && output.shape[0] < 0 && axis_name(info, 0).empty();
  }
  output.sized = info.rank_known;
  for (std::size_t a = 0; a < output.shape.size(); ++a) {
    if (static_cast<int>(a) == info.batch_axis) {
      output.shape[a] = -1;
    } else if (output.shape[a] < 0) {
      output.sized = false;
    }
  }
}

namespace {

/// The backend's tensor i is ours of index result[i]; those of ours that it lacks are left out.
std::vector<std::size_t> order_of(const std::vector<TensorInfo>& theirs, const std::vector<TensorLayout>& ours,
                                  const char* kind) {
  std::vector<std::size_t> order;
  for (const TensorInfo& t : theirs) {
    const auto it = find_by_name(ours, t.name);
    if (it == ours.end()) {
      throw Error(
          ErrorCode::kFramework,
          fmt::format("the backend has an {} that the model does not; the model's are {}", kind, quoted_names(ours)),
          t.name);
    }
    if (it->info.dtype != t.dtype) {
      throw Error(ErrorCode::kFramework,
                  fmt::format("the backend takes this {} as {}, the model says {}", kind, to_string(t.dtype),
                              to_string(it->info.dtype)),
                  t.name);
    }
    order.push_back(static_cast<std::size_t>(it - ours.begin()));
  }
  return order;
}

}  // namespace

void Layout::adopt(const backend::SessionInfo& session) {
  staged = (session.memory_kinds & (1U << ASSAY_PINNED)) != 0;
  input_order = order_of(session.inputs, inputs, "input");
  output_order = order_of(session.outputs, outputs, "output");
  if (output_order.size() != outputs.size()) {
    throw Error(ErrorCode::kFramework, fmt::format("the backend has {} outputs, the model {} ({})", output_order.size(),
                                                   outputs.size(), quoted_names(outputs)));
  }
  any_from_run = false;
  for (std::size_t i = 0; i < output_order.size(); ++i) {
    TensorLayout& ours = outputs[output_order[i]];
    const TensorInfo& theirs = session.outputs[i];
    if (theirs.rank_known && !ours.info.rank_known) {  // the model does not say; the backend worked it out
      ours.info.rank_known = true;
      ours.info.shape = theirs.shape;
      ours.info.axes = theirs.axes;
      if (batched && !fixed_batch && batch_size > 1 && !theirs.shape.empty() && theirs.shape[0] == batch_size) {
        ours.info.shape[0] = -1;
      }
    }
    ours.shape = ours.info.shape;
    if (theirs.rank_known && theirs.shape.size() == ours.shape.size()) {
      for (std::size_t a = 0; a < ours.shape.size(); ++a) {
        if (ours.shape[a] < 0 && theirs.shape[a] >= 0) ours.shape[a] = theirs.shape[a];
      }
    }
    decide_output(ours);
    any_from_run = any_from_run || !ours.sized;
  }
}

std::map<std::string, Shape> Layout::open_shapes() const {
  std::map<std::string, Shape> result;
  for (const TensorLayout& t : inputs) {
    Shape whole = fixed_batch ? t.with_count(batch_size) : t.shape;
    if (whole != t.info.shape) result[t.info.name] = std::move(whole);
  }
  return result;
}

}  // namespace assay::engine
