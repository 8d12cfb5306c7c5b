#include "input/preprocess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "assay/error.hpp"
#include "base/half.hpp"

namespace assay::input {
namespace {

/// Where a sample's axes lie, and how long they are.
struct Layout {
  std::int64_t height = 0, width = 0, channels = 0;
  std::int64_t step_y = 0, step_x = 0, step_c = 0;  ///< elements
};

[[noreturn]] void refuse_preprocess(const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, "an image cannot become this input: " + why);
}

Layout layout_of(const MutableTensorView& sample, const std::string& wanted) {
  const Shape& s = sample.shape;
  if (s.size() != 3) refuse_preprocess(fmt::format("a sample of it has shape {}, not three axes", to_string(s)));
  const auto is_colour = [](std::int64_t n) { return n == 1 || n == 3; };
  const bool first = wanted == "nchw" || (wanted == "auto" && is_colour(s[0]));
  const std::size_t c = first ? 0 : 2;
  if (!is_colour(s[c])) {
    refuse_preprocess(fmt::format("a sample of it has shape {}, which has no axis of 1 or 3 channels{}", to_string(s),
                                  wanted == "auto" ? "" : " where layout=" + wanted + " puts it"));
  }
  Shape strides = sample.strides;
  if (strides.empty()) strides = {s[1] * s[2], s[2], 1};
  const std::size_t y = first ? 1 : 0;
  return {s[y], s[y + 1], s[c], strides[y], strides[y + 1], strides[c]};
}

/// Output pixel i of an axis is the weighted sum of `weights` input pixels from `begin` on.
struct Taps {
  int begin = 0;
  std::vector<float> weights;
  [[nodiscard]] int end() const { return begin + static_cast<int>(weights.size()); }
};

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

/// Keys, Cubic convolution interpolation for digital image processing (1981), a = -1/2, as Pillow has it.
double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

/// Taps for pixels [first, first + count) of an axis resized from `from` to `to` pixels. When shrinking, the filter is
/// widened by the ratio (antialiasing).
std::vector<Taps> taps(const std::string& filter, int from, int to, int first, std::int64_t count) {
  std::vector<Taps> result;
  const double ratio = static_cast<double>(from) / to;
  const double widened = std::max(1.0, ratio);
  const double support = (filter == "bicubic" ? 2.0 : 1.0) * widened;
  for (std::int64_t i = 0; i < count; ++i) {
    const double centre = (static_cast<double>(first + i) + 0.5) * ratio;
    Taps t;
    if (filter == "nearest") {
      t.begin = std::clamp(static_cast<int>(centre), 0, from - 1);
      t.weights = {1.0F};
      result.push_back(std::move(t));
      continue;
    }
    t.begin = std::max(0, static_cast<int>(std::lround(centre - support)));
    const int end = std::min(from, static_cast<int>(std::lround(centre + support)));
    double sum = 0;
    std::vector<double> weights;
    for (int j = t.begin; j < end; ++j) {
      const double x = (j + 0.5 - centre) / widened;
      weights.push_back(filter == "bicubic" ? cubic(x) : triangle(x));
      sum += weights.back();
    }
    for (const double w : weights) t.weights.push_back(static_cast<float>(w / sum));
    result.push_back(std::move(t));
  }
  return result;
}

/// One row of the image with its columns resized.
void narrow_row(const Image& image, int y, const std::vector<Taps>& columns, std::vector<float>& row) {
  const std::uint8_t* source =
      image.rgb.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) * 3;
  float* target = row.data();
  for (const Taps& t : columns) {
    float sum[3] = {0, 0, 0};
    const std::uint8_t* p = source + static_cast<std::ptrdiff_t>(t.begin) * 3;
    for (const float w : t.weights) {
      for (int c = 0; c < 3; ++c) sum[c] += w * static_cast<float>(*p++);
    }
    target = std::copy(sum, sum + 3, target);
  }
}

