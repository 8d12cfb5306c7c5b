#include <map>

#include "compiler/operators/operator.hpp"

namespace assay::compiler {

ImportFunction find_importer(std::string_view domain, std::string_view name) {
  static const auto* rows = [] {
    auto* made = new std::map<std::pair<std::string_view, std::string_view>, ImportFunction>;
    for (const auto part : {elementwise_rows(), activation_rows(), reduction_rows(), normalization_rows(),
                            network_rows(), piece_rows(), indexed_rows()}) {
      for (const OperatorRow& row : part) made->emplace(std::pair(row.domain, row.name), row.import);
    }
    return made;
  }();
  const auto found = rows->find({domain, name});
  return found != rows->end() ? found->second : nullptr;
}

}  // namespace assay::compiler
