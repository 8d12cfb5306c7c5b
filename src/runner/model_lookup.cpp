#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "assay/error.hpp"
#include "engine/layout.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"
#include "runner/facts.hpp"

namespace assay::runner {
namespace {

bool answers_together(const model::Model& m, const Case& c) {
  Params params;
  params.batch_size = 0;
  params.shapes = c.shapes;
  params.batch_axis = c.batch_axis;
  try {
    const engine::Layout layout(m.inputs, m.outputs, params);
    const auto alone = [](const engine::TensorLayout& output) { return output.info.batch_axis < 0; };
    return layout.batched && std::any_of(layout.outputs.begin(), layout.outputs.end(), alone);
  } catch (const Error&) {
    return false;  // such a case cannot be loaded, and its row will say why
  }
}

}  // namespace

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
    facts.format = m.format;
    facts.weight_bytes = m.statistics.weight_bytes;
    facts.flops = m.statistics.flops;
    facts.step_bytes = m.statistics.largest_step_bytes;
    facts.answers_together = answers_together(m, c);
    known->emplace(key, facts);
    return facts;
  };
}

}  // namespace assay::runner
