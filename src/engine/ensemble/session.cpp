#include "engine/ensemble/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/case.hpp"
#include "engine/ensemble/combine.hpp"
#include "engine/ensemble/member_error.hpp"
#include "engine/stream.hpp"
#include "engine/unit.hpp"

namespace assay::engine {
namespace {

kit::TensorInfo kit_info(const TensorInfo& t) {
  return {t.name, static_cast<assay_dtype>(t.dtype), t.rank_known, t.shape, t.axes};
}

std::vector<kit::TensorInfo> kit_infos(const std::vector<TensorInfo>& all) {
  std::vector<kit::TensorInfo> result;
  for (const TensorInfo& t : all) result.push_back(kit_info(t));
  return result;
}

/// What is being handled, as it crosses the boundary, where there is one text: the member's name, then context and all.
kit::Failure caught_failure(const std::string& member) {
  const Error e = caught_error();
  const bool at_boundary = e.code() <= ErrorCode::kInternal;
  return {at_boundary ? static_cast<assay_status>(e.code()) : ASSAY_INTERNAL,
          fmt::format("member '{}': {}", member, e.what())};
}

/// What the lanes do with one batch: every member's predict on the slot's memory.
class SlotBatch final : public EnsembleBatch {
 public:
  /// `shapes`: of the ensemble's inputs, whole.
  SlotBatch(OpenEnsemble& ensemble, std::vector<Shape> shapes) : ensemble_(ensemble), input_shapes_(std::move(shapes)) {
    const Wiring& wiring = ensemble.wiring;
    const std::int64_t samples = samples_of(wiring);
    for (const TensorInfo& t : wiring.outputs) {
      Shape shape = t.shape;
      if (t.batch_axis >= 0) shape[static_cast<std::size_t>(t.batch_axis)] = samples;
      if (!t.rank_known || std::any_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 0; })) {
        throw kit::Failure(ASSAY_UNSUPPORTED,
                           fmt::format("output '{}' has the shape {}: what is known only after a run cannot be one of "
                                       "an ensemble's outputs yet{}",
                                       t.name, to_string(t.shape),
                                       t.rank_known ? fmt::format(", but with strategy '{}'", kMerged) : ""));
      }
      output_shapes_.push_back(std::move(shape));
    }
    buffers_.resize(wiring.outputs.size());
    for (std::size_t m = 0; m < ensemble.members.size(); ++m) make_views(m);
  }

  void bind(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) {
    const Wiring& wiring = ensemble_.wiring;
    for (std::size_t m = 0; m < x_.size(); ++m) {
      for (std::size_t i = 0; i < x_[m].size(); ++i) x_[m][i].data = inputs[wiring.input_of[m][i]].data;
    }
    results_.clear();
    for (const assay_tensor& t : outputs) results_.push_back(t.data);
    if (ensemble_.combine != Combine::kMembers) return;
    for (std::size_t m = 0; m < y_.size(); ++m) {
      for (std::size_t o = 0; o < y_[m].size(); ++o) y_[m][o].data = results_[wiring.output_of[m][o]];
    }
  }

  void run(std::size_t member) override {
    const OpenMember& m = ensemble_.members[member];
    const auto under_way = m.note.computing();
    try {
      predict_alone(*m.session, x_[member], y_[member]);
    } catch (...) {
      throw caught_failure(m.tensors.name);
    }
  }

  void combine() override {
    if (ensemble_.combine == Combine::kMembers) return;
    for (std::size_t o = 0; o < output_shapes_.size(); ++o) {
      const TensorInfo& output = ensemble_.wiring.outputs[o];
      engine::combine(ensemble_.combine, answers_[o], weights_, output.dtype, output_shapes_[o], output.batch_axis,
                      results_[o]);
    }
  }

  [[nodiscard]] const std::vector<Shape>& output_shapes() const { return output_shapes_; }

 private:
  [[nodiscard]] std::int64_t samples_of(const Wiring& wiring) const {
    for (std::size_t i = 0; i < wiring.inputs.size(); ++i) {
      const int axis = wiring.inputs[i].batch_axis;
      if (axis >= 0) return input_shapes_[i][static_cast<std::size_t>(axis)];
    }
    return 1;
  }

