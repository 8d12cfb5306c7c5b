// From bench's command line to cases: defaults, and every check that can be made before anything runs.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <set>

#include "assay/error.hpp"
#include "backend/backend.hpp"
#include "base/add_once.hpp"
#include "base/cpu.hpp"
#include "base/suggest.hpp"
#include "cli/ablation.hpp"
#include "cli/bench.hpp"
#include "cli/prediction.hpp"
#include "cli/units.hpp"
#include "engine/ensemble/wiring.hpp"
#include "engine/graph_cache.hpp"
#include "input/source.hpp"
#include "measure/environment.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"

namespace assay::cli {
namespace {

using runner::Axes;

constexpr const char* kNullBackend = "null";

/// What `make bench` runs.
constexpr const char* kDefaultPlan =
    R"({"model": "resnet50", "backend": "onnxruntime,openvino", "batch-size": "1,8,32"})";

/// A name of something that is not there stays as it was typed: the message about it then says the same.
std::string whole_path(const std::string& typed) {
  std::error_code error;
  if (!std::filesystem::exists(typed, error)) return typed;
  const std::filesystem::path path = std::filesystem::absolute(typed, error);
  return error ? typed : path.lexically_normal().string();
}

/// What the command line says of a sweep, and every default.
void complete(Axes& axes, const BenchOptions& options) {
  for (const runner::Setting& setting : runner::settings()) {
    const auto given = options.settings.find(setting.name);
    if (given != options.settings.end() && !given->second.empty()) apply_setting(axes, setting, given->second);
    if (setting.name == std::string("model") && !options.models.empty()) apply_setting(axes, setting, options.models);
  }
  // A campaign may go on from another folder.
  for (std::string& model : axes.models) {
    std::vector<std::string> members = members_of(model);
    for (std::string& member : members) {
      if (!model::is_zoo_network(member)) member = whole_path(member);
    }
    model = joined_members(members);
  }
  if (axes.data.source != "random") axes.data.source = whole_path(axes.data.source);
  if (axes.backends.empty()) axes.backends = {kAllBackends};
  if (axes.threads.empty()) axes.threads = {allowed_cores()};
  axes.cache = axes.cache && options.cache != "off";
}

std::vector<Axes> sweeps_of(const BenchOptions& options) {
  std::vector<Axes> sweeps(1);
  if (!options.plan.empty()) {
    sweeps = runner::read_plan(options.plan);
  } else if (options.models.empty()) {
    sweeps = runner::parse_plan(kDefaultPlan, "default plan");
  }
  for (Axes& axes : sweeps) complete(axes, options);
  return sweeps;
}

/// "all": every plugin but the one that computes nothing.
void expand_all(Axes& axes, std::vector<std::string>& named) {
  std::vector<std::string> backends;
  for (const std::string& b : axes.backends) {
    if (b != kAllBackends) {
      named.push_back(b);
      add_once(backends, b);
      continue;
    }
    for (const std::string& name : backend::backend_names()) {
      if (name != kNullBackend) add_once(backends, name);
    }
  }
  if (backends.empty()) {
    throw Error(ErrorCode::kUnavailable,
                "no engine is installed with Assay; ASSAY_BACKEND_PATH names folders of plugins");
  }
  axes.backends = std::move(backends);
}

std::string checked_option(const backend::Backend& b, const std::string& key, const std::string& value) {
  const auto& options = b.options();
  const auto it = std::find_if(options.begin(), options.end(), [&](const backend::Option& o) { return o.name == key; });
  if (it == options.end()) {
    std::vector<std::string> names;
    for (const backend::Option& o : options) names.push_back(o.name);
    throw Error(ErrorCode::kInvalidArgument, fmt::format("--option: {} has no option '{}'; {} (assay backends -v)",
                                                         b.name(), key, name_advice(key, names)));
  }
  return backend::checked_value(b.name(), *it, value);
}

/// By name it is an error that a plugin cannot be used; of "all", the others are measured, and its cases say why not.
std::optional<backend::Backend> plugin_of(const std::string& name, const std::vector<std::string>& named) {
  try {
    return backend::load_backend(name);
  } catch (const Error& e) {
    const bool by_name = std::find(named.begin(), named.end(), name) != named.end();
    if (by_name || e.code() != ErrorCode::kUnavailable) throw;
    return std::nullopt;
  }
}

/// Each engine's become its own, as its plugin gets them: cases that differ in spelling alone are one.
void check_options(Axes& axes, const std::vector<std::string>& named) {
  for (const auto& [owner, options] : axes.options) {
    if (!owner.empty() && std::find(axes.backends.begin(), axes.backends.end(), owner) == axes.backends.end()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("--option: '{}.…' is for a backend that is not measured here; measured are {}", owner,
                              fmt::join(axes.backends, ", ")));
    }
  }
  for (const std::string& name : axes.backends) {
    const std::optional<backend::Backend> b = plugin_of(name, named);
    if (!b) continue;
    std::map<std::string, std::string> checked;
    for (const std::string& owner : {std::string(), name}) {
      const auto options = axes.options.find(owner);
      if (options == axes.options.end()) continue;
      for (const auto& [key, value] : options->second) checked[key] = checked_option(*b, key, value);
    }
    if (!checked.empty()) axes.options[name] = std::move(checked);
  }
}

/// Where a library lies is no property of a case: it is taken out of the options.
std::map<std::string, std::filesystem::path> take_libraries(Axes& axes) {
  std::map<std::string, std::filesystem::path> libraries;
  for (const std::string& backend : axes.backends) {
    for (const std::string& owner : {std::string(), backend}) {
      const auto options = axes.options.find(owner);
      if (options == axes.options.end()) continue;
      const auto library = options->second.find(kLibraryOption);
      if (library != options->second.end()) libraries[backend] = whole_path(library->second);
    }
  }
  for (auto& [owner, options] : axes.options) options.erase(kLibraryOption);
  return libraries;
}

/// "x=1x3x?x?": what has to be given, the known axes filled in.
std::string shape_to_give(const TensorInfo& input, int batch_axis) {
  std::string text = input.name + "=";
  for (std::size_t i = 0; i < input.shape.size(); ++i) {
    if (i > 0) text += "x";
    if (static_cast<int>(i) == batch_axis) {
      text += "1";
    } else {
      text += input.shape[i] < 0 ? "?" : std::to_string(input.shape[i]);
    }
  }
  return text;
}

/// What a model takes, or an ensemble; empty where no reader of ours knows.
std::vector<TensorInfo> inputs_of(const runner::ModelFacts& facts, const Axes& axes) {
  if (facts.format != model::Format::kOnnx) return {};
  if (facts.members.empty()) return model::read_model(facts.path, axes.shapes).inputs;
  std::vector<model::Model> members;
  for (const std::filesystem::path& member : facts.members) members.push_back(model::read_model(member));
  return engine::ensemble_inputs(members, combine_from_string(axes.combine));
}

/// A free axis that is not the batch needs a value before anything can be run.
void check_free_axes(const std::string& name, const std::vector<TensorInfo>& inputs, const Axes& axes) {
  std::vector<std::string> names;
  for (const TensorInfo& input : inputs) {
    names.push_back(input.name);
    if (axes.shapes.contains(input.name)) continue;
    const auto given = axes.batch_axis.find(input.name);
    const int batch = given != axes.batch_axis.end() ? given->second : input.batch_axis;
    std::vector<std::string> free;
    for (std::size_t i = 0; i < input.shape.size(); ++i) {
      if (input.shape[i] >= 0 || static_cast<int>(i) == batch) continue;
      const std::string axis = i < input.axes.size() ? input.axes[i] : "";
      free.push_back(axis.empty() ? fmt::format("axis {}", i) : fmt::format("axis {} ({})", i, axis));
    }
    if (free.empty()) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("input '{}' has free axes without a value: {}; add --shape {} with numbers for the '?'",
                            input.name, fmt::join(free, ", "), shape_to_give(input, batch)),
                name);
  }
  for (const auto& [input, shape] : axes.shapes) {
    if (std::find(names.begin(), names.end(), input) == names.end()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("--shape: there is no input '{}'; {}", input, name_advice(input, names)), name);
    }
  }
}

