#include "onnx_graph/rounding.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "onnx_graph/graph.hpp"

namespace assay::onnx_graph {
namespace {

constexpr int kSignificand = 24;

/// Rounds in place what a Model's tensors are views of.
class Rounding {
 public:
  Rounding(std::string& file, int bits) : file_(file), bits_(bits) {}

  void graph(const Graph& graph) {
    for (const Tensor& t : graph.initializers) tensor(t);
    for (const Node& node : graph.nodes) {
      for (const Attribute& a : node.attributes) attribute(a.value);
    }
  }

 private:
  void attribute(const AttributeValue& value) {
    if (const auto* one = std::get_if<Tensor>(&value)) tensor(*one);
    if (const auto* all = std::get_if<std::vector<Tensor>>(&value)) {
      for (const Tensor& t : *all) tensor(t);
    }
    if (const auto* one = std::get_if<std::shared_ptr<const Graph>>(&value)) graph(**one);
    if (const auto* all = std::get_if<std::vector<std::shared_ptr<const Graph>>>(&value)) {
      for (const auto& g : *all) graph(*g);
    }
  }

  void tensor(const Tensor& t) {
    if (t.type != ElementType::kFloat32) return;
    for (const std::span<const std::byte> chunk : t.chunks) {
      char* data = file_.data() + (reinterpret_cast<const char*>(chunk.data()) - file_.data());
      for (std::size_t at = 0; at + sizeof(float) <= chunk.size(); at += sizeof(float)) {
        float value = 0;
        std::memcpy(&value, data + at, sizeof value);
        value = rounded(value, bits_);
        std::memcpy(data + at, &value, sizeof value);
      }
    }
  }

  std::string& file_;
  int bits_;
};

}  // namespace

float rounded(float value, int bits) {
  const int dropped = kSignificand - bits;
  const auto word = std::bit_cast<std::uint32_t>(value);
  constexpr std::uint32_t kExponent = 0x7F800000;
  if (dropped <= 0 || (word & kExponent) == kExponent) return value;
  const std::uint32_t odd = (word >> dropped) & 1U, kept = ~((1U << dropped) - 1U);
  const std::uint32_t nearest = (word + (1U << (dropped - 1)) - 1U + odd) & kept;
  return std::bit_cast<float>((nearest & kExponent) == kExponent ? word & kept : nearest);
}

std::string with_rounded_weights(const std::filesystem::path& model, int bits) {
  std::string file = read_file(model, std::uint64_t{8} << 30);
  const Model parsed = parse(std::as_bytes(std::span(file)), model.parent_path());
  if (!parsed.external_files.empty()) {  // of whatever type: what is answered would not find them
    throw Error(ErrorCode::kUnsupported, fmt::format("the weights are not rounded: {} lies beside the model",
                                                     parsed.external_files[0].filename().string()));
  }
  Rounding(file, bits).graph(parsed.graph);
  return file;
}

}  // namespace assay::onnx_graph
