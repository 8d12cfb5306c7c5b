// Resize and Upsample. Each element of the output is a sum over a few elements of the input, one axis after the other:
// which, and with what weights, is computed by a few small operations, which are constants where sizes and scales are.
#include <algorithm>
#include <cmath>

#include "operators/operator.hpp"

namespace assay::tensorflow {
namespace {

constexpr DataType kReal = DataType::kDouble;  // of coordinates

/// How the node resizes, and one axis of it.
struct Resizing {
  std::string mode, coordinates, nearest, policy;
  float cubic_a = -0.75F, extrapolation = 0;
  bool exclude_outside = false;
};

struct ResizedAxis {
  std::int64_t axis = 0;  ///< in the layout that is resized in
  std::size_t at = 0;     ///< its place among the scales
  std::int64_t in = -1;   ///< sizes; -1 where free
  std::int64_t out = -1;
  double scale = 0;             ///< 0: not known
  TF_Output in_size, out_size;  ///< scalars, int32
  TF_Output factor;             ///< the scale, kReal
};

/// Scalars of kReal and what is computed of them.
class Reals {
 public:
  explicit Reals(Operator& op) : op_(op) {}
  TF_Output of(double v) { return op_.g.scalar(kReal, v); }
  TF_Output of(TF_Output x) { return op_.g.cast(x, kReal); }
  TF_Output add(TF_Output a, TF_Output b) { return op_.g.binary("AddV2", a, b); }
  TF_Output add(TF_Output a, double b) { return add(a, of(b)); }
  TF_Output sub(TF_Output a, TF_Output b) { return op_.g.binary("Sub", a, b); }
  TF_Output mul(TF_Output a, TF_Output b) { return op_.g.binary("Mul", a, b); }
  TF_Output mul(TF_Output a, double b) { return mul(a, of(b)); }
  TF_Output div(TF_Output a, TF_Output b) { return op_.g.binary("RealDiv", a, b); }
  TF_Output where(TF_Output condition, TF_Output a, TF_Output b) {
    return op_.g.op("SelectV2").in(condition).in(a).in(b).done();
  }