/// A range for an input that no model has would change nothing; of several models, one is enough to have it.
void check_range_names(const Axes& axes, const std::vector<std::vector<TensorInfo>>& models) {
  std::vector<std::string> names;
  for (const std::vector<TensorInfo>& inputs : models) {
    for (const TensorInfo& input : inputs) names.push_back(input.name);
  }
  for (const auto& [input, range] : axes.data.ranges) {
    if (std::find(names.begin(), names.end(), input) != names.end()) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("--range: there is no input '{}'; {}", input, name_advice(input, names)));
  }
}

/// Found here, it costs nothing; in the workers, a process for each case.
void check_data(const Axes& axes, const std::vector<std::vector<TensorInfo>>& models) {
  check_range_names(axes, models);
  if (axes.data.source == "random") {
    // Of one sample: it finds ranges that do not fit what they are for.
    if (axes.data.ranges.empty()) return;
    for (std::vector<TensorInfo> inputs : models) {
      for (TensorInfo& info : inputs) {
        if (const auto said = axes.batch_axis.find(info.name); said != axes.batch_axis.end()) {
          info.batch_axis = said->second;
        }
      }
      (void)input::random_source(inputs, axes.shapes, axes.data, 0);
    }
    return;
  }
  const std::string& source = axes.data.source;
  const std::string path = source.substr(source.find('=') + 1);  // [NAME=]PATH
  std::error_code error;
  if (std::filesystem::exists(source, error) || std::filesystem::exists(path, error)) {
    for (const std::vector<TensorInfo>& inputs : models) {
      (void)input::open_files({source}, inputs, axes.shapes, input::Preprocess{});  // reads no more than headers
    }
    return;
  }
  throw Error(ErrorCode::kInvalidArgument,
              "--data: there is no such file or folder; give an .npy array, an image, a folder of images, or 'random'",
              path);
}

