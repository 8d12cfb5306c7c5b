#include "placement.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace assay::ort {
namespace {

constexpr std::size_t kMostElsewhere = 4;  // one in so many

constexpr std::array<std::string_view, 14> kBookkeeping = {
    "Cast",    "Concat", "Constant", "ConstantOfShape", "Flatten", "Gather",   "Identity", "Range",
    "Reshape", "Shape",  "Size",     "Slice",           "Squeeze", "Unsqueeze"};

constexpr std::array<std::string_view, 22> kHeavy = {"Attention",
                                                     "Conv",
                                                     "ConvInteger",
                                                     "ConvTranspose",
                                                     "DeformConv",
                                                     "Einsum",
                                                     "FusedConv",
                                                     "FusedGemm",
                                                     "FusedMatMul",
                                                     "GRU",
                                                     "Gemm",
                                                     "GroupQueryAttention",
                                                     "LSTM",
                                                     "MatMul",
                                                     "MatMulInteger",
                                                     "MatMulNBits",
                                                     "MultiHeadAttention",
                                                     "NhwcFusedConv",
                                                     "QLinearConv",
                                                     "QLinearMatMul",
                                                     "RNN",
                                                     "TransposeMatMul"};

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& known, const std::string& type) {
  return std::find(known.begin(), known.end(), type) != known.end();
}

std::string by_frequency(const std::map<std::string, std::size_t>& counts) {
  std::vector<std::pair<std::string, std::size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [type, count] : sorted) text += (text.empty() ? "" : ", ") + type + " " + std::to_string(count);
  return text;
}

}  // namespace

bool NodeShare::mostly_lost() const { return elsewhere * kMostElsewhere > here + elsewhere; }

bool PlacementCount::runs_here() const { return all.here > 0 && !computing.mostly_lost() && !heavy.mostly_lost(); }

PlacementCount count_placement(const std::vector<PlacedNodes>& placed, const std::string& provider) {
  constexpr std::size_t kNamed = 8;
  PlacementCount count;
  std::map<std::string, std::size_t> types;
  for (const PlacedNodes& part : placed) {
    const bool is_here = part.provider == provider;
    for (const auto& [name, type] : part.nodes) {
      count.all.count(is_here);
      if (!is_among(kBookkeeping, type)) count.computing.count(is_here);
      if (is_among(kHeavy, type)) count.heavy.count(is_here);
      if (is_here) continue;
      ++types[type];
      if (count.all.elsewhere <= kNamed) count.names += (count.names.empty() ? "" : ", ") + type + " " + name;
    }
  }
  if (count.all.elsewhere > kNamed) count.names += ", …";
  count.operators = by_frequency(types);
  return count;
}

}  // namespace assay::ort
