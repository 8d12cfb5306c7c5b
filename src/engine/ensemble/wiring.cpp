#include "engine/ensemble/wiring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "engine/ensemble/combine.hpp"
#include "engine/layout.hpp"

namespace assay::engine {
namespace {

/// The shape with its batch free: members may be fixed to batches of different sizes.
Shape free_of_batch(const TensorInfo& t) {
  Shape shape = t.shape;
  if (t.batch_axis >= 0 && static_cast<std::size_t>(t.batch_axis) < shape.size()) {
    shape[static_cast<std::size_t>(t.batch_axis)] = -1;
  }
  return shape;
}

bool same_kind(const TensorInfo& a, const TensorInfo& b) {
  return a.dtype == b.dtype && a.rank_known && b.rank_known && a.batch_axis == b.batch_axis &&
         free_of_batch(a) == free_of_batch(b);
}

std::string kind(const TensorInfo& t) {
  return fmt::format("{} {}", to_string(t.dtype), t.rank_known ? to_string(free_of_batch(t)) : "of unknown rank");
}

/// An input of the ensemble while it is put together.
struct Shared {
  TensorInfo info;
  std::string member;  ///< the first that has it
  bool only = false;   ///< and has no other
  int group = 0;       ///< whose members alone may have it, too
};

bool may_share(const Shared& shared, const Shared& other) {
  return shared.group == other.group && same_kind(shared.info, other.info) &&
         ((shared.only && other.only) || shared.info.name == other.info.name);
}

void require_distinct_members(std::span<const MemberTensors> members) {
  std::set<std::string> names;
  for (const MemberTensors& m : members) {
    if (!names.insert(m.name).second) refuse("two members of an ensemble have this name: give each its own", m.name);
  }
}

void wire_inputs(std::span<const MemberTensors> members, Wiring& wiring) {
  std::vector<Shared> all;
  for (const MemberTensors& m : members) {
    auto& input_of = wiring.input_of.emplace_back();
    for (const TensorInfo& info : m.inputs) {
      const Shared input{info, m.name, m.inputs.size() == 1, m.input_group};
      auto it = std::find_if(all.begin(), all.end(), [&](const Shared& s) { return may_share(s, input); });
      if (it == all.end()) it = all.insert(all.end(), input);
      input_of.push_back(static_cast<std::size_t>(it - all.begin()));
    }
  }
  for (const Shared& s : all) {
    const auto same =
        std::count_if(all.begin(), all.end(), [&](const Shared& o) { return o.info.name == s.info.name; });
    TensorInfo info = s.info;
    info.shape = free_of_batch(info);
    if (same > 1 || s.group != 0) info.name = s.member + "." + info.name;
    wiring.inputs.push_back(std::move(info));
  }
}

void require_combinable(const MemberTensors& first, const TensorInfo& a, const MemberTensors& other,
                        const TensorInfo& b) {
  if (!same_kind(a, b)) {
    refuse(fmt::format("the members' outputs do not fit together: '{}' of '{}' is {}, '{}' of '{}' is {}; take members "
                       "with the same classes, or --combine members (Combine::kMembers), which leaves each its own",
                       a.name, first.name, kind(a), b.name, other.name, kind(b)),
           other.name);
  }
}

void require_values(const MemberTensors& member, const TensorInfo& t) {
  if (t.dtype == DType::kFloat32 || t.dtype == DType::kFloat64) return;
  refuse(fmt::format("output '{}' of '{}' is {}: float32 and float64 can be combined; --combine members "
                     "(Combine::kMembers) leaves each member its own",
                     t.name, member.name, to_string(t.dtype)),
         member.name);
}

/// Every member's outputs are the first one's: by name, or the only one of each.
void wire_combined(std::span<const MemberTensors> members, Combine combine, Wiring& wiring) {
  const MemberTensors& first = members.front();
  for (const TensorInfo& t : first.outputs) {
    require_values(first, t);
    if (combine == Combine::kVote) require_votes(first.name, t);
    TensorInfo info = t;
    info.shape = free_of_batch(t);
    wiring.outputs.push_back(std::move(info));
  }
  for (const MemberTensors& m : members) {
    auto& output_of = wiring.output_of.emplace_back();
    if (m.outputs.size() != first.outputs.size()) {
      refuse(fmt::format("the members' outputs do not fit together: '{}' has {} of them, '{}' has {}; take --combine "
                         "members (Combine::kMembers), which leaves each its own",
                         first.name, first.outputs.size(), m.name, m.outputs.size()),
             m.name);
    }
    for (const TensorInfo& t : m.outputs) {
      const auto it = std::find_if(first.outputs.begin(), first.outputs.end(),
                                   [&](const TensorInfo& o) { return first.outputs.size() == 1 || o.name == t.name; });
      if (it == first.outputs.end()) {
        refuse(
            fmt::format("'{}' has an output '{}', which '{}' has not: outputs are combined by name; --combine members "
                        "(Combine::kMembers) leaves each member its own",
                        m.name, t.name, first.name),
            m.name);
      }
      require_combinable(first, *it, m, t);
      output_of.push_back(static_cast<std::size_t>(it - first.outputs.begin()));
    }
  }
}

void wire_members_own(std::span<const MemberTensors> members, Wiring& wiring) {
  for (const MemberTensors& m : members) {
    auto& output_of = wiring.output_of.emplace_back();
    for (TensorInfo info : m.outputs) {
      output_of.push_back(wiring.outputs.size());
      info.shape = free_of_batch(info);
      info.name = output_name(m, m, info, Combine::kMembers);
      wiring.outputs.push_back(std::move(info));
    }
  }
}

}  // namespace

Wiring wire(std::span<const MemberTensors> members, Combine combine) {
  if (members.empty()) refuse("an ensemble without members was asked for; name at least one model", "");
  require_distinct_members(members);
  Wiring wiring;
  wire_inputs(members, wiring);
  if (combine == Combine::kMembers) {
    wire_members_own(members, wiring);
  } else {
    wire_combined(members, combine, wiring);
  }
  return wiring;
}

void require_votes(const std::string& member, const TensorInfo& output) {
  if (!output.rank_known || class_axis(output.shape, output.batch_axis)) return;
  const std::string batch =
      output.batch_axis < 0 ? "no axis is the batch" : fmt::format("axis {} is the batch", output.batch_axis);
  refuse(
      fmt::format("output '{}' of '{}' has the shape {}, of which {}: a vote is for one of two classes or more along "
                  "one other axis; take --combine mean or members, or say which axis is the batch "
                  "(--batch-axis {}=K)",
                  output.name, member, to_string(output.shape), batch, output.name),
      member);
}

std::string output_name(const MemberTensors& first, const MemberTensors& member, const TensorInfo& output,
                        Combine combine) {
  if (combine == Combine::kMembers) return member.name + "." + output.name;
  const bool only = first.outputs.size() == 1 && member.outputs.size() == 1;
  return only ? first.outputs.front().name : output.name;
}

std::vector<std::string> member_names(std::span<const Member> members) {
  std::vector<std::string> unnamed;
  for (const Member& m : members) {
    if (m.name.empty()) unnamed.push_back(m.model.string());
  }
  const std::vector<std::string> by_file = member_names(unnamed);
  std::vector<std::string> names;
  std::size_t next = 0;
  for (const Member& m : members) names.push_back(m.name.empty() ? by_file[next++] : m.name);
  return names;
}

std::vector<TensorInfo> ensemble_inputs(std::span<const model::Model> models, Combine combine) {
  std::vector<Member> members;
  for (const model::Model& m : models) members.push_back({.model = m.path});
  const std::vector<std::string> names = member_names(members);
  std::vector<MemberTensors> all;
  Params whole;  // nothing is known of batches but what the files say
  whole.batch_size = 0;
  for (std::size_t m = 0; m < models.size(); ++m) {
    const Layout layout(models[m].inputs, models[m].outputs, whole);
    MemberTensors tensors{names[m], 0, models[m].inputs, {}};
    for (const TensorLayout& t : layout.outputs) tensors.outputs.push_back(t.info);
    all.push_back(std::move(tensors));
  }
  return wire(all, combine).inputs;
}

}  // namespace assay::engine