  /// Of what does not change from batch to batch: shapes, and the memory of answers that are to be combined.
  void make_views(std::size_t m) {
    const OpenMember& member = ensemble_.members[m];
    const Wiring& wiring = ensemble_.wiring;
    weights_.push_back(member.weight);
    auto& x = x_.emplace_back();
    for (std::size_t i = 0; i < member.tensors.inputs.size(); ++i) {
      x.push_back({nullptr, member.tensors.inputs[i].dtype, input_shapes_[wiring.input_of[m][i]], {}});
    }
    auto& y = y_.emplace_back();
    answers_.resize(wiring.outputs.size());
    for (std::size_t o = 0; o < member.tensors.outputs.size(); ++o) {
      const std::size_t combined = wiring.output_of[m][o];
      const DType dtype = member.tensors.outputs[o].dtype;
      const Shape& shape = output_shapes_[combined];
      void* data = nullptr;
      if (ensemble_.combine != Combine::kMembers) {
        const auto bytes = static_cast<std::size_t>(element_count(shape)) * size_of(dtype);
        data = buffers_[combined].emplace_back().at_least(bytes, member.tensors.name);
        answers_[combined].push_back(data);
      }
      y.push_back({data, dtype, shape, {}});
    }
  }

  OpenEnsemble& ensemble_;
  std::vector<Shape> input_shapes_, output_shapes_;
  std::vector<std::vector<TensorView>> x_;         // by member
  std::vector<std::vector<MutableTensorView>> y_;  // by member
  std::vector<double> weights_;
  std::vector<std::vector<Buffer>> buffers_;       // by output, member
  std::vector<std::vector<const void*>> answers_;  // the same
  std::vector<void*> results_;                     // the caller's
};

class EnsembleSlot final : public kit::Slot {
 public:
  EnsembleSlot(OpenEnsemble& ensemble, Executor& executor, std::vector<Shape> shapes)
      : executor_(executor), batch_(ensemble, std::move(shapes)) {}

  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user) override {
    outputs_.assign(outputs.begin(), outputs.end());
    batch_.bind(inputs, outputs);
    executor_.submit(batch_, done, user);
  }

  void wait(std::span<assay_tensor> outputs, kit::Timing& timing) override {
    timing.compute_ns = executor_.wait(batch_).count();
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const Shape& shape = batch_.output_shapes()[o];
      outputs[o] = outputs_[o];
      outputs[o].rank = static_cast<std::int32_t>(shape.size());
      outputs[o].shape = shape.data();
    }
  }

 private:
  Executor& executor_;
  SlotBatch batch_;
  std::vector<assay_tensor> outputs_;
};

class EnsembleSession final : public kit::Session {
 public:
  explicit EnsembleSession(OpenEnsemble ensemble) : ensemble_(std::move(ensemble)), executor_(ensemble_.schedule) {}

  kit::Description describe() override {
    kit::Description d;
    d.inputs = kit_infos(ensemble_.wiring.inputs);
    d.outputs = kit_infos(ensemble_.wiring.outputs);
    d.useful_slots = ensemble_.schedule.in_flight;
    d.from_cache = ensemble_.tried.empty();
    std::string names;
    for (const OpenMember& m : ensemble_.members) {
      names += (names.empty() ? "" : "+") + m.tensors.name;
      d.from_cache = d.from_cache && m.session->from_cache();
    }
    d.in_force = {{"members", names},
                  {"strategy", ensemble_.strategy},
                  {"lanes", std::to_string(ensemble_.schedule.lanes.size())},
                  {"combine", to_string(ensemble_.combine)}};
    std::vector<std::map<std::string, std::string>> all;  // asked of the engines once
    for (const OpenMember& m : ensemble_.members) all.push_back(m.session->in_force());
    add_common(all, d);
    for (std::size_t m = 0; m < all.size(); ++m) {
      const std::string& name = ensemble_.members[m].tensors.name;
      for (const auto& [key, value] : all[m]) d.in_force.emplace_back(name + "." + key, value);
    }
    return d;
  }

  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override {
    std::vector<Shape> all;
    for (const kit::FixedShape& s : shapes) all.push_back(s.shape);
    return std::make_unique<EnsembleSlot>(ensemble_, executor_, std::move(all));
  }

