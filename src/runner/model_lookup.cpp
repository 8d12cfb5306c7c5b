#include <map>
#include <memory>
#include <tuple>

#include "model/model.hpp"
#include "model/zoo.hpp"
#include "runner/facts.hpp"

namespace assay::runner {

ModelLookup model_lookup(const std::filesystem::path& cache_folder) {
  using Key = std::tuple<std::string, std::map<std::string, Shape>, std::map<std::string, int>>;
  auto known = std::make_shared<std::map<Key, ModelFacts>>();
  return [known, cache_folder](const Case& c) {
    const Key key{c.model, c.shapes, c.batch_axis};
    if (const auto it = known->find(key); it != known->end()) return it->second;
    ModelFacts facts;
    facts.path = model::resolve_model(c.model, cache_folder);
    const model::Model m = model::read_model(facts.path, c.shapes, c.batch_axis);
    facts.hash = model::model_hash(m, cache_folder / "hashes");
    facts.weight_bytes = m.statistics.weight_bytes;
    facts.flops = m.statistics.flops;
    facts.step_bytes = m.statistics.largest_step_bytes;
    known->emplace(key, facts);
    return facts;
  };
}

}  // namespace assay::runner
