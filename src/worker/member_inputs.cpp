#include "worker/member_inputs.hpp"

#include <algorithm>
#include <map>

#include "engine/ensemble/wiring.hpp"

namespace assay::worker {
namespace {

engine::Wiring wiring_of(const std::vector<MemberFile>& files) {
  std::vector<Member> members;
  for (const MemberFile& file : files) members.push_back({.model = file.path});
  const std::vector<std::string> names = engine::member_names(members);
  std::vector<engine::MemberTensors> all;
  for (std::size_t m = 0; m < files.size(); ++m) all.push_back({names[m], 0, files[m].inputs, {}});
  return engine::wire(all, Combine::kMembers);
}

/// An input under its old name and its new one.
struct Renaming {
  std::string from, to;
};

template <class Value>
void rename(std::span<const Renaming> renamings, std::map<std::string, Value>& given) {
  std::map<std::string, Value> result;
  for (const Renaming& r : renamings) {
    if (const auto it = given.find(r.from); it != given.end()) result.emplace(r.to, it->second);
  }
  given = std::move(result);
}

/// "[NAME=]PATH". A path that holds '=' is a path if it is there.
void rename_source(std::span<const Renaming> renamings, std::string& source) {
  std::error_code error;
  const std::size_t equals = source.find('=');
  if (equals == std::string::npos || std::filesystem::exists(source, error)) return;
  const std::string name = source.substr(0, equals);
  const auto it = std::find_if(renamings.begin(), renamings.end(), [&](const Renaming& r) { return r.from == name; });
  if (it != renamings.end()) source = it->to + source.substr(equals);
}

}  // namespace

void rename_inputs(std::span<const MemberFile> files, std::span<const std::size_t> chosen, Case& c) {
  const engine::Wiring from = wiring_of({files.begin(), files.end()});
  std::vector<MemberFile> picked;
  for (const std::size_t m : chosen) picked.push_back(files[m]);
  const engine::Wiring to = wiring_of(picked);
  std::vector<Renaming> renamings;
  for (std::size_t k = 0; k < picked.size(); ++k) {
    for (std::size_t i = 0; i < picked[k].inputs.size(); ++i) {
      const std::string& now = picked.size() == 1 ? picked[k].inputs[i].name : to.inputs[to.input_of[k][i]].name;
      renamings.push_back({from.inputs[from.input_of[chosen[k]][i]].name, now});
    }
  }
  rename(renamings, c.shapes);
  rename(renamings, c.batch_axis);
  rename(renamings, c.data.ranges);
  rename_source(renamings, c.data.source);
}

}  // namespace assay::worker