/// What was asked for by name is made, or refused: without it every case would say that there is no cache.
std::filesystem::path cache_folder_of(const std::string& given) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(given, error);
  if (!error) std::filesystem::create_directories(folder, error);
  if (!error) return folder;
  throw Error(ErrorCode::kIo,
              fmt::format("--cache: the folder cannot be made: {}; give another, or --cache off", error.message()),
              folder.string());
}

std::uint64_t random_seed() {
  std::random_device device;
  return device();
}

void add_sweep(BenchPlan& plan, Axes& axes, const BenchOptions& options, const runner::ModelLookup& models) {
  expand_all(axes, plan.named_backends);
  plan.libraries.merge(take_libraries(axes));
  check_options(axes, plan.named_backends);
  const auto& named = axes.models;
  if (std::none_of(named.begin(), named.end(), [](const std::string& m) { return members_of(m).size() > 1; })) {
    refuse_ensemble_settings(options.settings);
  }
  const std::vector<Case> cases = ablated(runner::expand(axes), options.ablate);
  std::vector<std::vector<TensorInfo>> all;
  for (const std::string& name : axes.models) {
    const auto it = std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.model == name; });
    const std::vector<TensorInfo> inputs = inputs_of(models(*it), axes);
    if (inputs.empty()) continue;  // what it takes is known when an engine has loaded it
    check_free_axes(name, inputs, axes);
    all.push_back(inputs);
  }
  check_data(axes, all);
  std::set<std::string> keys;
  for (const Case& c : plan.cases) keys.insert(case_key(c));
  std::copy_if(cases.begin(), cases.end(), std::back_inserter(plan.cases),
               [&](const Case& c) { return keys.insert(case_key(c)).second; });
}

}  // namespace

BenchPlan plan_of(const BenchOptions& options, const runner::ModelLookup& models) {
  BenchPlan plan;
  plan.named_devices = options.settings.contains("device") || options.settings.contains("gpuid");
  plan.seed = random_seed();
  for (Axes& axes : sweeps_of(options)) {
    add_sweep(plan, axes, options, models);
    plan.named_goals = plan.named_goals || axes.goals_given;
    if (axes.seeded) plan.seed = axes.data.seed;
  }
  return plan;
}

runner::RunSettings run_settings_of(const BenchOptions& options) {
  runner::RunSettings settings;
  settings.effort = measure::effort_by_name(options.effort);
  if (!options.duration.empty()) {
    settings.effort = measure::with_window(settings.effort, parse_duration(options.duration, "--duration"));
  }
  if (!options.timeout.empty()) {
    settings.limits.timeout = parse_duration(options.timeout, "--timeout");
    settings.limits.silence = settings.limits.timeout;
    settings.limits_fixed = true;
  }
  if (!options.memory_limit.empty()) settings.limits.memory_bytes = parse_size(options.memory_limit, "--memory-limit");
  (void)engine::cache_limit();  // what ASSAY_CACHE_LIMIT says, before a campaign is begun
  const bool own = !options.cache.empty() && options.cache != "off";
  settings.cache_folder = own ? cache_folder_of(options.cache) : default_cache_folder();
  settings.hash_folder = default_cache_folder() / "hashes";
  settings.reference_folder = default_cache_folder() / "references";
  settings.machine_memory =
      settings.limits.memory_bytes > 0 ? settings.limits.memory_bytes : measure::machine_memory().total;
  settings.models = runner::model_lookup(default_cache_folder());
  return settings;
}

}  // namespace assay::cli
