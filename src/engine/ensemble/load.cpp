// assay::load of several models.
#include "engine/ensemble/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <map>
#include <optional>

#include "backend/adopt.hpp"
#include "base/cpu.hpp"
#include "base/heap.hpp"
#include "engine/ensemble/batch_time.hpp"
#include "engine/ensemble/kept_costs.hpp"
#include "engine/ensemble/member_error.hpp"
#include "engine/ensemble/merged.hpp"
#include "engine/ensemble/session.hpp"
#include "engine/ensemble/wanted.hpp"
#include "engine/session_impl.hpp"

namespace assay {
namespace engine {
namespace {

/// What the schedule begins with: FLOPs, where they are known of all.
std::vector<double> estimated_costs(const std::vector<Wanted>& all) {
  std::vector<double> costs;
  for (const Wanted& w : all) {
    const auto& flops = w.model.statistics.flops;
    if (!flops || *flops <= 0) return std::vector<double>(all.size(), 1);
    costs.push_back(static_cast<double>(*flops));
  }
  return costs;
}

/// Strategies keep to it; threads of members' own may not.
void require_budget(double at_once, int budget) {
  if (at_once <= budget) return;
  refuse(fmt::format("members with threads of their own compute on {:g} at once, of {} that the ensemble has: ask for "
                     "fewer, or give the ensemble more",
                     at_once, budget),
         "");
}

/// However the file's folder is written. A link to another file is not followed: what lies beside it belongs to it.
std::filesystem::path one_path(const std::filesystem::path& file) {
  return std::filesystem::weakly_canonical(std::filesystem::absolute(file).parent_path()) / file.filename();
}

/// The members of an ensemble on their way to being loaded.
class Loading {
 public:
  Loading(const Ensemble& ensemble, const Params& params, const LoadSettings& settings)
      : ensemble_(ensemble),
        params_(params),
        settings_(settings),
        strategy_(strategy_by_name(ensemble.strategy)),
        all_(wanted_members(ensemble.members)) {
    if (params.threads < 0) refuse(fmt::format("{} threads were asked for", params.threads), "");
    std::vector<MemberTensors> tensors;
    for (const Wanted& w : all_) tensors.push_back(w.tensors);
    by_file_ = wire(tensors, Combine::kMembers);
    require_fit();
    find_shared();
  }

  [[nodiscard]] bool merged() const { return strategy_.schedule == nullptr; }

  Session open_merged() {
    std::vector<MergedMember> members;
    for (Wanted& w : all_) {
      require_nothing_own(w.member, params_);
      members.push_back({settled(members.size()), w.member.weight, &w.model, std::move(w.note)});
    }
    return load_merged(std::move(members), ensemble_.combine, params_, settings_);
  }

  OpenEnsemble open() {
    Workload work{estimated_costs(all_), params_.threads > 0 ? params_.threads : allowed_cores(), params_.goal};
    for (const Wanted& w : all_) {
      work.devices.push_back(on_device(w.member, params_));
      work.own_threads.push_back(w.member.threads);
    }
    Division division = divide(work);
    settings_.cores = core_use(division.schedule, session_of_, work.devices);
    if (strategy_.by_cost && all_.size() > 1) return open_by_cost(std::move(work), std::move(division));
    std::vector<std::shared_ptr<Session>> sessions = load_all(division.setups);
    return put_together(std::move(sessions), std::move(division));
  }

 private:
  struct Division {
    Schedule schedule;
    std::vector<MemberSetup> setups;  ///< of the members' sessions
  };

