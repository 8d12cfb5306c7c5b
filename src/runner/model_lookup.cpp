#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "assay/error.hpp"
#include "base/sha256.hpp"
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

namespace {

ModelFacts facts_of(const std::string& name, const Case& c, const std::filesystem::path& cache_folder) {
  ModelFacts facts;
  facts.path = model::resolve_model(name, cache_folder);
  const model::Model m = model::read_model(facts.path, c.shapes, c.batch_axis);
  facts.hash = model::model_hash(m, cache_folder / "hashes");
  facts.format = m.format;
  facts.weight_bytes = m.statistics.weight_bytes;
  facts.flops = m.statistics.flops;
  facts.step_bytes = m.statistics.largest_step_bytes;
  facts.answers_together = answers_together(m, c);
  return facts;
}

void add_up(std::optional<std::int64_t>& sum, const std::optional<std::int64_t>& one) {
  if (sum && one) {
    *sum += *one;
  } else {
    sum.reset();
  }
}

/// A member that is there twice is held once, and computes twice.
void add_member(ModelFacts& all, const ModelFacts& one) {
  const bool again = std::find(all.members.begin(), all.members.end(), one.path) != all.members.end();
  all.members.push_back(one.path);
  all.hash = sha256_of(all.hash + one.hash);
  if (!again) all.weight_bytes += one.weight_bytes;
  add_up(all.flops, one.flops);
  add_up(all.step_bytes, one.step_bytes);
  all.answers_together = all.answers_together || one.answers_together;
  if (one.format != model::Format::kOnnx) all.format = one.format;
}

}  // namespace

ModelLookup model_lookup(const std::filesystem::path& cache_folder) {
  using Key = std::tuple<std::string, std::map<std::string, Shape>, std::map<std::string, int>>;
  auto known = std::make_shared<std::map<Key, ModelFacts>>();
  return [known, cache_folder](const Case& c) {
    const auto facts_once = [&](const std::string& name) -> const ModelFacts& {
      const Key key{name, c.shapes, c.batch_axis};
      auto it = known->find(key);
      if (it == known->end()) it = known->emplace(key, facts_of(name, c, cache_folder)).first;
      return it->second;
    };
    if (!is_ensemble(c)) return facts_once(c.model);
    ModelFacts all;
    for (const std::string& member : members_of(c.model)) {
      const ModelFacts& one = facts_once(member);
      if (all.members.empty()) {
        all = one;
        all.members = {one.path};
      } else {
        add_member(all, one);
      }
    }
    return all;
  };
}

}  // namespace assay::runner
