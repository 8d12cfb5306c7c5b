#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

#include "assay/error.hpp"
#include "base/half.hpp"
#include "core/copy.hpp"
#include "input/source.hpp"

namespace assay::input {
namespace {

/// Counter-based: the n-th number of a stream is a function of (key, n) alone. Finaliser of SplitMix64 (Steele, Lea and
/// Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

constexpr std::uint64_t kGamma = UINT64_C(0x9E3779B97F4A7C15);

class Stream {
 public:
  explicit Stream(std::uint64_t key) : key_(key) {}
  std::uint64_t next() { return mixed(key_ + kGamma * ++counter_); }
  /// Standard normal, by Box and Muller's transform, one of the pair kept for the next call.
  float normal() {
    if (spare_ready_) {
      spare_ready_ = false;
      return spare_;
    }
    const std::uint64_t bits = next();
    const float u = (static_cast<float>(bits >> 40) + 0.5F) * 0x1p-24F;  // in (0, 1)
    const float angle = 2 * std::numbers::pi_v<float> * (static_cast<float>((bits >> 8) & 0xFFFFFFU) * 0x1p-24F);
    const float radius = std::sqrt(-2 * std::log(u));
    spare_ = radius * std::sin(angle);
    spare_ready_ = true;
    return radius * std::cos(angle);
  }
  /// In [low, high]; the high half of a 128-bit product (Lemire, 2019), whose bias of 2^-64 times the range is nothing
  /// here.
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
    const std::uint64_t offset =
        range == 0 ? next() : static_cast<std::uint64_t>((static_cast<Wide>(next()) * range) >> 64);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
  }

 private:
  __extension__ using Wide = unsigned __int128;
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
  float spare_ = 0;
  bool spare_ready_ = false;
};

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

template <class T, class Make>
void write_all(void* data, std::int64_t count, const Make& make) {
  T* const out = static_cast<T*>(data);
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(make());
}

std::uint16_t to_bfloat16(float value) {  // round to nearest even; never NaN here
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

void generate(DType dtype, std::pair<std::int64_t, std::int64_t> range, Stream& stream, void* data, std::int64_t n) {
  const auto normal = [&] { return stream.normal(); };
  const auto integer = [&] { return stream.integer(range.first, range.second); };
  switch (dtype) {
    case DType::kFloat32:
      return write_all<float>(data, n, normal);
    case DType::kFloat64:
      return write_all<double>(data, n, normal);
    case DType::kFloat16:
      return write_all<std::uint16_t>(data, n, [&] { return float_to_half(stream.normal()); });
    case DType::kBFloat16:
      return write_all<std::uint16_t>(data, n, [&] { return to_bfloat16(stream.normal()); });
    case DType::kBool:
    case DType::kUint8:
      return write_all<std::uint8_t>(data, n, integer);
    case DType::kInt8:
      return write_all<std::int8_t>(data, n, integer);
    case DType::kUint16:
      return write_all<std::uint16_t>(data, n, integer);
    case DType::kInt16:
      return write_all<std::int16_t>(data, n, integer);
    case DType::kUint32:
      return write_all<std::uint32_t>(data, n, integer);
    case DType::kInt32:
      return write_all<std::int32_t>(data, n, integer);
    case DType::kUint64:
      return write_all<std::uint64_t>(data, n, integer);
    case DType::kInt64:
      return write_all<std::int64_t>(data, n, integer);
  }
  throw Error(ErrorCode::kInternal, fmt::format("no generator for dtype {}", static_cast<int>(dtype)));
}

/// What the values of a type can be; Error where a range leaves it.
std::pair<std::int64_t, std::int64_t> checked_range(const TensorInfo& input, const DataSpec& data) {
  std::pair<std::int64_t, std::int64_t> range{0, 9};
  if (input.dtype == DType::kBool) range = {0, 1};
  if (input.dtype == DType::kUint8) range = {0, 255};
  const auto given = data.ranges.find(input.name);
  if (given == data.ranges.end()) return range;
  range = given->second;
  if (is_float(input.dtype)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a range was given for input {}, which is {}: ranges are for integers", input.name,
                            to_string(input.dtype)));
  }
  const bool is_signed = input.dtype == DType::kInt8 || input.dtype == DType::kInt16 || input.dtype == DType::kInt32 ||
                         input.dtype == DType::kInt64;
  const auto bits = static_cast<int>(size_of(input.dtype) * 8);
  const std::int64_t highest = input.dtype == DType::kBool ? 1
                               : bits >= 63                ? INT64_MAX
                                                           : (INT64_C(1) << (is_signed ? bits - 1 : bits)) - 1;
  const std::int64_t lowest = is_signed ? -highest - 1 : 0;
  if (range.first > range.second || range.first < lowest || range.second > highest) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the range {}:{} of input {} does not fit {}: it must rise and lie within {} and {}",
                            range.first, range.second, input.name, to_string(input.dtype), lowest, highest));
  }
  return range;
}