  /// Costs that an earlier load kept divide the threads at once; else the members are tried with those of `division`.
  OpenEnsemble open_by_cost(Workload work, Division division) {
    const KeyParts parts = params_.cache.empty() ? KeyParts() : parts_of_costs(division.setups);
    const std::optional<std::vector<double>> kept = find_costs(params_.cache, parts, all_.size());
    if (kept) {
      work.costs = *kept;
      division = divide(work);
    }
    std::vector<std::shared_ptr<Session>> sessions = load_all(division.setups);
    const auto can_be_tried = [](const std::shared_ptr<Session>& session) { return has_whole_inputs(*session); };
    if (kept || !std::all_of(sessions.begin(), sessions.end(), can_be_tried)) {
      return put_together(std::move(sessions), std::move(division));
    }
    work.costs = measured_costs(sessions, division.setups);
    std::string remark = keep(parts, work.costs);
    Division better = divide(work);
    if (better.setups != division.setups) {
      sessions.clear();  // one set of sessions at a time: memory
      release_free_heap();
      sessions = load_all(better.setups);
    }
    OpenEnsemble e = put_together(std::move(sessions), std::move(better));
    e.tried = std::move(remark);
    return e;
  }

  /// For the remark: what became of the costs.
  [[nodiscard]] std::string keep(const KeyParts& parts, const std::vector<double>& costs) const {
    const std::string what = "the members' costs were measured";
    if (params_.cache.empty()) return what;
    return what + (keep_costs(params_.cache, parts, costs, params_.log) ? ", and are kept now" : ", and not kept");
  }

  /// What the members' costs depend on.
  [[nodiscard]] KeyParts parts_of_costs(const std::vector<MemberSetup>& setups) const {
    KeyParts parts;
    for (std::size_t m = 0; m < all_.size(); ++m) {
      parts[fmt::format("{} session", m)] = std::to_string(session_of_[m]);
      if (session_of_[m] < m) continue;  // that one's
      const model::Model& model = all_[m].model;
      Params p = asked_of(m, setups[m]);
      p.log = nullptr;                                // loading says it
      const auto under_way = all_[m].note.loading();  // asking an engine opens its library
      try {
        const CheckedRequest asked = checked_request(model, p, settings_);
        const std::string hash = model::model_hash(model, p.cache / "hashes");
        for (const auto& [name, value] : cost_parts(hash, asked, samples_tried())) {
          parts[fmt::format("{} {}", m, name)] = value;
        }
      } catch (...) {
        throw member_error(all_[m].member.name);
      }
    }
    return parts;
  }

  [[nodiscard]] std::int64_t samples_tried() const { return std::max<std::int64_t>(params_.batch_size, 1); }

  /// What cannot be combined is not loaded first, unless a file leaves the rank of an answer to its engine.
  void require_fit() const {
    std::vector<MemberTensors> tensors;
    bool told = true;
    for (std::size_t m = 0; m < all_.size(); ++m) {
      const std::vector<TensorInfo>& outputs = tensors.emplace_back(settled(m)).outputs;
      told = told && std::all_of(outputs.begin(), outputs.end(), [](const TensorInfo& t) { return t.rank_known; });
    }
    if (told) (void)wire(tensors, ensemble_.combine);
  }

  /// The same model with the same settings is one session: the same weights are then held once.
  void find_shared() {
    std::map<std::string, std::size_t> first;
    for (std::size_t m = 0; m < all_.size(); ++m) {
      session_of_.push_back(first.emplace(identity(all_[m], asked_of(m)), m).first->second);
    }
  }

  /// By the strategy, but for threads of a member's own. Throws where these are more than the budget has; that does not
  /// depend on the costs.
  [[nodiscard]] Division divide(const Workload& work) const {
    Division d{strategy_.schedule(work), {}};
    keep_own_threads(work, d.schedule);
    d.setups = session_setups(d.schedule, session_of_);
    require_budget(threads_at_once(d.schedule, d.setups, work.devices), work.threads);
    return d;
  }

  /// Member `m`'s tensors as its session would tell them: which axes are the batch follows from the Params and from its
  /// own names.
  [[nodiscard]] MemberTensors settled(std::size_t m) const {
    MemberTensors tensors = all_[m].tensors;
    Params p = params_;
    p.batch_size = 0;  // whatever the batch is
    p.shapes = for_member(params_.shapes, by_file_, tensors, m);
    p.batch_axis = batch_axes_of(m);
    try {
      const Layout layout(tensors.inputs, tensors.outputs, p);
      for (std::size_t i = 0; i < tensors.inputs.size(); ++i) {
        tensors.inputs[i].batch_axis = layout.inputs[i].info.batch_axis;
      }
      for (std::size_t o = 0; o < tensors.outputs.size(); ++o) {
        tensors.outputs[o].batch_axis = layout.outputs[o].info.batch_axis;
      }
    } catch (...) {
      throw member_error(tensors.name);
    }
    return tensors;
  }

