#include "core/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.hpp"

namespace assay {
namespace {

using nlohmann::json;

/// Reads a member if it is there; a member of the wrong type is named.
template <class T>
void read(const json& j, const char* name, T& value) {
  const auto it = j.find(name);
  if (it == j.end() || it->is_null()) return;
  try {
    it->get_to(value);
  } catch (const json::exception&) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("member '{}' has the wrong type: {}", name, it->dump().substr(0, 80)));
  }
}

void require_object(const json& j, const char* what) {
  if (!j.is_object()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("expected {} as a JSON object, found {}", what, j.dump().substr(0, 80)));
  }
}

/// The member as an array; empty where it is not there.
const json& array_in(const json& j, const char* name) {
  static const json empty = json::array();
  const auto it = j.find(name);
  if (it == j.end() || it->is_null()) return empty;
  if (!it->is_array()) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("member '{}' is not an array", name));
  }
  return *it;
}

json optional_number(const std::optional<double>& v) {
  return v && std::isfinite(*v) ? json(*v) : json(nullptr);  // JSON has no NaN
}

std::optional<double> read_number(const json& j, const char* name) {
  const auto it = j.find(name);
  if (it == j.end() || it->is_null()) return std::nullopt;
  double value = 0;
  read(j, name, value);
  return value;
}

/// A count, or a word that stands for 0 ("model", "auto").
template <class T>
json count_or_word(T value, const char* word) {
  return value == 0 ? json(word) : json(value);
}
template <class T>
void read_count_or_word(const json& j, const char* name, const char* word, T& value) {
  const auto it = j.find(name);
  if (it != j.end() && it->is_string() && *it == word) {
    value = 0;
  } else {
    read(j, name, value);
  }
}

json to_json(const Warning& w) { return {{"kind", w.kind}, {"message", w.message}, {"advice", w.advice}}; }

json to_json(const ProcessSamples& s) {
  return {{"process", s.process}, {"kept", s.kept}, {"noise", s.noise}, {"values", s.values}};
}

}  // namespace

json to_json(const Placement& p) {
  json seats = json::array();
  for (const Placement::Seat& s : p.seats) {
    json seat = {{"backend", s.backend}, {"batch_size", s.batch_size}};
    if (s.threads > 0) seat["threads"] = s.threads;  // else a case would have another key than before
    if (!s.device.empty()) seat["device"] = s.device;
    seats.push_back(std::move(seat));
  }
  return {{"strategy", p.strategy}, {"members", seats}};
}

Placement placement_from_json(const json& j) {
  Placement p;
  read(j, "strategy", p.strategy);
  for (const json& s : array_in(j, "members")) {
    require_object(s, "a member's place");
    Placement::Seat seat;
    read(s, "backend", seat.backend);
    read(s, "batch_size", seat.batch_size);
    read(s, "threads", seat.threads);
    read(s, "device", seat.device);
    p.seats.push_back(std::move(seat));
  }
  return p;
}

json to_json(const Case& c) {
  json shapes = json::object();
  for (const auto& [name, shape] : c.shapes) shapes[name] = to_string(shape);
  json j = {{"model", c.model},
            {"backend", c.backend},
            {"device", c.device},
            {"for", to_string(c.goal)},
            {"batch_size", count_or_word(c.batch_size, "model")},
            {"in_flight", count_or_word(c.in_flight, "auto")},
            {"threads", c.threads},
            {"precision", to_string(c.precision)},
            {"strategy", c.strategy},
            {"shapes", shapes},
            {"batch_axis", c.batch_axis},
            {"cache", c.cache},
            {"options", c.options},
            {"data", {{"source", c.data.source}, {"seed", c.data.seed}, {"ranges", c.data.ranges}}}};
  if (is_ensemble(c)) {  // else the case of one model would have another key than before
    j["combine"] = c.combine;
    j["weights"] = c.weights;
    if (!c.placement.strategy.empty()) j["placement"] = to_json(c.placement);
  }
  return j;
}

json to_json(const Metric& m) {
  return {{"tag", m.tag},
          {"unit", m.unit},
          {"value", optional_number(m.value)},
          {"low", optional_number(m.low)},
          {"high", optional_number(m.high)},
          {"n", m.n},
          {"remark", m.remark}};
}

json to_json(const Outcome& o, bool with_samples) {
  json case_json = to_json(o.test_case);
  case_json["backend_version"] = o.backend_version;
  json metrics = json::array();
  for (const Metric& m : o.metrics) metrics.push_back(to_json(m));
  json j = {{"case", case_json},  {"state", to_string(o.state)}, {"phase", o.phase},
            {"reason", o.reason}, {"in_force", o.in_force},      {"metrics", metrics}};
  if (with_samples) {
    j["samples"] = json::array();
    for (const ProcessSamples& s : o.samples) j["samples"].push_back(to_json(s));
  }
  return j;
}

