#include "worker/parity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.hpp"

namespace assay::worker {
namespace {

constexpr double kLeastProbability = 1e-30;

template <class T, class Convert>
std::vector<double> converted(const TensorView& view, const Convert& convert) {
  const auto n = static_cast<std::size_t>(element_count(view.shape));
  std::vector<double> values(n);
  const T* const data = static_cast<const T*>(view.data);
  for (std::size_t i = 0; i < n; ++i) values[i] = convert(data[i]);
  return values;
}

/// The elements as doubles; nothing for integers, which are compared as they are.
std::optional<std::vector<double>> floats_of(const TensorView& view) {
  switch (view.dtype) {
    case DType::kFloat32:
      return converted<float>(view, [](float v) { return double{v}; });
    case DType::kFloat64:
      return converted<double>(view, [](double v) { return v; });
    case DType::kFloat16:
      return converted<std::uint16_t>(view, [](std::uint16_t v) { return double{half_to_float(v)}; });
    case DType::kBFloat16:
      return converted<std::uint16_t>(
          view, [](std::uint16_t v) { return double{std::bit_cast<float>(static_cast<std::uint32_t>(v) << 16)}; });
    default:
      return std::nullopt;
  }
}

struct Top1 {
  std::size_t index = 0;
  double margin = 0;  ///< to the second
};

/// Along `axis`, one position of the others at a time.
template <class Visit>
void along_axis(const Shape& shape, int axis, const Visit& visit) {
  std::size_t inner = 1;
  std::size_t outer = 1;
  for (std::size_t a = 0; a < shape.size(); ++a) {
    if (static_cast<int>(a) < axis) outer *= static_cast<std::size_t>(shape[a]);
    if (static_cast<int>(a) > axis) inner *= static_cast<std::size_t>(shape[a]);
  }
  const auto length = static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]);
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < inner; ++i) visit(o * length * inner + i, inner, length);
  }
}

Top1 top1_of(const std::vector<double>& values, std::size_t begin, std::size_t step, std::size_t length) {
  Top1 top;
  double best = values[begin];
  double second = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 1; k < length; ++k) {
    const double v = values[begin + k * step];
    if (v > best) {
      second = best;
      best = v;
      top.index = k;
    } else {
      second = std::max(second, v);
    }
  }
  top.margin = best - second;
  return top;
}

std::optional<int> normalised(std::optional<int> axis, std::size_t rank) {
  if (!axis) return std::nullopt;
  const int a = *axis < 0 ? *axis + static_cast<int>(rank) : *axis;
  return a >= 0 && a < static_cast<int>(rank) ? std::optional(a) : std::nullopt;
}

}  // namespace

void centre_log_probabilities(std::vector<double>& p, const Shape& shape, int axis) {
  along_axis(shape, axis, [&](std::size_t begin, std::size_t step, std::size_t length) {
    double sum = 0;
    for (std::size_t k = 0; k < length; ++k) {
      double& v = p[begin + k * step];
      v = std::log(std::max(v, kLeastProbability));
      sum += v;
    }
    for (std::size_t k = 0; k < length; ++k) p[begin + k * step] -= sum / static_cast<double>(length);
  });
}

double conditioned_tolerance(double asked, double rounding) {
  constexpr double kRoundings = 4, kBlind = 1;
  const double allowed = kRoundings * rounding;
  return allowed >= kBlind ? std::numeric_limits<double>::infinity() : std::max(asked, allowed);
}

ParityCheck::ParityCheck(ParityRule rule, std::vector<std::string> names, std::vector<std::optional<int>> softmax_axis)
    : rule_(rule) {
  softmax_axis.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    Output output;
    output.name = std::move(names[i]);
    output.softmax_axis = softmax_axis[i];
    outputs_.push_back(std::move(output));
  }
}

