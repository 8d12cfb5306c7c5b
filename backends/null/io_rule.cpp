#include "io_rule.hpp"

#include <bit>
#include <charconv>

namespace assay::null_backend {
namespace {

using kit::Failure;

constexpr std::pair<const char*, assay_dtype> kTypes[] = {
    {"float32", ASSAY_FLOAT32},  {"uint8", ASSAY_UINT8},     {"int8", ASSAY_INT8},     {"uint16", ASSAY_UINT16},
    {"int16", ASSAY_INT16},      {"int32", ASSAY_INT32},     {"int64", ASSAY_INT64},   {"bool", ASSAY_BOOL},
    {"float16", ASSAY_FLOAT16},  {"float64", ASSAY_FLOAT64}, {"uint32", ASSAY_UINT32}, {"uint64", ASSAY_UINT64},
    {"bfloat16", ASSAY_BFLOAT16}};

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(separator, begin)) != std::string::npos; begin = end + separator.size()) {
    parts.push_back(text.substr(begin, end - begin));
  }
  parts.push_back(text.substr(begin));
  return parts;
}

kit::TensorInfo parse_tensor(const std::string& text) {
  std::vector<std::string> parts = split(text, ":");
  while (parts.size() > 3) {  // a name may hold some
    parts[0] += ":" + parts[1];
    parts.erase(parts.begin() + 1);
  }
  const Failure failure(ASSAY_INVALID_ARGUMENT,
                        "the option io has '" + text + "'; a tensor is name:type:shape, as input:float32:-1x8");
  if (parts.size() != 3 || parts[0].empty()) throw failure;
  kit::TensorInfo info;
  info.name = parts[0];
  info.dtype = 0;
  for (const auto& [name, dtype] : kTypes) {
    if (parts[1] == name) info.dtype = dtype;
  }
  if (info.dtype == 0) throw failure;
  if (parts[2] == "?") {
    info.rank_known = false;
  } else if (!parts[2].empty()) {
    for (const std::string& word : split(parts[2], "x")) {
      std::int64_t axis = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), axis);
      if (error != std::errc() || end != word.data() + word.size() || axis < -1) throw failure;
      info.shape.push_back(axis);
      info.axes.emplace_back(axis >= 0                ? ""
                             : info.shape.size() == 1 ? "batch"
                                                      : "axis" + std::to_string(info.shape.size() - 1));
    }
  }
  return info;
}

std::vector<kit::TensorInfo> parse_tensors(const std::string& text) {
  std::vector<kit::TensorInfo> infos;
  for (const std::string& part : split(text, ",")) infos.push_back(parse_tensor(part));
  return infos;
}

bool has_batch(const kit::TensorInfo& info) { return info.rank_known && !info.shape.empty() && info.shape[0] < 0; }

std::uint64_t element(const std::byte* data, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, data, bytes);
  return value;
}

// A real in [0, 1) in the type's own bits; an integer under 128; a bool.
std::uint64_t encode(assay_dtype dtype, std::uint64_t hash) {
  const float real = static_cast<float>(hash >> 40) * 0x1p-24F;
  switch (dtype) {
    case ASSAY_FLOAT32:
      return std::bit_cast<std::uint32_t>(real);
    case ASSAY_FLOAT64:
      return std::bit_cast<std::uint64_t>(static_cast<double>(real));
    case ASSAY_BFLOAT16:
      return std::bit_cast<std::uint32_t>(real) >> 16;
    case ASSAY_FLOAT16:
      return 0x3400U + ((hash >> 40) & 0x7ffU);  // from 0.25 to under 1
    case ASSAY_BOOL:
      return (hash >> 40) & 1U;
    default:
      return (hash >> 40) & 0x7fU;
  }
}

template <class Unsigned>
void write_elements(std::span<const std::uint64_t> hashes, std::uint64_t salt, const assay_tensor& tensor,
                    std::int64_t count) {
  auto* out = static_cast<std::byte*>(tensor.data);
  const std::int64_t samples = static_cast<std::int64_t>(hashes.size());
  const std::int64_t each = count / samples;
  for (std::int64_t i = 0; i < count; ++i, out += sizeof(Unsigned)) {
    const std::uint64_t hash = hashes[static_cast<std::size_t>(i / each)];
    const auto value =
        static_cast<Unsigned>(encode(tensor.dtype, mix(hash + salt + static_cast<std::uint64_t>(i % each))));
    std::memcpy(out, &value, sizeof value);  // the memory need not be aligned
  }
}

}  // namespace

std::uint64_t mix(std::uint64_t value) {  // SplitMix64's finaliser
  value += 0x9e3779b97f4a7c15U;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

IoRule parse_rule(const std::string& text) {
  const std::vector<std::string> sides = split(text, "->");
  if (sides.size() != 2)
    throw Failure(ASSAY_INVALID_ARGUMENT, "the option io is '" + text + "'; it reads inputs->outputs");
  IoRule rule{parse_tensors(sides[0]), parse_tensors(sides[1])};
  for (const kit::TensorInfo& input : rule.inputs) {
    if (!input.rank_known)
      throw Failure(ASSAY_INVALID_ARGUMENT, "the option io has an input '" + input.name + "' without a rank");
  }
  return rule;
}

void hash_samples(const IoRule& rule, std::span<const assay_tensor> inputs, std::uint64_t seed,
                  std::vector<std::uint64_t>& hashes) {
  const bool batch = std::all_of(rule.inputs.begin(), rule.inputs.end(), has_batch);
  hashes.assign(batch ? static_cast<std::size_t>(inputs[0].shape[0]) : 1, mix(seed));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::size_t bytes = kit::element_bytes(inputs[i].dtype);
    const std::size_t all =
        static_cast<std::size_t>(kit::element_count({inputs[i].shape, static_cast<std::size_t>(inputs[i].rank)}));
    const std::size_t each = hashes.empty() ? 0 : all / hashes.size();
    const std::size_t picks = std::min<std::size_t>(each, 64);
    const auto* data = static_cast<const std::byte*>(inputs[i].data);
    for (std::uint64_t& hash : hashes) {
      for (std::size_t k = 0; k < picks; ++k) {
        const std::size_t at = picks == 1 ? 0 : k * (each - 1) / (picks - 1);
        hash = mix(hash ^ element(data + at * bytes, bytes)) + i;
      }
      data += each * bytes;
    }
  }
}

void write_output(const kit::TensorInfo& info, std::span<const std::uint64_t> hashes, std::size_t output,
                  const assay_tensor& tensor) {
  const std::int64_t count = kit::element_count({tensor.shape, static_cast<std::size_t>(tensor.rank)});
  if (count == 0) return;
  // An output without the samples' axis is a function of all of them.
  std::uint64_t together = 0;
  for (const std::uint64_t hash : hashes) together = mix(together ^ hash);
  const bool batch = has_batch(info) && tensor.shape[0] == static_cast<std::int64_t>(hashes.size());
  const std::span<const std::uint64_t> used = batch ? hashes : std::span<const std::uint64_t>(&together, 1);
  const std::uint64_t salt = mix(output) << 32;
  switch (kit::element_bytes(tensor.dtype)) {
    case 1:
      return write_elements<std::uint8_t>(used, salt, tensor, count);
    case 2:
      return write_elements<std::uint16_t>(used, salt, tensor, count);
    case 4:
      return write_elements<std::uint32_t>(used, salt, tensor, count);
    default:
      return write_elements<std::uint64_t>(used, salt, tensor, count);
  }
}

}  // namespace assay::null_backend
