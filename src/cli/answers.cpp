#include "cli/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "assay/error.hpp"
#include "core/copy.hpp"
#include "core/half.hpp"

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
    : infos_(std::move(outputs)), samples_(samples), tensors_(infos_.size()) {}

void Answers::add(std::int64_t first, std::int64_t count, std::span<const TensorView> outputs) {
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const int axis = infos_[o].batch_axis;
    Shape whole = outputs[o].shape;
    if (axis >= 0) whole[static_cast<std::size_t>(axis)] = samples_;
    if (first == 0 || axis < 0) tensors_[o] = Tensor(outputs[o].dtype, whole);
    if (tensors_[o].shape() != whole) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("output '{}' was {} and is {} in a later batch, so the batches make no one array; give "
                              "all samples at once with --batch-size",
                              infos_[o].name, to_string(tensors_[o].shape()), to_string(whole)));
    }
    const MutableTensorView all = tensors_[o].mutable_view();
    copy_elements(outputs[o], axis < 0 ? all : slice(all, static_cast<std::size_t>(axis), first, count));
  }
}

std::vector<std::pair<std::int64_t, double>> Answers::top(std::size_t output, std::int64_t sample,
                                                          std::size_t k) const {
  const int axis = infos_[output].batch_axis;
  const TensorView whole = tensors_[output].view();
  const TensorView part = axis < 0 ? whole : slice(whole, static_cast<std::size_t>(axis), sample, 1);
  Tensor one(part.dtype, part.shape);
  copy_elements(part, one.mutable_view());
  std::vector<std::pair<std::int64_t, double>> all;
  for (std::int64_t i = 0; i < one.size(); ++i) all.emplace_back(i, element(one, i));
  k = std::min(k, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end(),
                    [](const auto& a, const auto& b) { return a.second > b.second; });
  all.resize(k);
  return all;
}

}  // namespace assay::cli