void ParityCheck::add(std::size_t index, const TensorView& got, const TensorView& reference) {
  Output& output = outputs_.at(index);
  if (!output.failure.empty()) return;
  if (got.dtype != reference.dtype || got.shape != reference.shape) {
    output.failure =
        fmt::format("output {} is {} {}, the reference's is {} {}", output.name, assay::to_string(got.dtype),
                    assay::to_string(got.shape), assay::to_string(reference.dtype), assay::to_string(reference.shape));
    return;
  }
  if (floats_of({nullptr, got.dtype, {0}, {}})) {
    add_floats(output, got, reference);
    return;
  }
  const std::size_t bytes = static_cast<std::size_t>(element_count(got.shape)) * size_of(got.dtype);
  if (bytes > 0 && std::memcmp(got.data, reference.data, bytes) != 0) {
    output.failure = fmt::format("output {} holds integers ({}) that differ from the reference's", output.name,
                                 assay::to_string(got.dtype));
  }
}

void ParityCheck::add_floats(Output& output, const TensorView& got, const TensorView& reference) {
  std::optional<std::vector<double>> mine = floats_of(got), theirs = floats_of(reference);
  if (!mine || !theirs) return;
  std::vector<double>&a = *mine, &b = *theirs;
  output.floating = true;
  const auto finite = [](double v) { return std::isfinite(v); };
  if (!std::all_of(b.begin(), b.end(), finite)) {
    output.failure = fmt::format("the reference itself answers NaN or infinity in output {}", output.name);
    return;
  }
  if (!std::all_of(a.begin(), a.end(), finite)) {
    output.failure = fmt::format("output {} holds NaN or infinity, the reference's does not", output.name);
    return;
  }
  if (a.empty()) return;
  const std::optional<int> softmax = normalised(output.softmax_axis, got.shape.size());
  if (softmax) {
    centre_log_probabilities(a, got.shape, *softmax);
    centre_log_probabilities(b, got.shape, *softmax);
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    output.largest_difference = std::max(output.largest_difference, std::abs(a[i] - b[i]));
    output.largest_reference = std::max(output.largest_reference, std::abs(b[i]));
  }
  // Classes: the Softmax's axis, or the last one of a [batch, classes] output.
  const std::optional<int> classes = softmax ? softmax : got.shape.size() == 2 ? std::optional(1) : std::nullopt;
  if (!classes || got.shape[static_cast<std::size_t>(*classes)] < 2) return;
  along_axis(got.shape, *classes, [&](std::size_t begin, std::size_t step, std::size_t length) {
    const Top1 expected = top1_of(b, begin, step, length);
    output.margins.push_back(expected.margin);
    output.agreed.push_back(top1_of(a, begin, step, length).index == expected.index);
  });
}

ParityResult ParityCheck::result() const {
  ParityResult result;
  std::int64_t agreed = 0;
  const auto fail = [&](const std::string& why) { result.failure += (result.failure.empty() ? "" : "; ") + why; };
  for (const Output& output : outputs_) {
    if (!output.failure.empty()) fail(output.failure);
    if (!output.floating) continue;
    const double scale = output.largest_reference;
    // A reference of zeros: the difference itself.
    const double error = output.largest_difference / (scale > 0 ? scale : 1);
    result.error = std::max(result.error, error);
    if (!rule_.by_top1 && error > rule_.tolerance) {
      fail(fmt::format("output {} differs from the reference by {:.2e} of its largest value; {:.0e} is allowed",
                       output.name, error, rule_.tolerance));
    }
    const double sure = rule_.tolerance * (scale > 0 ? scale : 1);
    for (std::size_t i = 0; i < output.margins.size(); ++i) {
      if (output.margins[i] <= sure) continue;
      ++result.top1_counted;
      agreed += output.agreed[i] ? 1 : 0;
    }
  }
  if (result.top1_counted > 0) {
    result.top1 = static_cast<double>(agreed) / static_cast<double>(result.top1_counted);
    const double least = rule_.by_top1 ? rule_.least_top1 : 1;
    if (*result.top1 < least) {
      fail(fmt::format("top-1 agrees with the reference in {} of {} answers; {:.0f} % are needed", agreed,
                       result.top1_counted, 100 * least));
    }
  }
  return result;
}

}  // namespace assay::worker
