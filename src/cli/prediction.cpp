#include "cli/prediction.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <ostream>

#include "assay/error.hpp"
#include "backend/backend.hpp"
#include "base/add_once.hpp"
#include "cli/bench.hpp"
#include "cli/engine_call.hpp"
#include "core/case.hpp"
#include "engine/ensemble/wiring.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"
#include "runner/plan.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kZooProducer = "assay";
/// Axes of bench, of which one value each is taken: not what bench's form and meaning say.
struct OneValue {
  const char* name;
  const char* help;
};
constexpr OneValue kSettings[] = {
    {"backend", "B: the engine to run on (`assay backends`); default onnxruntime"},
    {"device", "cpu|gpu:N: where it runs"},
    {"gpuid", "N: the same as a number: -1 is the CPU"},
    {"batch-size", "N|model: samples that go through the engine at once"},
    {"shape", "NAME=1x3x640x640: a value for each free axis that is not the batch; repeatable"},
    {"batch-axis", "NAME=K|none: which axis of an input is the batch; repeatable"},
    {"for", "throughput|latency: what the engine is set up for; default throughput"},
    {"in-flight", "N|auto: batches outstanding; auto: the engine's optimum for throughput, 1 for latency"},
    {"threads", "N: CPU threads; default: the cores that affinity and quota allow"},
    {"precision", "f32|bf16|f16|int8: arithmetic of the engine's inner loops"},
    {"option", "[BACKEND.]KEY=VALUE: an engine's own setting (`assay backends -v`); repeatable"},
    {"strategy", "NAME: who runs when in an ensemble: pipelined (default), sequential, concurrent, merged"},
};

