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

template <class T>
void vote(std::span<const void* const> members, std::span<const double> weights, std::int64_t elements,
          std::int64_t classes, T* result) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::fill_n(result, elements, T{0});
  for (std::int64_t row = 0; classes > 0 && row + classes <= elements; row += classes) {
    for (std::size_t m = 0; m < members.size(); ++m) {
      const T* values = static_cast<const T*>(members[m]) + row;
      result[row + (std::max_element(values, values + classes) - values)] += static_cast<T>(weights[m] / sum);
    }
  }
}

template <class T>
void combine_as(Combine how, std::span<const void* const> members, std::span<const double> weights,
                std::int64_t elements, std::int64_t classes, T* result) {
  if (how == Combine::kVote) return vote(members, weights, elements, classes, result);
  mean(members, weights, elements, result);
}

}  // namespace

void combine(Combine how, std::span<const void* const> members, std::span<const double> weights, DType dtype,
             std::int64_t elements, std::int64_t classes, void* result) {
  if (dtype == DType::kFloat32) {
    combine_as(how, members, weights, elements, classes, static_cast<float*>(result));
  } else {
    combine_as(how, members, weights, elements, classes, static_cast<double*>(result));
  }
}

}  // namespace engine
}  // namespace assay
