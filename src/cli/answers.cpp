#include "cli/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "assay/error.hpp"
#include "base/half.hpp"
#include "core/copy.hpp"

namespace assay::cli {
namespace {

double from_bfloat16(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

}  // namespace

double element(const Tensor& t, std::int64_t i) {
  switch (t.dtype()) {
    case DType::kFloat32:
      return t.as<float>()[i];
    case DType::kFloat64:
      return t.as<double>()[i];
    case DType::kFloat16:
      return half_to_float(t.as<std::uint16_t>()[i]);
    case DType::kBFloat16:
      return from_bfloat16(t.as<std::uint16_t>()[i]);
    case DType::kUint8:
    case DType::kBool:
      return t.as<std::uint8_t>()[i];
    case DType::kInt8:
      return t.as<std::int8_t>()[i];
    case DType::kUint16:
      return t.as<std::uint16_t>()[i];
    case DType::kInt16:
      return t.as<std::int16_t>()[i];
    case DType::kUint32:
      return t.as<std::uint32_t>()[i];
    case DType::kInt32:
      return t.as<std::int32_t>()[i];
    case DType::kUint64:
      return static_cast<double>(t.as<std::uint64_t>()[i]);
    case DType::kInt64:
      return static_cast<double>(t.as<std::int64_t>()[i]);
  }
  return 0;
}

Answers::Answers(std::vector<TensorInfo> outputs, std::int64_t samples)
    : infos_(std::move(outputs)), samples_(samples), tensors_(infos_.size()), state_(infos_.size()) {}

void Answers::add(std::int64_t first, std::int64_t count, std::span<const TensorView> outputs) {
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    // A scalar has no axis to put batches along, whatever is said of the output.
    const bool along = infos_[o].batch_axis >= 0 && batch_axis(o) < outputs[o].shape.size();
    if (along) {
      append(o, first, count, outputs[o]);
    } else {
      keep(o, first, outputs[o]);
    }
  }
}

void Answers::keep(std::size_t output, std::int64_t first, const TensorView& batch) {
  if (first > 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("output '{}' is {}, without an axis along which several batches could be put together; "
                            "give all {} samples at once: --batch-size {}",
                            infos_[output].name, to_string(batch.shape), samples_, samples_));
  }
  state_[output].by_sample = samples_ == 1;
  tensors_[output] = Tensor(batch.dtype, batch.shape);
  copy_elements(batch, tensors_[output].mutable_view());
}

void Answers::append(std::size_t output, std::int64_t first, std::int64_t count, const TensorView& batch) {
  const std::size_t axis = batch_axis(output);
  const std::int64_t rows = batch.shape[axis];
  State& state = state_[output];
  state.by_sample = state.by_sample && rows == count;
  reserve(output, state.by_sample ? samples_ : state.rows + rows, batch);
  copy_elements(batch, slice(tensors_[output].mutable_view(), axis, state.rows, rows));
  state.rows += rows;
  // The last batch: what was reserved and not filled goes.
  if (first + count == samples_ && state.rows != tensors_[output].shape()[axis]) {
    Shape exact = batch.shape;
    exact[axis] = state.rows;
    Tensor whole(batch.dtype, exact);
    copy_elements(slice(tensors_[output].view(), axis, 0, state.rows), whole.mutable_view());
    tensors_[output] = std::move(whole);
  }
}

/// Room for `rows` along the batch axis; what is there stays.
void Answers::reserve(std::size_t output, std::int64_t rows, const TensorView& batch) {
  const std::size_t axis = batch_axis(output);
  const State& state = state_[output];
  Tensor& whole = tensors_[output];
  Shape wanted = batch.shape;
  if (state.rows == 0) {
    wanted[axis] = rows;
    whole = Tensor(batch.dtype, wanted);
    return;
  }
  const bool fits = whole.shape().size() == wanted.size();
  if (fits) wanted[axis] = whole.shape()[axis];
  if (whole.shape() != wanted) {
    Shape before = whole.shape();
    before[axis] = state.rows;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("output '{}' was {} and is {} in a later batch, so the batches make no one array; give "
                            "all samples at once: --batch-size {}",
                            infos_[output].name, to_string(before), to_string(batch.shape), samples_));
  }
  if (rows <= wanted[axis]) return;
  wanted[axis] = std::max(rows, 2 * wanted[axis]);
  Tensor larger(batch.dtype, wanted);
  copy_elements(slice(whole.view(), axis, 0, state.rows), slice(larger.mutable_view(), axis, 0, state.rows));
  whole = std::move(larger);
}

Top Answers::top(std::size_t output, std::int64_t sample, std::size_t k) const {
  const TensorView whole = tensors_[output].view();
  const bool along = infos_[output].batch_axis >= 0 && batch_axis(output) < whole.shape.size();
  const TensorView part = along ? slice(whole, batch_axis(output), sample, 1) : whole;
  Tensor one(part.dtype, part.shape);
  copy_elements(part, one.mutable_view());
  Top result;
  for (std::int64_t i = 0; i < one.size(); ++i) {
    result.values.emplace_back(i, element(one, i));
    if (std::isnan(result.values.back().second)) ++result.nan;
  }
  k = std::min(k, result.values.size());
  std::partial_sort(result.values.begin(), result.values.begin() + static_cast<std::ptrdiff_t>(k), result.values.end(),
                    [](const auto& a, const auto& b) {
                      if (std::isnan(a.second) != std::isnan(b.second)) return std::isnan(b.second);
                      if (a.second > b.second || a.second < b.second) return a.second > b.second;
                      return a.first < b.first;  // the order must not depend on k, nor differ from evaluate's
                    });
  result.values.resize(k);
  return result;
}

}  // namespace assay::cli
