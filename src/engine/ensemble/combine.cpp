#include "engine/ensemble/combine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace assay {
namespace {

constexpr std::array<const char*, 3> kNames = {"mean", "vote", "members"};

}  // namespace

const char* to_string(Combine combine) { return kNames[static_cast<std::size_t>(combine)]; }

Combine combine_from_string(const std::string& text) {
  const auto it = std::find(kNames.begin(), kNames.end(), text);
  if (it != kNames.end()) return static_cast<Combine>(it - kNames.begin());
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is no way to combine members; there are {}", text, fmt::join(kNames, ", ")));
}

namespace engine {
namespace {

template <class T>
void mean(std::span<const void* const> members, std::span<const double> weights, std::int64_t elements, T* result) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::int64_t i = 0; i < elements; ++i) {
    double value = 0;
    for (std::size_t m = 0; m < members.size(); ++m) value += weights[m] * static_cast<const T*>(members[m])[i];
    result[i] = static_cast<T>(value / sum);
  }
}

/// Where the values of a sample's classes lie.
struct Ballots {
  std::int64_t classes = 0;
  std::int64_t stride = 1;  ///< elements from one class to the next
};

Ballots ballots_of(const Shape& shape, int batch_axis) {
  const std::optional<std::size_t> classes = class_axis(shape, batch_axis);
  if (!classes) throw Error(ErrorCode::kInternal, "a vote without an axis of classes");
  const std::size_t axis = *classes;
  return {shape[axis], element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()))};
}

template <class T>
std::int64_t largest_of(const T* values, const Ballots& ballots) {
  std::int64_t largest = 0;
  for (std::int64_t c = 1; c < ballots.classes; ++c) {
    if (values[c * ballots.stride] > values[largest * ballots.stride]) largest = c;
  }
  return largest;
}

/// Counted in double and divided at the end: whole weights are added exactly, so that even votes are even.
template <class T>
void vote(std::span<const void* const> members, std::span<const double> weights, std::int64_t elements,
          const Ballots& ballots, T* result) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const std::int64_t block = ballots.classes * ballots.stride;
  std::vector<double> votes(static_cast<std::size_t>(ballots.classes));
  for (std::int64_t begin = 0; begin < elements; begin += block) {
    for (std::int64_t sample = begin; sample < begin + ballots.stride; ++sample) {
      std::fill(votes.begin(), votes.end(), 0.0);
      for (std::size_t m = 0; m < members.size(); ++m) {
        const T* values = static_cast<const T*>(members[m]) + sample;
        votes[static_cast<std::size_t>(largest_of(values, ballots))] += weights[m];
      }
      for (std::int64_t c = 0; c < ballots.classes; ++c) {
        result[sample + c * ballots.stride] = static_cast<T>(votes[static_cast<std::size_t>(c)] / sum);
      }
    }
  }
}

template <class T>
void combine_as(Combine how, std::span<const void* const> members, std::span<const double> weights, const Shape& shape,
                int batch_axis, T* result) {
  if (how == Combine::kVote) {
    vote(members, weights, element_count(shape), ballots_of(shape, batch_axis), result);
  } else {
    mean(members, weights, element_count(shape), result);
  }
}

}  // namespace

std::optional<std::size_t> class_axis(const Shape& shape, int batch_axis) {
  std::optional<std::size_t> found;
  for (std::size_t a = 0; a < shape.size(); ++a) {
    if (static_cast<int>(a) == batch_axis || shape[a] == 1) continue;
    if (found || shape[a] == 0) return std::nullopt;
    found = a;
  }
  return found;
}

void combine(Combine how, std::span<const void* const> members, std::span<const double> weights, DType dtype,
             const Shape& shape, int batch_axis, void* result) {
  if (dtype == DType::kFloat32) {
    combine_as(how, members, weights, shape, batch_axis, static_cast<float*>(result));
  } else {
    combine_as(how, members, weights, shape, batch_axis, static_cast<double*>(result));
  }
}

}  // namespace engine
}  // namespace assay