 private:
  Operator& op_;
};

Resizing resizing_of(Operator& op) {
  Resizing r;
  r.mode = op.text("mode", "nearest");
  const bool simple = op.node.op_type == "Upsample" || op.opset() < 11;
  r.coordinates = op.text("coordinate_transformation_mode", simple ? "asymmetric" : "half_pixel");
  r.nearest = op.text("nearest_mode", simple ? "floor" : "round_prefer_floor");
  r.policy = op.text("keep_aspect_ratio_policy", "stretch");
  r.cubic_a = op.real("cubic_coeff_a", -0.75F);
  r.extrapolation = op.real("extrapolation_value", 0);
  r.exclude_outside = op.integer("exclude_outside", 0) != 0;
  if (r.mode == "bilinear") r.mode = "linear";
  if (r.mode != "nearest" && r.mode != "linear" && r.mode != "cubic") op.fail("mode is '" + r.mode + "'");
  if (op.integer("antialias", 0) != 0) op.fail("antialias, which TensorFlow's operations do otherwise");
  return r;
}

/// Where the node has its scales and sizes; roi lies between.
struct ResizeInputs {
  std::size_t scales = 0, sizes = 0, roi = 0;  ///< 0: none
};

ResizeInputs resize_inputs(Operator& op) {
  const bool simple = op.node.op_type == "Upsample" || op.opset() < 11;
  if (simple) return {op.has(1) ? 1U : 0U, 0, 0};
  ResizeInputs inputs{0, op.has(3) ? 3U : 0U, op.has(1) ? 1U : 0U};
  if (inputs.sizes != 0) return inputs;
  const std::optional<Ints> shape = op.has(2) ? op.shape(2) : std::nullopt;
  const bool empty = shape && shape->size() == 1 && shape->at(0) == 0;
  if (op.has(2) && !empty) inputs.scales = 2;
  return inputs;
}

std::optional<std::vector<float>> known_scales(Operator& op, const ResizeInputs& inputs) {
  if (const auto* attribute = op.node.attribute<std::vector<float>>("scales")) return *attribute;
  return inputs.scales != 0 ? op.floats(inputs.scales) : std::nullopt;
}

/// One size for all axes' scales: "not_larger" than what is asked for, or "not_smaller".
void keep_ratio(Operator& op, std::vector<ResizedAxis>& axes, const std::string& policy) {
  double scale = 0;
  for (const ResizedAxis& a : axes) {
    if (a.in <= 0 || a.out < 0) op.fail("keep_aspect_ratio_policy over a size that is free: give the input a shape");
    const double its = static_cast<double>(a.out) / static_cast<double>(a.in);
    const bool first = scale == 0;
    scale = first ? its : (policy == "not_larger" ? std::min(scale, its) : std::max(scale, its));
  }
  for (ResizedAxis& a : axes) {
    a.out = static_cast<std::int64_t>(std::floor(scale * static_cast<double>(a.in) + 0.5));
    a.scale = scale;
  }
}

/// Element i of a vector, as a scalar.
TF_Output element(Operator& op, TF_Output vector, std::size_t i) {
  const auto at = static_cast<std::int64_t>(i);
  return op.g.op("StridedSlice")
      .in(vector)
      .in(op.g.ints({at}))
      .in(op.g.ints({at + 1}))
      .in(op.g.ints({1}))
      .integer("shrink_axis_mask", 1)
      .done();
}

/// Sizes and factors as values of the graph, numbers where they are known.
void complete(Operator& op, TF_Output x, ResizedAxis& a, const ResizeInputs& inputs) {
  Reals r(op);
  const auto size = [&](std::int64_t n) { return op.g.ints({n}, DataType::kInt32, true); };
  a.in_size = a.in >= 0 ? size(a.in) : element(op, op.g.op("Shape").in(x).done(), static_cast<std::size_t>(a.axis));
  if (a.scale > 0) {
    a.factor = r.of(a.scale);
  } else if (inputs.scales != 0) {
    a.factor = r.of(element(op, op.in(inputs.scales), a.at));
  }
  if (a.out >= 0) {
    a.out_size = size(a.out);
  } else if (inputs.sizes != 0) {
    a.out_size = op.g.cast(element(op, op.in(inputs.sizes), a.at), DataType::kInt32);
  } else {
    a.out_size = op.g.cast(op.g.unary("Floor", r.mul(r.of(a.in_size), a.factor)), DataType::kInt32);
  }
  if (a.factor.operation == nullptr) a.factor = r.div(r.of(a.out_size), r.of(a.in_size));
}

/// The axes that are resized: all but those that are known to stay as they are.
std::vector<ResizedAxis> resized_axes(Operator& op, const Resizing& how, const ResizeInputs& inputs, bool last) {
  const Ints shape = op.sizes(0);
  const std::size_t rank = shape.size();
  const std::optional<Ints> named = op.list("axes");
  const std::size_t count = named ? named->size() : rank;
  const std::optional<std::vector<float>> scales = inputs.sizes != 0 ? std::nullopt : known_scales(op, inputs);
  const std::optional<Ints> sizes = inputs.sizes != 0 ? op.integers(inputs.sizes) : std::nullopt;
  if (!scales && inputs.scales == 0 && inputs.sizes == 0) op.fail("it has neither scales nor sizes");
  if ((scales && scales->size() != count) || (sizes && sizes->size() != count)) {
    op.fail(std::to_string(scales ? scales->size() : sizes->size()) + " numbers for " + std::to_string(count) +
            " axes");
  }
  std::vector<ResizedAxis> axes(count);
  for (std::size_t i = 0; i < count; ++i) {
    ResizedAxis& a = axes[i];
    const std::int64_t axis = named ? op.axis(named->at(i), rank) : static_cast<std::int64_t>(i);
    a.axis = Operator::place(axis, rank, last);
    a.at = i;
    a.in = shape.at(static_cast<std::size_t>(axis));
    if (scales) a.scale = static_cast<double>(scales->at(i));
    if (scales && a.in >= 0) a.out = static_cast<std::int64_t>(std::floor(static_cast<float>(a.in) * scales->at(i)));
    if (sizes) a.out = sizes->at(i);
    if (sizes && a.in > 0) a.scale = static_cast<double>(a.out) / static_cast<double>(a.in);
  }
  if (inputs.sizes != 0 && how.policy != "stretch") keep_ratio(op, axes, how.policy);
  if (how.coordinates != "tf_crop_and_resize") {
    std::erase_if(axes, [](const ResizedAxis& a) {
      return a.scale == 1 || (a.scale > 0 && a.in >= 0 && a.in == a.out &&
                              a.scale * static_cast<double>(a.in) == static_cast<double>(a.out));
    });
  }
  return axes;
}

/// The batch and the channels of an image are seldom resized, and then the whole of it can be by one operation of
/// TensorFlow's: where its coordinates are the same.
bool resize_as_tensorflow(Operator& op, const Resizing& how, const std::vector<ResizedAxis>& axes) {
  if (op.rank(0) != 4 || axes.empty() || op.type(0) != DataType::kFloat) return false;
  const Ints shape = op.sizes(0);
  Ints sizes = {shape.at(2), shape.at(3)};
  bool whole = true;  // times larger
  for (const ResizedAxis& a : axes) {
    const bool space = a.axis == 1 || a.axis == 2;
    if (!space || a.in <= 0 || a.out <= 0) return false;
    if (std::abs(a.scale * static_cast<double>(a.in) - static_cast<double>(a.out)) > 1e-6) return false;
    sizes[static_cast<std::size_t>(a.axis - 1)] = a.out;
    whole = whole && a.out % a.in == 0;
  }
  if (sizes[0] <= 0 || sizes[1] <= 0) return false;
  // XLA compiles ResizeBilinear wrongly where the axes grow by different factors (seen with 2 x 3, TensorFlow 2.21).
  if (how.mode == "linear" && sizes[0] * shape.at(3) != sizes[1] * shape.at(2)) return false;
  const bool half_pixel =
      how.coordinates == "half_pixel" || (how.coordinates == "pytorch_half_pixel" && sizes[0] > 1 && sizes[1] > 1);
  const bool asymmetric = how.coordinates == "asymmetric";
  const bool corners = how.coordinates == "align_corners" && how.mode == "linear";
  if (how.mode == "cubic" || how.exclude_outside || !(half_pixel || asymmetric || corners)) return false;
  const bool floors = asymmetric && how.nearest == "floor";
  const bool rounds = half_pixel && how.nearest.starts_with("round");
  if (how.mode == "nearest" && !(whole && (floors || rounds))) return false;
  op.insist_on_channels_last();
  op.out_image(0, op.g.op(how.mode == "nearest" ? "ResizeNearestNeighbor" : "ResizeBilinear")
                      .in(op.image(0))
                      .in(op.g.ints(sizes))
                      .flag("align_corners", corners)
                      .flag("half_pixel_centers", half_pixel && how.mode == "linear")
                      .done());
  return true;
}

/// Where each place of the output lies in the input.
TF_Output coordinates_of(Operator& op, const Resizing& how, const ResizedAxis& a, TF_Output roi, std::size_t roi_axes) {
  Reals r(op);
  const TF_Output in = r.of(a.in_size), out = r.of(a.out_size);
  const TF_Output range = op.g.op("Range")
                              .in(op.g.ints({0}, DataType::kInt32, true))
                              .in(a.out_size)
                              .in(op.g.ints({1}, DataType::kInt32, true))
                              .done();
  const TF_Output i = r.of(range);
  const auto several = [&](TF_Output n) { return op.g.binary("Greater", n, r.of(1)); };
  const auto one_for_one = [&](TF_Output n) { return r.where(several(n), r.add(n, -1), r.of(1)); };
  const std::string& mode = how.coordinates;
  const TF_Output half_pixel = r.add(r.div(r.add(i, 0.5), a.factor), -0.5);
  if (mode == "half_pixel") return half_pixel;
  if (mode == "asymmetric") return r.div(i, a.factor);
  if (mode == "tf_half_pixel_for_nn") return r.div(r.add(i, 0.5), a.factor);
  if (mode == "pytorch_half_pixel") return r.where(several(out), half_pixel, r.mul(i, 0));
  if (mode == "align_corners") {  // of the length before it is rounded down, as ONNX's reference has it
    const TF_Output length = r.mul(in, a.factor);
    return r.where(several(length), r.div(r.mul(i, r.add(in, -1)), one_for_one(length)), r.mul(i, 0));
  }
  if (mode == "half_pixel_symmetric") {
    const TF_Output adjustment = r.div(out, r.mul(in, a.factor));
    const TF_Output offset = r.mul(r.mul(in, 0.5), r.sub(r.of(1), adjustment));
    return r.add(half_pixel, offset);
  }
  if (mode == "tf_crop_and_resize") {
    const TF_Output start = r.of(element(op, roi, a.at)), end = r.of(element(op, roi, roi_axes + a.at));
    const TF_Output step = r.div(r.mul(r.sub(end, start), r.add(in, -1)), one_for_one(out));
    const TF_Output begin = r.mul(start, r.add(in, -1));
    const TF_Output middle = r.mul(r.mul(r.add(start, end), 0.5), r.add(in, -1));
    return r.add(r.mul(i, step), r.where(several(out), begin, middle));
  }
  op.fail("coordinate_transformation_mode is '" + mode + "'");
}

/// Which element of the input each place takes.
TF_Output nearest_of(Operator& op, const std::string& mode, TF_Output x) {
  Reals r(op);
  if (mode == "floor") return op.g.unary("Floor", x);
  if (mode == "ceil") return op.g.unary("Ceil", x);
  if (mode == "round_prefer_floor") return op.g.unary("Ceil", r.add(x, -0.5));
  if (mode == "round_prefer_ceil") return op.g.unary("Floor", r.add(x, 0.5));
  op.fail("nearest_mode is '" + mode + "'");
}

/// Elements of the input from the floor of each place on, and their weights.
struct Tap {
  TF_Output index;   ///< kReal; may lie outside
  TF_Output weight;  ///< kReal; none where it is the only one
};

/// Keys' cubic at a distance of d: within 1, and from there to 2.
TF_Output cubic_weight(Operator& op, TF_Output d, double a, bool inner) {
  Reals r(op);
  if (inner) return r.add(r.mul(r.mul(r.add(r.mul(d, a + 2), -(a + 3)), d), d), 1);
  return r.add(r.mul(r.add(r.mul(r.add(r.mul(d, a), -5 * a), d), 8 * a), d), -4 * a);
}

std::vector<Tap> taps_of(Operator& op, const Resizing& how, TF_Output x) {
  if (how.mode == "nearest") return {{nearest_of(op, how.nearest, x), {}}};
  Reals r(op);
  const TF_Output floor = op.g.unary("Floor", x);
  const TF_Output rest = r.sub(x, floor);
  const TF_Output other = r.sub(r.of(1), rest);
  if (how.mode == "linear") return {{floor, other}, {r.add(floor, 1), rest}};
  const auto a = static_cast<double>(how.cubic_a);
  return {{r.add(floor, -1), cubic_weight(op, r.add(rest, 1), a, false)},
          {floor, cubic_weight(op, rest, a, true)},
          {r.add(floor, 1), cubic_weight(op, other, a, true)},
          {r.add(floor, 2), cubic_weight(op, r.add(other, 1), a, false)}};
}

/// Taps outside count nothing, and the others add up to 1 again.
void leave_out_outside(Operator& op, std::vector<Tap>& taps, TF_Output last_index) {
  Reals r(op);
  TF_Output sum;
  for (Tap& tap : taps) {
    const TF_Output inside = op.g.binary("LogicalAnd", op.g.binary("GreaterEqual", tap.index, r.of(0)),
                                         op.g.binary("LessEqual", tap.index, last_index));
    tap.weight = r.mul(tap.weight, r.of(inside));
    sum = sum.operation == nullptr ? tap.weight : r.add(sum, tap.weight);
  }
  for (Tap& tap : taps) tap.weight = r.div(tap.weight, sum);
}

/// A value for each place along one axis, as it is broadcast over all of x.
TF_Output along_axis(Operator& op, TF_Output values, std::int64_t axis, std::size_t rank, DataType type) {
  Ints shape(rank, 1);
  shape[static_cast<std::size_t>(axis)] = -1;
  return op.g.reshape(op.g.cast(values, type), shape);
}

TF_Output resize_axis(Operator& op, TF_Output x, const Resizing& how, const ResizedAxis& a, TF_Output coordinates) {
  Reals r(op);
  const std::size_t rank = op.g.sizes_of(x).size();
  const TF_Output last_index = r.add(r.of(a.in_size), -1);
  std::vector<Tap> taps = taps_of(op, how, coordinates);
  if (how.exclude_outside && taps.size() > 1) leave_out_outside(op, taps, last_index);
  TF_Output sum;
  for (const Tap& tap : taps) {
    const TF_Output inside = op.g.binary("Minimum", op.g.binary("Maximum", tap.index, r.of(0)), last_index);
    TF_Output part = op.g.op("GatherV2")
                         .in(x)
                         .in(op.g.cast(inside, DataType::kInt32))
                         .in(op.g.ints({a.axis}, DataType::kInt32, true))
                         .done();
    if (tap.weight.operation != nullptr) {
      part = op.g.binary("Mul", part, along_axis(op, tap.weight, a.axis, rank, op.g.type_of(x)));
    }
    sum = sum.operation == nullptr ? part : op.g.binary("AddV2", sum, part);
  }
  return sum;
}

/// What lies outside of the input is the extrapolation's value.
TF_Output extrapolate(Operator& op, TF_Output y, const Resizing& how, const ResizedAxis& a, TF_Output coordinates) {
  Reals r(op);
  const TF_Output last_index = r.add(r.of(a.in_size), -1);
  const TF_Output inside = op.g.binary("LogicalAnd", op.g.binary("GreaterEqual", coordinates, r.of(0)),
                                       op.g.binary("LessEqual", coordinates, last_index));
  const std::size_t rank = op.g.sizes_of(y).size();
  return r.where(along_axis(op, inside, a.axis, rank, DataType::kBool), y,
                 op.g.scalar(op.g.type_of(y), static_cast<double>(how.extrapolation)));
}

}  // namespace

void translate_resize(Operator& op) {
  const Resizing how = resizing_of(op);
  const ResizeInputs inputs = resize_inputs(op);
  const auto [values, last] = op.operand();
  std::vector<ResizedAxis> axes = resized_axes(op, how, inputs, last);
  const std::size_t count = op.list("axes").value_or(Ints(op.rank(0))).size();
  if (axes.empty()) return op.alias(0, 0);
  if (resize_as_tensorflow(op, how, resized_axes(op, how, inputs, true))) return;
  const bool crops = how.coordinates == "tf_crop_and_resize";
  if (crops && inputs.roi == 0) op.fail("tf_crop_and_resize without a roi");
  const TF_Output roi = crops ? op.in(inputs.roi) : TF_Output{};
  const DataType type = op.g.type_of(values[0]);
  const bool computes = how.mode != "nearest";
  TF_Output x =
      computes && (!is_float(type) || element_bytes(type) < 4) ? op.g.cast(values[0], DataType::kFloat) : values[0];
  std::vector<TF_Output> coordinates;
  for (ResizedAxis& a : axes) {
    complete(op, x, a, inputs);
    coordinates.push_back(coordinates_of(op, how, a, roi, count));
    x = resize_axis(op, x, how, a, coordinates.back());
  }
  for (std::size_t i = 0; crops && i < axes.size(); ++i) x = extrapolate(op, x, how, axes[i], coordinates[i]);
  op.out(0, op.g.cast(x, type), last);
}

}  // namespace assay::tensorflow