  std::string report(const std::string& kind) override {
    if (kind == "plan") return plan().dump();
    if (kind == "members") return members().dump();
    if (kind == "profile") return profiles();
    return kit::Session::report(kind);
  }

 private:
  /// What all members agree upon is the ensemble's.
  static void add_common(const std::vector<std::map<std::string, std::string>>& all, kit::Description& d) {
    for (const auto& [key, value] : all.front()) {
      const auto agrees = [&, &k = key, &v = value](const auto& in_force) {
        const auto it = in_force.find(k);
        return it != in_force.end() && it->second == v;
      };
      const auto known = [&, &k = key](const auto& entry) { return entry.first == k; };
      if (std::any_of(d.in_force.begin(), d.in_force.end(), known)) continue;
      if (std::all_of(all.begin(), all.end(), agrees)) d.in_force.emplace_back(key, value);
    }
  }

  [[nodiscard]] nlohmann::json plan() const {
    nlohmann::json lanes = nlohmann::json::array();
    for (const auto& lane : ensemble_.schedule.lanes) {
      nlohmann::json names = nlohmann::json::array();
      for (const std::size_t m : lane) names.push_back(ensemble_.members[m].tensors.name);
      lanes.push_back(std::move(names));
    }
    nlohmann::json members = nlohmann::json::array();
    for (std::size_t m = 0; m < ensemble_.members.size(); ++m) {
      const MemberSetup& setup = ensemble_.setups[m];
      members.push_back({{"name", ensemble_.members[m].tensors.name},
                         {"threads", setup.threads},
                         {"streams", setup.streams},
                         {"weight", ensemble_.members[m].weight}});
    }
    return {{"strategy", ensemble_.strategy},
            {"in_flight", ensemble_.schedule.in_flight},
            {"lanes", lanes},
            {"members", members}};
  }

  [[nodiscard]] nlohmann::json members() const {
    const std::vector<MemberAccount> accounts = executor_.accounts();
    nlohmann::json result = nlohmann::json::array();
    for (std::size_t m = 0; m < accounts.size(); ++m) {
      result.push_back({{"name", ensemble_.members[m].tensors.name},
                        {"batches", accounts[m].batches},
                        {"busy_ns", accounts[m].busy.count()},
                        {"active_ns", accounts[m].active.count()},
                        {"longest_ns", accounts[m].longest.count()},
                        {"load_ns", ensemble_.members[m].session->load_time().count()},
                        {"from_cache", ensemble_.members[m].session->from_cache()}});
    }
    return result;
  }

  /// As the engines wrote them, which may be long. Where no member has one, why the first has none.
  [[nodiscard]] std::string profiles() const {
    std::string all;
    std::optional<kit::Failure> why_none;
    bool any = false;
    for (const OpenMember& m : ensemble_.members) {
      std::string own = "null";
      try {
        own = m.session->report("profile");
        any = true;
      } catch (...) {
        const kit::Failure failure = caught_failure(m.tensors.name);
        if (failure.code() != ASSAY_UNSUPPORTED) throw failure;
        if (!why_none) why_none = failure;
      }
      all += fmt::format("{}{}: {}", all.empty() ? "" : ",\n", nlohmann::json(m.tensors.name).dump(), own);
    }
    if (!any && why_none) throw kit::Failure(*why_none);
    return "{" + all + "}";
  }

  OpenEnsemble ensemble_;
  Executor executor_;
};

}  // namespace

std::unique_ptr<kit::Session> make_ensemble_session(OpenEnsemble ensemble) {
  return std::make_unique<EnsembleSession>(std::move(ensemble));
}

}  // namespace assay::engine