/// One sample's shape: the batch axis is 1 long.
Shape sample_shape(const TensorInfo& input, const std::map<std::string, Shape>& shapes) {
  const auto given = shapes.find(input.name);
  Shape shape = given == shapes.end() ? input.shape : given->second;
  if (shape.size() != input.shape.size()) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("input {} has {} axes, the shape given for it {}", input.name,
                                                         input.shape.size(), to_string(shape)));
  }
  if (input.batch_axis >= 0) shape.at(static_cast<std::size_t>(input.batch_axis)) = 1;
  for (const std::int64_t axis : shape) {
    if (axis >= 0) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("input {} ({}) has a free axis without a value; add --shape {}=…", input.name,
                            to_string(input.shape), input.name));
  }
  return shape;
}

class RandomSource final : public Source {
 public:
  RandomSource(const std::vector<TensorInfo>& inputs, const std::map<std::string, Shape>& shapes, const DataSpec& data,
               std::uint64_t cache_bytes) {
    std::uint64_t sample_bytes = 0;
    for (const TensorInfo& input : inputs) {
      shapes_.push_back(sample_shape(input, shapes));
      const std::pair<std::int64_t, std::int64_t> range = checked_range(input, data);
      sample_bytes += static_cast<std::uint64_t>(element_count(shapes_.back())) * size_of(input.dtype);
      inputs_.push_back(input);
      ranges_.push_back(range);
    }
    distinct_ = sample_bytes == 0 ? 1 : static_cast<std::int64_t>(cache_bytes / sample_bytes) + 1;
    // Made beforehand: while batches are timed, filling is a copy.
    for (std::size_t i = 0; i < inputs_.size(); ++i) samples_.push_back(make(i, data.seed));
  }

  [[nodiscard]] std::int64_t samples() const override { return -1; }

  void fill(std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) override {
    if (inputs.size() != inputs_.size()) {
      throw Error(ErrorCode::kInternal,
                  fmt::format("asked to fill {} inputs of a model with {}", inputs.size(), inputs_.size()));
    }
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const int axis = inputs_[i].batch_axis;
      if (axis < 0) {
        copy_elements(run(i, first % distinct_, 1), inputs[i]);
        continue;
      }
      for (std::int64_t done = 0; done < count;) {
        const std::int64_t from = (first + done) % distinct_;
        // Neighbours lie one behind the other, as they do in the batch where its axis is the first.
        const std::int64_t length = axis == 0 ? std::min(count - done, distinct_ - from) : 1;
        copy_elements(run(i, from, length), slice(inputs[i], static_cast<std::size_t>(axis), done, length));
        done += length;
      }
    }
  }

 private:
  /// Samples [first, first + count) of an input; more than one only where the batch axis is the first.
  [[nodiscard]] TensorView run(std::size_t input, std::int64_t first, std::int64_t count) const {
    const Tensor& all = samples_[input];
    const std::size_t bytes = all.bytes() / static_cast<std::size_t>(distinct_);
    Shape shape = shapes_[input];
    if (count > 1) shape[0] = count;
    return {all.as<std::byte>() + static_cast<std::size_t>(first) * bytes, all.dtype(), std::move(shape), {}};
  }
  [[nodiscard]] Tensor make(std::size_t input, std::uint64_t seed) const {
    const std::int64_t each = element_count(shapes_[input]);
    Tensor all(inputs_[input].dtype, {distinct_, each});
    for (std::int64_t s = 0; s < distinct_; ++s) {
      Stream stream(mixed(mixed(mixed(seed + kGamma) + input + 1) + static_cast<std::uint64_t>(s) + 1));
      std::byte* const at = all.as<std::byte>() + static_cast<std::size_t>(s * each) * size_of(all.dtype());
      generate(all.dtype(), ranges_[input], stream, at, each);
    }
    return all;
  }

  std::vector<TensorInfo> inputs_;
  std::vector<Shape> shapes_;
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges_;
  std::int64_t distinct_ = 1;
  std::vector<Tensor> samples_;  // per input: all distinct samples, one behind the other
};

}  // namespace

std::uint64_t bytes_per_sample(const std::vector<TensorInfo>& inputs, const std::map<std::string, Shape>& shapes) {
  std::uint64_t bytes = 0;
  for (const TensorInfo& input : inputs) {
    bytes += static_cast<std::uint64_t>(element_count(sample_shape(input, shapes))) * size_of(input.dtype);
  }
  return bytes;
}

std::unique_ptr<Source> random_source(const std::vector<TensorInfo>& inputs, const std::map<std::string, Shape>& shapes,
                                      const DataSpec& data, std::uint64_t cache_bytes) {
  return std::make_unique<RandomSource>(inputs, shapes, data, cache_bytes);
}

}  // namespace assay::input
