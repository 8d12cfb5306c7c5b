#include "worker/protocol.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"
#include "core/json.hpp"

namespace assay::worker {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Request::Kind, const char*>, 6> kKinds = {
    {{Request::Kind::kMeasure, "measure"},
     {Request::Kind::kMemory, "memory"},
     {Request::Kind::kMemberMemory, "member_memory"},
     {Request::Kind::kReference, "reference"},
     {Request::Kind::kStart, "start"},
     {Request::Kind::kProbe, "probe"}}};
constexpr std::array<std::pair<Event::Kind, const char*>, 4> kEvents = {{{Event::Kind::kPhase, "phase"},
                                                                         {Event::Kind::kLog, "log"},
                                                                         {Event::Kind::kResult, "result"},
                                                                         {Event::Kind::kFailure, "failure"}}};

template <class T>
void read(const json& j, const char* name, T& value) {
  const auto it = j.find(name);
  if (it == j.end()) return;
  try {
    it->get_to(value);
  } catch (const json::exception&) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("member '{}' of a frame has the wrong type: {}", name, it->dump().substr(0, 80)));
  }
}

void read(const json& j, const char* name, std::filesystem::path& value) {
  std::string text = value.string();
  read(j, name, text);
  value = text;
}

void read(const json& j, const char* name, std::chrono::milliseconds& value) {
  std::int64_t count = value.count();
  read(j, name, count);
  value = std::chrono::milliseconds(count);
}

void require_object(const json& j, const char* what) {
  if (!j.is_object()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("expected {} as a JSON object, found {}", what, j.type_name()));
  }
}

json effort_to_json(const measure::Effort& e) {
  return {{"name", e.name},
          {"processes", e.processes},
          {"warm_up_calls", e.warm_up_calls},
          {"warm_up_ms", e.warm_up_time.count()},
          {"warm_up_needs_both", e.warm_up_needs_both},
          {"until_level", e.until_level},
          {"window_ms", e.window.count()},
          {"window_calls", e.window_calls},
          {"parity_samples", e.parity_samples},
          {"memory_apart", e.memory_apart},
          {"a_a_share", e.a_a_share}};
}

measure::Effort effort_from_json(const json& j) {
  require_object(j, "an effort");
  measure::Effort e;
  read(j, "name", e.name);
  read(j, "processes", e.processes);
  read(j, "warm_up_calls", e.warm_up_calls);
  read(j, "warm_up_ms", e.warm_up_time);
  read(j, "warm_up_needs_both", e.warm_up_needs_both);
  read(j, "until_level", e.until_level);
  read(j, "window_ms", e.window);
  read(j, "window_calls", e.window_calls);
  read(j, "parity_samples", e.parity_samples);
  read(j, "memory_apart", e.memory_apart);
  read(j, "a_a_share", e.a_a_share);
  return e;
}

// JSON has no NaN and no infinity: they travel as null and come back as NaN.
json numbers_to_json(const std::map<std::string, std::vector<double>>& values) {
  json result = json::object();
  for (const auto& [name, series] : values) {
    json& list = result[name] = json::array();
    for (const double v : series) list.push_back(std::isfinite(v) ? json(v) : json(nullptr));
  }
  return result;
}

std::map<std::string, std::vector<double>> numbers_from_json(const json& j) {
  require_object(j, "values");
  std::map<std::string, std::vector<double>> values;
  for (const auto& [name, list] : j.items()) {
    if (!list.is_array()) throw Error(ErrorCode::kInvalidArgument, "value '" + name + "' of a frame is no list");
    std::vector<double>& series = values[name];
    series.reserve(list.size());
    for (const json& v : list) {
      if (!v.is_number() && !v.is_null()) {
        throw Error(ErrorCode::kInvalidArgument, "value '" + name + "' of a frame holds something that is no number");
      }
      series.push_back(v.is_null() ? std::nan("") : v.get<double>());
    }
  }
  return values;
}

}  // namespace

const char* to_string(Request::Kind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "unknown";
}