json to_json(const Campaign& c, bool with_samples) {
  json warnings = json::array();
  for (const Warning& w : c.warnings) warnings.push_back(to_json(w));
  json plan = json::array();
  for (const Case& p : c.plan) plan.push_back(to_json(p));
  json outcomes = json::array();
  for (const Outcome& o : c.outcomes) outcomes.push_back(to_json(o, with_samples));
  return {{"campaign",
           {{"id", c.id},
            {"version", c.version},
            {"command", c.command},
            {"effort", c.effort},
            {"started", c.started},
            {"finished", c.finished},
            {"seed", c.seed},
            {"environment", c.environment},
            {"warnings", warnings}}},
          {"plan", plan},
          {"outcomes", outcomes}};
}

Case case_from_json(const json& j) {
  require_object(j, "a case");
  Case c;
  read(j, "model", c.model);
  read(j, "backend", c.backend);
  read(j, "device", c.device);
  std::string word = to_string(c.goal);
  read(j, "for", word);
  c.goal = goal_from_string(word);
  read_count_or_word(j, "batch_size", "model", c.batch_size);
  read_count_or_word(j, "in_flight", "auto", c.in_flight);
  read(j, "threads", c.threads);
  word = to_string(c.precision);
  read(j, "precision", word);
  c.precision = precision_from_string(word);
  read(j, "strategy", c.strategy);
  read(j, "combine", c.combine);
  read(j, "weights", c.weights);
  if (const auto it = j.find("placement"); it != j.end() && it->is_object()) c.placement = placement_from_json(*it);
  read(j, "cache", c.cache);
  std::map<std::string, std::string> shapes;
  read(j, "shapes", shapes);
  for (const auto& [name, shape] : shapes) c.shapes[name] = shape_from_string(shape);
  read(j, "batch_axis", c.batch_axis);
  read(j, "options", c.options);
  if (const auto data = j.find("data"); data != j.end() && data->is_object()) {
    read(*data, "source", c.data.source);
    read(*data, "seed", c.data.seed);
    read(*data, "ranges", c.data.ranges);
  }
  return c;
}

Metric metric_from_json(const json& j) {
  require_object(j, "a metric");
  Metric m;
  read(j, "tag", m.tag);
  read(j, "unit", m.unit);
  m.value = read_number(j, "value");
  m.low = read_number(j, "low");
  m.high = read_number(j, "high");
  read(j, "n", m.n);
  read(j, "remark", m.remark);
  return m;
}

Outcome outcome_from_json(const json& j) {
  require_object(j, "an outcome");
  const auto the_case = j.find("case");
  if (the_case == j.end()) throw Error(ErrorCode::kInvalidArgument, "an outcome without its case");
  Outcome o;
  o.test_case = case_from_json(*the_case);
  read(*the_case, "backend_version", o.backend_version);
  std::string state = to_string(o.state);
  read(j, "state", state);
  o.state = outcome_state_from_string(state);
  read(j, "phase", o.phase);
  read(j, "reason", o.reason);
  read(j, "in_force", o.in_force);
  for (const json& m : array_in(j, "metrics")) o.metrics.push_back(metric_from_json(m));
  for (const json& s : array_in(j, "samples")) {
    require_object(s, "a process's samples");
    ProcessSamples p;
    read(s, "process", p.process);
    read(s, "kept", p.kept);
    read(s, "noise", p.noise);
    read(s, "values", p.values);
    o.samples.push_back(std::move(p));
  }
  return o;
}

Campaign campaign_from_json(const json& j) {
  require_object(j, "a campaign's file");
  const auto head = j.find("campaign");
  if (head == j.end()) throw Error(ErrorCode::kInvalidArgument, "there is no member 'campaign'");
  require_object(*head, "'campaign'");
  Campaign c;
  read(*head, "id", c.id);
  read(*head, "version", c.version);
  read(*head, "command", c.command);
  read(*head, "effort", c.effort);
  read(*head, "started", c.started);
  read(*head, "finished", c.finished);
  read(*head, "seed", c.seed);
  read(*head, "environment", c.environment);
  for (const json& w : array_in(*head, "warnings")) {
    require_object(w, "a warning");
    Warning warning;
    read(w, "kind", warning.kind);
    read(w, "message", warning.message);
    read(w, "advice", warning.advice);
    c.warnings.push_back(std::move(warning));
  }
  for (const json& p : array_in(j, "plan")) c.plan.push_back(case_from_json(p));
  for (const json& o : array_in(j, "outcomes")) c.outcomes.push_back(outcome_from_json(o));
  return c;
}

json parse_json(const std::string& text, const std::string& context) {
  try {
    return json::parse(text);
  } catch (const json::exception& e) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("is not valid JSON: {}", e.what()), context);
  }
}

}  // namespace assay