  /// What the Params say of the batch in member `m`'s inputs and outputs.
  [[nodiscard]] std::map<std::string, int> batch_axes_of(std::size_t m) const {
    const MemberTensors& member = all_[m].tensors;
    auto axes = for_member(params_.batch_axis, by_file_, member, m);
    axes.merge(for_member_outputs(params_.batch_axis, all_.front().tensors, member, ensemble_.combine));
    return axes;
  }

  /// As the ensemble's Params say, where the member leaves it open.
  [[nodiscard]] Params asked_of(std::size_t m) const {
    const Member& member = all_[m].member;
    Params p = params_;
    const bool elsewhere = !member.backend.empty() && member.backend != params_.backend;
    if (elsewhere) {
      p.backend = member.backend;
      p.library.clear();  // it is the other backend's; this one's is among the libraries
    }
    if (elsewhere || !member.options.empty()) p.options = member.options;
    p.device = on_device(member, params_);
    p.gpuid = -1;
    if (member.batch_size > 0) p.batch_size = member.batch_size;
    p.threads = member.threads;
    p.shapes = for_member(params_.shapes, by_file_, all_[m].tensors, m);
    p.batch_axis = batch_axes_of(m);
    return p;
  }

  /// Set up by the schedule.
  [[nodiscard]] Params asked_of(std::size_t m, const MemberSetup& setup) const {
    Params p = asked_of(m);
    p.threads = setup.threads;
    p.in_flight = setup.streams;
    p.goal = setup.streams > 1 ? Goal::kThroughput : Goal::kLatency;
    return p;
  }

  /// What makes two members one session.
  [[nodiscard]] static std::string identity(const Wanted& w, const Params& p) {
    std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n", one_path(w.model.path).string(), p.backend, p.device,
                                   p.threads, p.batch_size);
    for (const auto& [key, value] : p.options) text += key + "=" + value + "\n";
    for (const auto& [key, value] : p.shapes) text += key + "=" + to_string(value) + "\n";
    for (const auto& [key, value] : p.batch_axis) text += key + "=" + std::to_string(value) + "\n";
    return text;
  }

  /// All side by side, or where somebody listens, one by one. The first failure, in members' order, is thrown.
  [[nodiscard]] std::vector<std::shared_ptr<Session>> load_all(const std::vector<MemberSetup>& setups) const {
    std::vector<std::shared_future<std::shared_ptr<Session>>> futures;
    for (std::size_t m = 0; m < all_.size(); ++m) {
      futures.push_back(session_of_[m] < m ? futures[session_of_[m]] : begin_loading(m, setups[m]));
    }
    const LoadListener& listener = settings_.members;
    std::vector<std::shared_ptr<Session>> sessions;
    for (std::size_t m = 0; m < all_.size(); ++m) {
      if (listener.begin) listener.begin(all_[m].member.name);
      sessions.push_back(futures[m].get());
      if (listener.end) listener.end(all_[m].member.name);
    }
    release_free_heap();  // glibc would keep what was freed for the threads that loaded, and these have ended
    return sessions;
  }

  [[nodiscard]] std::shared_future<std::shared_ptr<Session>> begin_loading(std::size_t m, MemberSetup setup) const {
    const bool heard = settings_.members.begin || settings_.members.end;
    try {
      return std::async(heard ? std::launch::deferred : std::launch::async,
                        [this, m, setup] { return load_one(m, setup); })
          .share();
    } catch (...) {  // no thread is to be had
      throw member_error(all_[m].member.name);
    }
  }

