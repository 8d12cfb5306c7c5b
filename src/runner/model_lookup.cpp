#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "assay/error.hpp"
#include "base/sha256.hpp"
#include "engine/layout.hpp"
#include "model/model.hpp"
#include "model/tensorflow_facts.hpp"
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

/// Where our reader does not understand the file, the engine will say what is wrong with it.
std::vector<std::string> signatures_of(const model::Model& m) {
  try {
    return model::signature_names(m);
  } catch (const Error&) {
    return {};
  }
}

ModelFacts facts_of(const Case& c, const std::filesystem::path& cache_folder) {
  ModelFacts facts;
  facts.path = model::resolve_model(c.model, cache_folder);
  const model::Model m = model::read_model(facts.path, c.shapes, c.batch_axis);
  facts.hash = model::model_hash(m, cache_folder / "hashes");
  facts.format = m.format;
  facts.signatures = signatures_of(m);
  facts.weight_bytes = m.statistics.weight_bytes;
  facts.footprints = {{m.statistics.weight_bytes, m.statistics.largest_step_bytes}};
  facts.flops = m.statistics.flops;
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
  all.footprints.insert(all.footprints.end(), one.footprints.begin(), one.footprints.end());
  add_up(all.flops, one.flops);
  all.answers_together = all.answers_together || one.answers_together;
}

/// Reads every file once for all that is said of its inputs.
class Lookup {
 public:
  explicit Lookup(std::filesystem::path cache_folder) : cache_folder_(std::move(cache_folder)) {}

  const ModelFacts& one(const Case& c) {
    const Key key{c.model, c.shapes, c.batch_axis};
    auto it = known_.find(key);
    if (it == known_.end()) it = known_.emplace(key, facts_of(c, cache_folder_)).first;
    return it->second;
  }

  ModelFacts ensemble(const Case& c) {
    const std::vector<std::string> members = members_of(c.model);
    std::vector<worker::MemberFile> files;
    files.reserve(members.size());
    for (const std::string& member : members) files.push_back(file(member));
    ModelFacts all;
    for (std::size_t m = 0; m < members.size(); ++m) {
      Case alone = c;
      alone.model = members[m];
      worker::rename_inputs(files, {&m, 1}, alone);
      const ModelFacts& facts = one(alone);
      if (all.members.empty()) {
        all = facts;
        all.members = {facts.path};
      } else {
        add_member(all, facts);
      }
    }
    all.files = std::move(files);
    return all;
  }

 private:
  using Key = std::tuple<std::string, std::map<std::string, Shape>, std::map<std::string, int>>;

  /// As its file has it, whatever is said of its inputs.
  const worker::MemberFile& file(const std::string& name) {
    auto it = files_.find(name);
    if (it != files_.end()) return it->second;
    const std::filesystem::path path = model::resolve_model(name, cache_folder_);
    const model::Model m = model::read_model(path);
    if (const std::string why = model::why_no_member(m.format); !why.empty()) {
      throw Error(ErrorCode::kInvalidArgument, "member '" + name + "': " + why, path.string());
    }
    return files_.emplace(name, worker::MemberFile{path, m.inputs}).first->second;
  }

  std::filesystem::path cache_folder_;
  std::map<Key, ModelFacts> known_;
  std::map<std::string, worker::MemberFile> files_;
};

}  // namespace

ModelLookup model_lookup(const std::filesystem::path& cache_folder) {
  return [lookup = std::make_shared<Lookup>(cache_folder)](const Case& c) {
    return is_ensemble(c) ? lookup->ensemble(c) : lookup->one(c);
  };
}

}  // namespace assay::runner
