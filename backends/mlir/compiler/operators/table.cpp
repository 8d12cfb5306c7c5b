#include <algorithm>
#include <array>
#include <map>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {
namespace {

using Rows = std::map<std::pair<std::string_view, std::string_view>, ImportFunction>;

constexpr std::array<std::string_view, 4> kInferred = {"Constant", "Range", "Shape", "Size"};

const Rows& all_rows() {
  static const auto* rows = [] {
    auto* made = new Rows;
    for (const auto part : {elementwise_rows(), activation_rows(), reduction_rows(), normalization_rows(),
                            network_rows(), piece_rows(), indexed_rows()}) {
      for (const OperatorRow& row : part) made->emplace(std::pair(row.domain, row.name), row.import);
    }
    return made;
  }();
  return *rows;
}

}  // namespace

ImportFunction find_importer(std::string_view domain, std::string_view name) {
  const auto found = all_rows().find({domain, name});
  return found != all_rows().end() ? found->second : nullptr;
}

bool is_inferred(std::string_view domain, std::string_view name) {
  return domain.empty() && std::find(kInferred.begin(), kInferred.end(), name) != kInferred.end();
}

std::vector<std::string> operator_names() {
  std::vector<std::string> names(kInferred.begin(), kInferred.end());
  for (const auto& [key, import] : all_rows())
    names.push_back(std::string(key.first) + (key.first.empty() ? "" : ".") + std::string(key.second));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace assay::compiler
