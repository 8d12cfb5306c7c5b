// Resize: along each axis whose size or scale changes a gather (nearest), or two and a map between them (linear).

#include <algorithm>
#include <cmath>

#include "operators/operator.hpp"

namespace assay::compiler {
namespace {

constexpr std::int64_t kHasModes = 11;  // the opset since which coordinates are transformed in one of several ways

class Resizing {
 public:
  explicit Resizing(Operator& op) : op_(op), in_(op.shape(0)), out_(op.out_shape(0)) {
    modes_ = op.opset() >= kHasModes && op.node.op_type == "Resize";
    transformation_ = modes_ ? op.text("coordinate_transformation_mode", "half_pixel") : "asymmetric";
    rounding_ = modes_ ? op.text("nearest_mode", "round_prefer_floor") : "floor";
    for (const char* known : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"}) {
      if (transformation_ == known) return;
    }
    Operator::fail("coordinate_transformation_mode " + transformation_ + " is not computed");
  }

  void import() {
    const std::string mode = op_.text("mode", "nearest");
    if (op_.integer("antialias", 0) != 0) Operator::fail("antialias is not computed");
    if (mode != "nearest" && mode != "linear") Operator::fail("mode " + mode + " is not computed");
    ValueId x = op_.in(0);
    const std::vector<double> scales = its_scales();
    for (std::size_t k = 0; k < in_.size(); ++k) {
      if (scales[k] == 1 && in_[k] == out_[k]) continue;
      x = mode == "nearest" ? nearest(x, k, scales[k]) : linear(x, k, scales[k]);
    }
    op_.out(0, x);
  }

 private:
  /// As given, or from the sizes.
  std::vector<double> its_scales() {
    std::vector<double> scales(in_.size());
    for (std::size_t k = 0; k < in_.size(); ++k) scales[k] = static_cast<double>(out_[k]) / static_cast<double>(in_[k]);
    if (op_.text("keep_aspect_ratio_policy", "stretch") != "stretch") return scales;  // of the sizes that came of it
    if (const auto* attribute = op_.node.attribute<std::vector<float>>("scales")) {
      std::copy(attribute->begin(), attribute->end(), scales.begin());
      return scales;
    }
    const std::size_t input = modes_ ? 2 : 1;
    const auto given = op_.has(input) ? op_.floats(input) : std::nullopt;
    if (!given || given->empty()) return scales;
    const auto axes = op_.list("axes");
    for (std::size_t i = 0; i < given->size(); ++i) {
      scales.at(axes ? Operator::axis(axes->at(i), in_.size()) : i) = (*given)[i];
    }
    return scales;
  }

  /// Where element i of the result lies in x, along axis k.
  [[nodiscard]] double coordinate(std::int64_t i, std::size_t k, double scale) const {
    const auto at = static_cast<double>(i), in = static_cast<double>(in_[k]), out = static_cast<double>(out_[k]);
    if (transformation_ == "asymmetric") return at / scale;
    if (transformation_ == "align_corners") return out > 1 ? at * (in - 1) / (out - 1) : 0;
    if (transformation_ == "pytorch_half_pixel") return out > 1 ? (at + 0.5) / scale - 0.5 : 0;
    if (transformation_ == "half_pixel_symmetric") {
      const double adjustment = out / (scale * in), centre = in / 2;
      return centre * (1 - adjustment) + (at + 0.5) / scale - 0.5;
    }
    return (at + 0.5) / scale - 0.5;
  }

  [[nodiscard]] std::int64_t rounded(double x) const {
    if (rounding_ == "floor") return static_cast<std::int64_t>(std::floor(x));
    if (rounding_ == "ceil") return static_cast<std::int64_t>(std::ceil(x));
    if (rounding_ == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(x + 0.5));
    return static_cast<std::int64_t>(std::ceil(x - 0.5));
  }

  ValueId nearest(ValueId x, std::size_t k, double scale) {
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < out_[k]; ++i) {
      places.push_back(std::clamp<std::int64_t>(rounded(coordinate(i, k, scale)), 0, in_[k] - 1));
    }
    return op_.gather(x, op_.constant("places", places, {out_[k]}), k);
  }

  ValueId linear(ValueId x, std::size_t k, double scale) {
    std::vector<std::int64_t> low, high;
    std::vector<float> share;  // of the higher one
    for (std::int64_t i = 0; i < out_[k]; ++i) {
      const double at = std::clamp(coordinate(i, k, scale), 0.0, static_cast<double>(in_[k] - 1));
      low.push_back(static_cast<std::int64_t>(std::floor(at)));
      high.push_back(std::min(low.back() + 1, in_[k] - 1));
      share.push_back(static_cast<float>(at - std::floor(at)));
    }
    Shape along(in_.size() - k, 1);
    along[0] = out_[k];
    const ValueId a = op_.gather(x, op_.constant("places", low, {out_[k]}), k);
    const ValueId b = op_.gather(x, op_.constant("places", high, {out_[k]}), k);
    Formula f;
    const X left = f.input(0), right = f.input(1), w = f.input(2);
    return op_.map(f.done(left + (right - left) * w), {a, b, op_.constant("shares", share, along)});
  }

  Operator& op_;
  Shape in_, out_;
  bool modes_ = true;
  std::string transformation_, rounding_;
};

}  // namespace

void import_resize(Operator& op) { Resizing(op).import(); }

}  // namespace assay::compiler
