#include "engine/ensemble/wanted.hpp"

#include <fmt/format.h>

#include "core/case.hpp"
#include "engine/ensemble/member_error.hpp"
#include "engine/layout.hpp"
#include "engine/session_impl.hpp"

namespace assay::engine {
namespace {

void require_meaning(const Member& m) {
  if (const std::string trouble = trouble_with_weight(m.weight); !trouble.empty()) {
    refuse(fmt::format("a weight of {}: {}", m.weight, trouble), m.model.string());
  }
  if (m.threads < 0 || m.batch_size < 0) {
    refuse(fmt::format("a member with {} threads and a batch size of {} was asked for: neither may be negative (0: as "
                       "the ensemble has it)",
                       m.threads, m.batch_size),
           m.model.string());
  }
}

void read_member(Wanted& w) {
  try {
    w.model = model::read_model(w.member.model);
    const std::string why = model::why_no_member(w.model.format);
    if (!why.empty()) refuse(why, w.member.model.string());
  } catch (...) {
    throw member_error(w.member.name);
  }
  w.tensors = {w.member.name, w.member.input_group, w.model.inputs, w.model.outputs};
}

}  // namespace

std::vector<Wanted> wanted_members(const std::vector<Member>& members) {
  std::vector<double> weights;
  for (const Member& m : members) {
    require_meaning(m);
    weights.push_back(m.weight);
  }
  weights = whole_parts(weights);  // 0.6 and 0.1 would be rounded, and votes against 0.7 not even
  const std::vector<std::string> names = member_names(members);
  std::vector<Wanted> all;
  for (std::size_t i = 0; i < members.size(); ++i) {
    Member m = members[i];
    m.name = names[i];
    m.weight = weights[i];
    MemberNote note(m.name);
    all.push_back({std::move(m), {}, {}, std::move(note)});
  }
  for (Wanted& w : all) read_member(w);
  return all;
}

std::string on_device(const Member& m, const Params& params) {
  Params p = params;
  if (!m.device.empty()) {
    p.device = m.device;
    p.gpuid = -1;
  }
  return device_name(p);
}

void require_nothing_own(const Member& m, const Params& params) {
  std::string own;
  if (!m.backend.empty() && m.backend != params.backend) own = "backend " + m.backend;
  if (on_device(m, params) != device_name(params)) own = "device " + m.device;
  if (m.threads > 0 && m.threads != params.threads) own = fmt::format("{} threads", m.threads);
  if (m.batch_size > 0 && m.batch_size != params.batch_size) own = fmt::format("a batch of {}", m.batch_size);
  if (!m.options.empty() && m.options != params.options) own = "options";
  if (own.empty()) return;
  refuse(fmt::format("{} of its own, where strategy merged gives all members to one engine: leave that to the "
                     "ensemble, or take strategy sequential, concurrent or pipelined",
                     own),
         fmt::format("member '{}'", m.name));
}

}  // namespace assay::engine