[[noreturn]] void refuse_option(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

/// Axes of which every one has one value.
class Single {
 public:
  Single(const ModelOptions& options, std::string command) : command_(std::move(command)) {
    axes.backends = {"onnxruntime"};
    axes.goals = {Goal::kThroughput};
    axes.threads = {0};
    for (const runner::Setting& setting : runner::settings()) {
      const auto given = options.settings.find(setting.name);
      if (given != options.settings.end()) apply_setting(axes, setting, given->second);
    }
  }

  template <class T>
  [[nodiscard]] T one(const std::vector<T>& values, const char* name) const {
    if (values.size() == 1) return values.front();
    refuse_option(fmt::format("--{}: {} takes one value, found {}; `assay bench` compares several", name, command_,
                              values.size()));
  }

  [[nodiscard]] std::string backend() const {
    std::string name = one(axes.backends, "backend");
    if (name != "all") return name;
    refuse_option(
        fmt::format("--backend: {} runs on one engine, found 'all'; name one of {} (`assay bench` compares "
                    "several)",
                    command_, fmt::join(backend::backend_names(), ", ")));
  }

  [[nodiscard]] std::string strategy() const {
    std::string name = one(axes.strategies, "strategy");
    if (name != kPlaced) return name;
    refuse_option(
        fmt::format("--strategy: '{}' is searched for by `assay bench`, which prints the C++ that loads what it "
                    "found; here name one of {}",
                    name, fmt::join(strategy_names(), ", ")));
  }

  runner::Axes axes;

 private:
  std::string command_;
};

Params params_of(const ModelOptions& options, Single& single, Context& context) {
  runner::Axes& axes = single.axes;
  Params p;
  p.backend = single.backend();
  p.device = single.one(axes.devices, "device");
  p.goal = single.one(axes.goals, "for");
  p.batch_size = single.one(axes.batch_sizes, "batch-size");
  p.in_flight = single.one(axes.in_flight, "in-flight");
  p.threads = single.one(axes.threads, "threads");
  p.precision = single.one(axes.precisions, "precision");
  p.shapes = axes.shapes;
  p.batch_axis = axes.batch_axis;
  for (const auto& [owner, values] : axes.options) {
    if (owner.empty() || owner == p.backend) continue;
    refuse_option(fmt::format("--option: '{}.{}' is for another engine; this predicts on {}", owner,
                              values.begin()->first, p.backend));
  }
  for (const std::string& owner : {std::string(), p.backend}) {
    for (const auto& [key, value] : axes.options[owner]) p.options[key] = value;
  }
  if (const auto library = p.options.find(kLibraryOption); library != p.options.end()) {
    p.library = library->second;
    p.options.erase(library);
  }
  if (options.cache != "off") p.cache = options.cache.empty() ? default_cache_folder() : fs::path(options.cache);
  p.log = [&context](LogLevel level, const std::string& message) {
    if (level >= LogLevel::kWarning) *context.err << message << "\n";
  };
  return p;
}

/// One of the models that were named.
struct ModelFile {
  std::string asked;
  fs::path path;
  model::Model model;
  std::string preset;
  input::Preprocess how;
};

/// As asked; else, for a network of the zoo, the preset of its name; else pixels as they are.
std::string preset_of(const ModelOptions& options, const ModelFile& file) {
  if (!options.preprocess.empty()) return options.preprocess;
  std::string preset = "none";
  const std::string stem = file.path.stem().string();
  for (const std::string& name : input::preset_names()) {
    const bool named = stem == name || stem.starts_with(name + "-");
    if (named && file.model.producer == kZooProducer) preset = name;
  }
  return preset;
}

/// `shapes` are by names of the session's inputs, which of an ensemble's member are none of its file's.
std::vector<ModelFile> read_files(const ModelOptions& options, const Params& params, Context& context) {
  const std::vector<std::string> names = members_of(options.model);
  std::vector<ModelFile> files;
  for (const std::string& name : names) {
    ModelFile file{name, model::resolve_model(name, default_cache_folder(), context.stop), {}, {}, {}};
    file.model = model::read_model(file.path, names.size() == 1 ? params.shapes : std::map<std::string, Shape>());
    if (file.model.producer == kZooProducer) {
      *context.err << fmt::format(
          "note: {} is a network of the zoo: its weights are seeded, its answers mean nothing\n", name);
    }
    file.preset = preset_of(options, file);
    file.how = input::parse_preprocess(file.preset);
    files.push_back(std::move(file));
  }
  return files;
}

Prediction load_one(const ModelFile& file, const Params& params, const Context& context) {
  std::optional<EngineCall> call(context);
  Session session = load(file.path, params);
  call.reset();
  const std::size_t inputs = session.inputs().size();
  return {std::move(session), {file.path.stem().string()}, std::vector(inputs, file.how), file.preset, params.shapes,
          params.backend};
}

/// What is asked of an ensemble, checked before any model is read or written: its members follow.
Ensemble ensemble_asked_for(const Single& single, const PredictionRequest& request, std::size_t members) {
  const std::vector<double>& weights = single.axes.weights;
  Ensemble ensemble;
  ensemble.strategy = single.strategy();
  const Combine asked = combine_from_string(single.axes.combine);
  ensemble.combine = request.combine.value_or(asked);
  if (!weights.empty() && weights.size() != members) {
    refuse_option(fmt::format("--weights: {} were given for {} members", weights.size(), members));
  }
  if (!weights.empty() && asked == Combine::kMembers) {
    refuse_option("--weights: with --combine members nothing is weighted; leave one of the two away");
  }
  return ensemble;
}

/// Members whose images are prepared in the same way, whatever it is called, share their inputs.
void add_members(const std::vector<ModelFile>& files, const std::vector<double>& weights, bool images,
                 Ensemble& ensemble) {
  std::vector<input::Preprocess> ways;
  for (std::size_t m = 0; m < files.size(); ++m) {
    Member member{.model = files[m].path};
    if (m < weights.size()) member.weight = weights[m];
    if (images) {
      add_once(ways, files[m].how);
      member.input_group = static_cast<int>(std::find(ways.begin(), ways.end(), files[m].how) - ways.begin());
    }
    ensemble.members.push_back(std::move(member));
  }
}

/// How images become each of the session's inputs: as its member wants it, which the names tell.
std::vector<input::Preprocess> preprocess_of(const std::vector<ModelFile>& files, const Ensemble& ensemble,
                                             const std::vector<std::string>& names,
                                             const std::vector<TensorInfo>& inputs) {
  std::vector<engine::MemberTensors> tensors;
  for (std::size_t m = 0; m < files.size(); ++m) {
    tensors.push_back({names[m], ensemble.members[m].input_group, files[m].model.inputs, files[m].model.outputs});
  }
  const engine::Wiring wiring = engine::wire(tensors, Combine::kMembers);
  std::map<std::string, input::Preprocess> by_name;
  for (std::size_t m = 0; m < files.size(); ++m) {
    for (const std::size_t i : wiring.input_of[m]) by_name.emplace(wiring.inputs[i].name, files[m].how);
  }
  std::vector<input::Preprocess> result;
  for (const TensorInfo& input : inputs) {
    const auto found = by_name.find(input.name);
    if (found == by_name.end()) {
      throw Error(ErrorCode::kInternal, "no member has the input that the ensemble has", input.name);
    }
    result.push_back(found->second);
  }
  return result;
}

/// By what is true of them, the members' names.
using MembersByText = std::map<std::string, std::vector<std::string>>;

/// "resnet50" where it is true of all, else "resnet50 (a, b), none (c)".
std::string said_of_members(const MembersByText& all) {
  if (all.size() == 1) return all.begin()->first;
  std::vector<std::string> texts;
  for (const auto& [text, members] : all) texts.push_back(fmt::format("{} ({})", text, fmt::join(members, ", ")));
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::string preprocess_text(const std::vector<ModelFile>& files, const std::vector<std::string>& names) {
  MembersByText by_preset;
  for (std::size_t m = 0; m < files.size(); ++m) by_preset[files[m].preset].push_back(names[m]);
  return said_of_members(by_preset);
}

constexpr const char* kPlainArithmetic = "f32";

/// Of the settings whose names begin with `prefix`.
std::string arithmetic_of(const std::map<std::string, std::string>& in_force, const std::string& prefix) {
  const auto value = [&](const char* key) {
    const auto it = in_force.find(prefix + key);
    return it == in_force.end() ? std::string() : it->second;
  };
  std::string text = value("precision");
  if (text.empty()) text = kPlainArithmetic;
  const std::string xla = value("xla");
  if (xla == "true") text += " with XLA";
  if (xla == "partly") text += " with XLA in part";
  return text;
}

Prediction load_several(const std::vector<ModelFile>& files, const Ensemble& ensemble, const Params& params,
                        const Context& context) {
  std::vector<std::string> names = engine::member_names(ensemble.members);
  std::optional<EngineCall> call(context);
  Session session = load(ensemble, params);
  call.reset();
  auto preprocess = preprocess_of(files, ensemble, names, session.inputs());
  std::string text = preprocess_text(files, names);
  return {std::move(session), std::move(names), std::move(preprocess), std::move(text), params.shapes, params.backend};
}

/// A plugin's errors carry its name; an ensemble's, that of the member.
bool is_engines(const Error& e, const Prediction& prediction) {
  const bool usage = e.code() == ErrorCode::kInvalidArgument || e.code() == ErrorCode::kInvalidModel;
  const bool members = prediction.members.size() > 1 && e.context().empty() && e.message().starts_with("member '");
  return usage && (e.context() == prediction.backend || members);
}

}  // namespace

void add_setting(CLI::App& command, const std::shared_ptr<Settings>& settings, const char* name,
                 const std::string& help) {
  command
      .add_option_function<std::vector<std::string>>(
          std::string("--") + name,
          [settings, key = std::string(name)](const std::vector<std::string>& values) { (*settings)[key] = values; },
          help)
      ->allow_extra_args(false)
      ->type_name("");
}

void refuse_ensemble_settings(const Settings& settings) {
  for (const char* setting : {"strategy", "combine", "weights"}) {
    if (!settings.contains(setting)) continue;
    refuse_option(fmt::format("--{}: this is for ensembles, and there is none; name one as MODEL+MODEL+…", setting));
  }
}

void add_model_options(CLI::App& command, const std::shared_ptr<ModelOptions>& options) {
  command
      .add_option("MODEL", options->model,
                  "an ONNX file, a SavedModel's folder, a frozen TensorFlow graph, or a name of the zoo; A+B+C: an "
                  "ensemble (a '+' within a name is written twice)")
      ->required();
  command.add_option("--preprocess", options->preprocess, "PRESET or key=value,…: how an image becomes an input");
  const std::shared_ptr<Settings> settings(options, &options->settings);
  for (const OneValue& setting : kSettings) add_setting(command, settings, setting.name, setting.help);
  command.add_option("--cache", options->cache, "DIR|off: where optimized graphs are kept");
}

Prediction load_prediction(const ModelOptions& options, const PredictionRequest& request, Context& context) {
  Single single(options, request.command);
  const Params params = params_of(options, single, context);
  const std::size_t members = members_of(options.model).size();
  if (members == 1) {
    refuse_ensemble_settings(options.settings);
    return load_one(read_files(options, params, context).front(), params, context);
  }
  Ensemble ensemble = ensemble_asked_for(single, request, members);
  const std::vector<ModelFile> files = read_files(options, params, context);
  add_members(files, single.axes.weights, request.images, ensemble);
  Prediction prediction = load_several(files, ensemble, params, context);
  prediction.combine = combine_from_string(single.axes.combine);
  prediction.weights = single.axes.weights;
  return prediction;
}

void note_preprocessing(const ModelOptions& options, const Prediction& prediction, Context& context) {
  if (!options.preprocess.empty()) return;
  *context.err << fmt::format("note: images are prepared by --preprocess {}\n", prediction.preprocess_text);
}

std::string arithmetic_text(const std::map<std::string, std::string>& in_force,
                            const std::vector<std::string>& members) {
  MembersByText by_text;
  for (const std::string& member : members) {
    const std::string own = member + ".";  // of one model, and of one graph of all, nothing is said of each member
    by_text[arithmetic_of(in_force, in_force.contains(own + "precision") ? own : "")].push_back(member);
  }
  const std::string text = said_of_members(by_text);
  return text == kPlainArithmetic ? "" : text;
}

void note_arithmetic(const Prediction& prediction, Context& context) {
  const std::string text = arithmetic_text(prediction.session.in_force(), prediction.members);
  if (!text.empty()) *context.err << fmt::format("note: computed in {}\n", text);
}

void run_prediction(Prediction& prediction, input::Source& source, const DrainFunction& drain, const Context& context) {
  try {
    prediction.session.predict_stream(
        source.samples(),
        [&](std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) {
          if (*context.stop) throw Error(ErrorCode::kCancelled, "interrupted");
          source.fill(first, count, inputs);
        },
        drain);
    if (*context.stop) throw Error(ErrorCode::kCancelled, "interrupted");  // in the last batch: nothing was asked since
  } catch (const Error& e) {
    if (!is_engines(e, prediction)) throw;
    throw Error(ErrorCode::kFramework, e.message(), e.context());
  }
}

}  // namespace assay::cli