/// A window of the resized image, red green blue, as floats 0 to 255: columns first, then rows, over what is needed
/// only. One row of the image at a time goes to all the rows that it is part of: a picture may be a million high.
std::vector<float> resized_window(const Image& image, const std::vector<Taps>& columns, const std::vector<Taps>& rows) {
  const std::size_t width = columns.size() * 3;
  std::vector<float> window(width * rows.size());
  std::vector<float> row(width);
  std::size_t first = 0;  // rows before it have all they need
  for (int y = 0; first < rows.size(); ++y) {
    y = std::max(y, rows[first].begin);
    narrow_row(image, y, columns, row);
    for (std::size_t r = first; r < rows.size() && rows[r].begin <= y; ++r) {
      const auto tap = static_cast<std::size_t>(y - rows[r].begin);
      if (tap >= rows[r].weights.size()) continue;
      const float w = rows[r].weights[tap];
      float* target = window.data() + r * width;
      for (std::size_t i = 0; i < width; ++i) target[i] += w * row[i];
    }
    while (first < rows.size() && rows[first].end() <= y + 1) ++first;
  }
  for (float& v : window) v = std::clamp(v, 0.0F, 255.0F);  // bicubic overshoots
  return window;
}

void store(float value, const MutableTensorView& to, std::int64_t index) {
  switch (to.dtype) {
    case DType::kFloat32:
      static_cast<float*>(to.data)[index] = value;
      return;
    case DType::kFloat16:
      static_cast<std::uint16_t*>(to.data)[index] = float_to_half(value);
      return;
    case DType::kFloat64:
      static_cast<double*>(to.data)[index] = static_cast<double>(value);
      return;
    case DType::kUint8:
      static_cast<std::uint8_t*>(to.data)[index] = static_cast<std::uint8_t>(std::lround(value));
      return;
    case DType::kInt32:
      static_cast<std::int32_t*>(to.data)[index] = static_cast<std::int32_t>(std::lround(value));
      return;
    case DType::kInt64:
      static_cast<std::int64_t*>(to.data)[index] = std::lround(value);
      return;
    default:
      refuse_preprocess(fmt::format("its element type is {}", to_string(to.dtype)));
  }
}

struct Size {
  int width = 0, height = 0;
};

/// The size to which the whole image is brought before the crop.
Size resized(const Image& image, const Preprocess& how, Size crop) {
  if (how.resize == 0) return crop;
  const int shorter = std::min(image.width, image.height);
  const int longer = std::max(image.width, image.height);
  constexpr std::int64_t kMost = 1 << 20;
  if (static_cast<std::int64_t>(longer) * how.resize / shorter > kMost) {
    refuse_preprocess(
        fmt::format("it is {} x {} pixels, and resize={} would make its longer side more than {}; cut it, "
                    "or give resize=0",
                    image.width, image.height, how.resize, kMost));
  }
  const auto side = [&](int n) {
    return static_cast<int>(static_cast<std::int64_t>(n) * how.resize / shorter);  // rounded down, as torchvision does
  };
  const Size size{side(image.width), side(image.height)};
  if (size.width < crop.width || size.height < crop.height) {
    refuse_preprocess(
        fmt::format("resize={} makes the picture {} x {}, smaller than the {} x {} to be cut out of it; "
                    "give resize={} or more",
                    how.resize, size.width, size.height, crop.width, crop.height, std::max(crop.width, crop.height)));
  }
  return size;
}

bool holds_pixels(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kFloat64;
}

}  // namespace

void preprocess_image(const Image& image, const Preprocess& how, const MutableTensorView& sample) {
  const Layout layout = layout_of(sample, how.layout);
  const Size crop{static_cast<int>(layout.width), static_cast<int>(layout.height)};
  if (how.crop != 0 && (how.crop != crop.width || how.crop != crop.height)) {
    refuse_preprocess(
        fmt::format("crop={} was asked for, the model takes {} x {} pixels", how.crop, crop.width, crop.height));
  }
  const Size whole = resized(image, how, crop);
  const auto columns = taps(how.filter, image.width, whole.width, (whole.width - crop.width) / 2, crop.width);
  const auto rows = taps(how.filter, image.height, whole.height, (whole.height - crop.height) / 2, crop.height);
  const std::vector<float> window = resized_window(image, columns, rows);

  const bool normalise = holds_pixels(sample.dtype);
  const float* pixel = window.data();
  for (std::int64_t y = 0; y < layout.height; ++y) {
    for (std::int64_t x = 0; x < layout.width; ++x, pixel += 3) {
      const std::int64_t at = y * layout.step_y + x * layout.step_x;
      for (std::int64_t c = 0; c < layout.channels; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        float value = pixel[how.channels == "bgr" ? 2 - channel : channel];
        if (layout.channels == 1) value = 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];  // ITU-R BT.601
        if (normalise) {
          value =
              static_cast<float>((static_cast<double>(value) * how.scale - how.mean[channel]) / how.deviation[channel]);
        }
        store(value, sample, at + c * layout.step_c);
      }
    }
  }
}

}  // namespace assay::input
