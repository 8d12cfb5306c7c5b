// Resize: along each axis whose size or scale changes a gather (nearest), or two or four and a map between them
// (linear, cubic).

#include <algorithm>
#include <array>
#include <cmath>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

constexpr std::int64_t kHasModes = 11;  // the opset since which coordinates are transformed in one of several ways

class Resizing {
 public:
  explicit Resizing(Operator& op) : op_(op), in_(op.shape(0)), out_(op.out_shape(0)) {
    modes_ = op.opset() >= kHasModes && op.node.op_type == "Resize";
    transformation_ = modes_ ? op.text("coordinate_transformation_mode", "half_pixel") : "asymmetric";
    rounding_ = modes_ ? op.text("nearest_mode", "round_prefer_floor") : "floor";
    for (const char* known :
         {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"}) {
      if (transformation_ == known) return;
    }
    Operator::fail("coordinate_transformation_mode " + transformation_ + " is not computed");
  }

  void import() {
    const std::string mode = op_.text("mode", "nearest");
    if (op_.integer("antialias", 0) != 0) Operator::fail("antialias is not computed");
    if (mode != "nearest" && mode != "linear" && mode != "cubic") Operator::fail("mode " + mode + " is not computed");
    if (out_.size() != in_.size() || count(in_) == 0)
      Operator::fail(to_text(in_) + " cannot be resized to " + to_text(out_));
    ValueId x = op_.in(0);
    const std::vector<double> scales = its_scales();
    if (std::any_of(scales.begin(), scales.end(), [](double s) { return !(s > 0) || !std::isfinite(s); }))
      Operator::fail("a scale must be a number larger than nothing");
    for (std::size_t k = 0; k < in_.size(); ++k) {
      if (scales[k] == 1 && in_[k] == out_[k]) continue;
      x = mode == "nearest"  ? nearest(x, k, scales[k])
          : mode == "linear" ? linear(x, k, scales[k])
                             : cubic(x, k, scales[k]);
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
      if (attribute->size() != in_.size()) Operator::fail("it needs a scale for each axis");
      std::copy(attribute->begin(), attribute->end(), scales.begin());
      return scales;
    }
    const std::size_t input = modes_ ? 2 : 1;
    if (!op_.has(input) || count(op_.shape(input)) == 0) return scales;
    const auto given = op_.floats(input);
    if (!given) Operator::fail("its scales are known only when it runs");
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

  [[nodiscard]] double rounded(double x) const {
    if (rounding_ == "floor") return std::floor(x);
    if (rounding_ == "ceil") return std::ceil(x);
    return rounding_ == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5);
  }

  /// The nearest place along axis k: what lies far outside is no integer.
  [[nodiscard]] std::int64_t inside(double place, std::size_t k) const {
    return static_cast<std::int64_t>(std::clamp(place, 0.0, static_cast<double>(in_[k] - 1)));
  }

  ValueId nearest(ValueId x, std::size_t k, double scale) {
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < out_[k]; ++i) {
      places.push_back(inside(rounded(coordinate(i, k, scale)), k));
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

  /// Four neighbours, weighted by Keys' kernel.
  ValueId cubic(ValueId x, std::size_t k, double scale) {
    constexpr float kA = -0.75F;
    constexpr int kTaps = 4;
    const double a = op_.real("cubic_coeff_a", kA);
    const bool exclude = op_.integer("exclude_outside", 0) != 0;
    std::array<std::vector<std::int64_t>, kTaps> places;
    std::array<std::vector<float>, kTaps> weights;
    for (std::int64_t i = 0; i < out_[k]; ++i) {
      const double at = coordinate(i, k, scale), whole = std::floor(at);
      std::array<double, kTaps> w{};
      double sum = 0;
      for (int t = 0; t < kTaps; ++t) {
        const double place = whole - 1 + t;
        const bool outside = place < 0 || place >= static_cast<double>(in_[k]);
        w[static_cast<std::size_t>(t)] = exclude && outside ? 0 : keys(std::abs(at - place), a);
        sum += w[static_cast<std::size_t>(t)];
        places[static_cast<std::size_t>(t)].push_back(inside(place, k));
      }
      for (std::size_t t = 0; t < kTaps; ++t) weights[t].push_back(static_cast<float>(exclude ? w[t] / sum : w[t]));
    }
    Shape along(in_.size() - k, 1);
    along[0] = out_[k];
    std::vector<ValueId> inputs;
    for (std::size_t t = 0; t < kTaps; ++t) {
      inputs.push_back(op_.gather(x, op_.constant("places", places[t], {out_[k]}), k));
      inputs.push_back(op_.constant("weights", weights[t], along));
    }
    Formula f;
    X y = f.input(0) * f.input(1);
    for (int t = 1; t < kTaps; ++t) y = y + f.input(2 * t) * f.input(2 * t + 1);
    return op_.map(f.done(y), inputs);
  }

  /// Keys' kernel at a distance (IEEE Trans. ASSP 29, 1981, eq. 15, with a in the place of -1/2).
  static double keys(double d, double a) {
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  }

  Operator& op_;
  Shape in_, out_;
  bool modes_ = true;
  std::string transformation_, rounding_;
};

}  // namespace

void import_resize(Operator& op) { Resizing(op).import(); }

}  // namespace assay::compiler