  [[nodiscard]] std::shared_ptr<Session> load_one(std::size_t m, const MemberSetup& setup) const {
    const Params p = asked_of(m, setup);
    const auto under_way = all_[m].note.loading();
    try {
      return std::make_shared<Session>(open_model(all_[m].model, p, settings_));
    } catch (...) {
      throw member_error(all_[m].member.name);
    }
  }

  /// Time of a batch of each member, times its threads.
  [[nodiscard]] std::vector<double> measured_costs(const std::vector<std::shared_ptr<Session>>& sessions,
                                                   const std::vector<MemberSetup>& setups) const {
    std::vector<double> costs;
    for (std::size_t m = 0; m < sessions.size(); ++m) {
      const auto under_way = all_[m].note.computing();
      try {
        const auto time = static_cast<double>(batch_time(*sessions[m], samples_tried()).count());
        costs.push_back(time * setups[m].threads / setups[m].streams);
      } catch (...) {
        throw member_error(all_[m].member.name);
      }
    }
    return costs;
  }

  OpenEnsemble put_together(std::vector<std::shared_ptr<Session>> sessions, Division division) {
    OpenEnsemble e;
    std::vector<MemberTensors> tensors;
    for (std::size_t m = 0; m < all_.size(); ++m) {
      const Member& member = all_[m].member;
      tensors.push_back({member.name, member.input_group, sessions[m]->inputs(), sessions[m]->outputs()});
      e.members.push_back({tensors.back(), member.weight, std::move(sessions[m]), std::move(all_[m].note)});
    }
    e.wiring = wire(tensors, ensemble_.combine);
    e.combine = ensemble_.combine;
    e.strategy = ensemble_.strategy;
    e.schedule = std::move(division.schedule);
    e.setups = std::move(division.setups);
    if (params_.in_flight > 0) e.schedule.in_flight = params_.in_flight;
    return e;
  }

  const Ensemble& ensemble_;
  const Params& params_;
  LoadSettings settings_;
  const Strategy& strategy_;
  std::vector<Wanted> all_;
  std::vector<std::size_t> session_of_;  ///< by member, the first that has its session
  Wiring by_file_;                       ///< of what the files say: names of the ensemble's inputs
};

std::string cache_remark_of(const OpenEnsemble& e) {
  std::string text;
  for (const OpenMember& m : e.members) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", m.tensors.name, m.session->cache_remark());
  }
  if (!e.tried.empty()) text += "; " + e.tried;
  return text;
}

/// The members' sessions have settled which axes are the batch, each by the names of its own model: that is not guessed
/// again across them.
Params with_batch_axes(Params params, const Wiring& wiring) {
  for (const auto* tensors : {&wiring.inputs, &wiring.outputs}) {
    for (const TensorInfo& t : *tensors) params.batch_axis.try_emplace(t.name, t.batch_axis);
  }
  return params;
}

}  // namespace

Session load(const Ensemble& ensemble, const Params& params, const LoadSettings& settings) {
  const auto begin = std::chrono::steady_clock::now();
  Loading loading(ensemble, params, settings);
  if (loading.merged()) {
    Session session = loading.open_merged();
    session.impl().load_time = std::chrono::steady_clock::now() - begin;
    return session;
  }
  OpenEnsemble open = loading.open();
  Layout layout(open.wiring.inputs, open.wiring.outputs, with_batch_axes(params, open.wiring));
  const int places = open.schedule.in_flight;
  std::string remark = cache_remark_of(open);
  auto impl = make_impl(std::move(layout), backend::adopt(make_ensemble_session(std::move(open)), params.log), places);
  impl->cache_remark = std::move(remark);
  impl->load_time = std::chrono::steady_clock::now() - begin;
  return Session(std::move(impl));
}

}  // namespace engine

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const engine::Strategy& s : engine::strategies()) names.emplace_back(s.name);
  return names;
}

Session load(const Ensemble& ensemble, const Params& params) { return engine::load(ensemble, params, {}); }

Session load(std::initializer_list<std::filesystem::path> members, const Params& params) {
  Ensemble ensemble;
  for (const std::filesystem::path& model : members) ensemble.members.push_back({.model = model});
  return load(ensemble, params);
}

}  // namespace assay