Request::Kind request_kind_from_string(const std::string& text) {
  for (const auto& [value, name] : kKinds) {
    if (text == name) return value;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "unknown kind of request \"" + text.substr(0, 40) + "\": program and worker are of different versions");
}

json to_json(const Request& r) {
  json members = json::array();
  for (const std::filesystem::path& member : r.members) members.push_back(member.string());
  json libraries = json::object();
  for (const auto& [backend, library] : r.libraries) libraries[backend] = library.string();
  return {{"kind", to_string(r.kind)},
          {"case", to_json(r.test_case)},
          {"model", r.model.string()},
          {"members", members},
          {"effort", effort_to_json(r.effort)},
          {"cache_folder", r.cache_folder.string()},
          {"reference_file", r.reference_file.string()},
          {"rounded_reference_file", r.rounded_reference_file.string()},
          {"weights_rounded_to", to_string(r.weights_rounded_to)},
          {"library", r.library.string()},
          {"libraries", libraries},
          {"parity_tolerance", r.parity_tolerance},
          {"profile_file", r.profile_file},
          {"exec_ns", r.exec_ns}};
}

Request request_from_json(const json& j) {
  require_object(j, "a request");
  Request r;
  std::string kind = to_string(r.kind);
  read(j, "kind", kind);
  r.kind = request_kind_from_string(kind);
  if (const auto it = j.find("case"); it != j.end()) r.test_case = case_from_json(*it);
  if (const auto it = j.find("effort"); it != j.end()) r.effort = effort_from_json(*it);
  read(j, "model", r.model);
  std::vector<std::string> members;
  read(j, "members", members);
  r.members.assign(members.begin(), members.end());
  read(j, "cache_folder", r.cache_folder);
  read(j, "reference_file", r.reference_file);
  read(j, "rounded_reference_file", r.rounded_reference_file);
  std::string rounded_to = to_string(r.weights_rounded_to);
  read(j, "weights_rounded_to", rounded_to);
  r.weights_rounded_to = precision_from_string(rounded_to);
  read(j, "library", r.library);
  std::map<std::string, std::string> libraries;
  read(j, "libraries", libraries);
  r.libraries.insert(libraries.begin(), libraries.end());
  read(j, "parity_tolerance", r.parity_tolerance);
  read(j, "profile_file", r.profile_file);
  read(j, "exec_ns", r.exec_ns);
  return r;
}

json to_json(const Event& e) {
  const char* kind = "phase";
  for (const auto& [value, name] : kEvents) {
    if (value == e.kind) kind = name;
  }
  json j = {{"kind", kind}, {"phase", e.phase}};
  if (e.progress != 0) j["progress"] = e.progress;
  if (!e.message.empty()) j["message"] = e.message;
  if (!e.warning.empty()) {
    j["warning"] = e.warning;
    j["advice"] = e.advice;
  }
  if (e.kind == Event::Kind::kFailure) j["code"] = static_cast<int>(e.code);
  if (e.kind == Event::Kind::kResult) {
    j["values"] = numbers_to_json(e.values);
    j["texts"] = e.texts;
  }
  return j;
}

Event event_from_json(const json& j) {
  require_object(j, "an event");
  Event e;
  std::string kind;
  read(j, "kind", kind);
  bool known = false;
  for (const auto& [value, name] : kEvents) {
    if (kind != name) continue;
    e.kind = value;
    known = true;
  }
  if (!known) throw Error(ErrorCode::kInvalidArgument, "unknown kind of event \"" + kind.substr(0, 40) + "\"");
  read(j, "phase", e.phase);
  read(j, "progress", e.progress);
  read(j, "message", e.message);
  read(j, "warning", e.warning);
  read(j, "advice", e.advice);
  int code = static_cast<int>(e.code);
  read(j, "code", code);
  e.code = static_cast<ErrorCode>(code);
  if (const auto it = j.find("values"); it != j.end()) e.values = numbers_from_json(*it);
  read(j, "texts", e.texts);
  return e;
}

}  // namespace assay::worker
