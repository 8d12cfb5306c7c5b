#include "runner/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "core/json.hpp"

namespace assay::runner {
namespace {

constexpr std::size_t kMaxCases = 100'000;
constexpr std::uint64_t kMaxPlanBytes = 1 << 20;

/// The paper's study on the CPU: its four networks, which are also its ensemble's members, over batches of 1 to 1024.
constexpr const char* kPaperPlan = R"({
  "model": ["vgg19", "resnet50", "densenet201", "efficientnetb0"],
  "backend": "all",
  "device": "cpu",
  "for": ["throughput", "latency"],
  "batch-size": "1..1024"
})";

std::map<std::string, std::string> options_for(const Axes& axes, const std::string& backend) {
  std::map<std::string, std::string> options;
  for (const std::string& owner : {std::string(), backend}) {
    if (const auto it = axes.options.find(owner); it != axes.options.end()) {
      for (const auto& [key, value] : it->second) options[key] = value;
    }
  }
  return options;
}

void require_axes(const Axes& axes) {
  const std::pair<const char*, std::size_t> sizes[] = {
      {"model", axes.models.size()},    {"backend", axes.backends.size()},       {"device", axes.devices.size()},
      {"for", axes.goals.size()},       {"batch-size", axes.batch_sizes.size()}, {"in-flight", axes.in_flight.size()},
      {"threads", axes.threads.size()}, {"precision", axes.precisions.size()},   {"strategy", axes.strategies.size()}};
  std::size_t product = 1;
  for (const auto& [name, size] : sizes) {
    if (size == 0) throw Error(ErrorCode::kInvalidArgument, fmt::format("the axis '{}' has no value; give one", name));
    product *= std::min(size, kMaxCases + 1);
    if (product > kMaxCases) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("the axes make more than {} cases; give fewer values of '{}'", kMaxCases, name));
    }
  }
}

/// A member's values: a text, a number, a truth value, or an array of them; an object's members are NAME=VALUE.
std::vector<std::string> values_of(const nlohmann::json& j, const std::string& name) {
  const auto scalar = [&](const nlohmann::json& v) {
    if (v.is_string()) return v.get<std::string>();
    if (v.is_number_integer() || v.is_boolean() || v.is_number_float()) return v.dump();
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("'{}': expected a text, a number or an array of them, found {}", name, v.dump().substr(0, 80)));
  };
  std::vector<std::string> values;
  if (j.is_array()) {
    for (const auto& v : j) values.push_back(scalar(v));
  } else if (j.is_object()) {
    for (const auto& [key, v] : j.items()) values.push_back(key + "=" + scalar(v));
  } else {
    values.push_back(scalar(j));
  }
  return values;
}

/// Each model, an ensemble once for each strategy.
std::vector<std::pair<std::string, std::string>> workloads(const Axes& axes) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const std::string& model : axes.models) {
    const std::size_t members = members_of(model).size();
    if (members == 1) {
      all.emplace_back(model, Case().strategy);
      continue;
    }
    if (!axes.weights.empty() && axes.weights.size() != members) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("weights: {} were given for the {} members of {}", axes.weights.size(), members, model));
    }
    if (!axes.weights.empty() && axes.combine == "members") {
      throw Error(ErrorCode::kInvalidArgument,
                  "weights: with combine members nothing is weighted; leave one of the two away");
    }
    for (const std::string& strategy : axes.strategies) all.emplace_back(model, strategy);
  }
  return all;
}

Axes parse_part(const nlohmann::json& part, const std::string& context) {
  Axes axes;
  for (const auto& [name, value] : part.items()) {
    const auto all = settings();
    const auto setting = std::find_if(all.begin(), all.end(), [&](const Setting& s) { return s.name == name; });
    if (setting == all.end()) {
      std::vector<std::string> names;
      for (const Setting& s : all) names.emplace_back(s.name);
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("a plan has no setting '{}'; there are {}", name, fmt::join(names, ", ")), context);
    }
    try {
      apply_setting(axes, *setting, values_of(value, name));
    } catch (const Error& e) {
      throw Error(e.code(), e.message(), context);
    }
  }
  return axes;
}

}  // namespace

std::vector<Case> expand(const Axes& axes) {
  require_axes(axes);
  std::vector<Case> cases;
  std::set<std::string> seen;
  const auto add = [&](const Case& c) {
    if (seen.insert(case_key(c)).second) cases.push_back(c);
  };
  Case c;
  c.shapes = axes.shapes;
  c.batch_axis = axes.batch_axis;
  c.data = axes.data;
  c.cache = axes.cache;
  for (const auto& [model, strategy] : workloads(axes)) {
    c.model = model;
    c.strategy = strategy;
    c.combine = is_ensemble(c) ? axes.combine : Case().combine;
    c.weights = is_ensemble(c) ? axes.weights : std::vector<double>();
    for (const std::string& backend : axes.backends) {
      c.backend = backend;
      c.options = options_for(axes, backend);
      for (const std::string& device : axes.devices) {
        c.device = device;
        for (const Precision precision : axes.precisions) {
          c.precision = precision;
          for (const int threads : axes.threads) {
            c.threads = threads;
            for (const Goal goal : axes.goals) {
              c.goal = goal;
              for (const std::int64_t batch : axes.batch_sizes) {
                c.batch_size = batch;
                for (const int in_flight : axes.in_flight) {
                  c.in_flight = in_flight;
                  add(c);
                }
              }
            }
          }
        }
      }
    }
  }
  return cases;
}

std::vector<Axes> parse_plan(const std::string& json, const std::string& context) {
  const nlohmann::json plan = parse_json(json, context);
  const bool objects = plan.is_array() && !plan.empty() &&
                       std::all_of(plan.begin(), plan.end(), [](const auto& part) { return part.is_object(); });
  if (!plan.is_object() && !objects) {
    throw Error(ErrorCode::kInvalidArgument,
                "a plan is a JSON object, {\"model\": …, \"batch-size\": …}, or a list of such objects", context);
  }
  if (plan.is_object()) return {parse_part(plan, context)};
  std::vector<Axes> parts;
  for (const nlohmann::json& part : plan) parts.push_back(parse_part(part, context));
  return parts;
}

std::vector<Axes> read_plan(const std::string& file_or_paper) {
  if (file_or_paper == "paper") return parse_plan(kPaperPlan, "paper");
  return parse_plan(read_file(file_or_paper, kMaxPlanBytes), file_or_paper);
}

}  // namespace assay::runner
