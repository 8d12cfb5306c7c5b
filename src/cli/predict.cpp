// assay predict: what a model answers to files.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "assay/assay.hpp"
#include "assay/error.hpp"
#include "backend/backend.hpp"
#include "base/file.hpp"
#include "cli/answer_files.hpp"
#include "cli/answers.hpp"
#include "cli/bench.hpp"
#include "cli/cli.hpp"
#include "input/source.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"
#include "report/format.hpp"
#include "runner/plan.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kZooProducer = "assay";
/// Axes of bench, of which predict takes one value each: not what bench's form and meaning say.
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
};

struct PredictOptions {
  std::string model;
  std::vector<std::string> inputs;
  std::map<std::string, std::vector<std::string>> settings;
  std::string output, labels, preprocess, cache;
  std::size_t top = 5;
  bool json = false;
};

template <class T>
T one(const std::vector<T>& values, const char* name) {
  if (values.size() == 1) return values.front();
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("--{}: predict takes one value, found {}; `assay bench` compares several", name, values.size()));
}

std::string one_backend(const std::vector<std::string>& backends) {
  std::string backend = one(backends, "backend");
  if (backend != "all") return backend;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("--backend: predict runs on one engine, found 'all'; name one of {} (`assay bench` compares "
                          "several)",
                          fmt::join(backend::backend_names(), ", ")));
}

Params params_of(const PredictOptions& options, Context& context) {
  runner::Axes axes;
  axes.backends = {"onnxruntime"};
  axes.goals = {Goal::kThroughput};
  axes.threads = {0};
  for (const runner::Setting& setting : runner::settings()) {
    const auto given = options.settings.find(setting.name);
    if (given != options.settings.end()) apply_setting(axes, setting, given->second);
  }
  Params p;
  p.backend = one_backend(axes.backends);
  p.device = one(axes.devices, "device");
  p.goal = one(axes.goals, "for");
  p.batch_size = one(axes.batch_sizes, "batch-size");
  p.in_flight = one(axes.in_flight, "in-flight");
  p.threads = one(axes.threads, "threads");
  p.precision = one(axes.precisions, "precision");
  p.shapes = axes.shapes;
  p.batch_axis = axes.batch_axis;
  for (const auto& [owner, values] : axes.options) {
    if (owner.empty() || owner == p.backend) continue;
    throw Error(ErrorCode::kInvalidArgument, fmt::format("--option: '{}.{}' is for another engine; this predicts on {}",
                                                         owner, values.begin()->first, p.backend));
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

struct Preprocessing {
  std::string text;
  input::Preprocess how;
};

/// As asked; else, for a network of the zoo, the preset of its name; else pixels as they are.
Preprocessing preprocessing_of(const PredictOptions& options, const fs::path& model, bool zoo) {
  std::string text = options.preprocess.empty() ? "none" : options.preprocess;
  const std::string stem = model.stem().string();
  for (const std::string& preset : input::preset_names()) {
    const bool named = stem == preset || stem.starts_with(preset + "-");
    if (zoo && named && options.preprocess.empty()) text = preset;
  }
  return {text, input::parse_preprocess(text)};
}

std::vector<std::string> read_labels(const std::string& file) {
  std::vector<std::string> labels;
  if (file.empty()) return labels;
  constexpr std::uint64_t kMaxBytes = 64 << 20;
  const std::string text = read_file(file, kMaxBytes);
  if (text.find('\0') != std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument, "--labels: this is no text; a line a class is wanted", file);
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    labels.push_back(line);
  }
  return labels;
}

std::string label_of(const std::vector<std::string>& labels, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  return i < labels.size() ? labels[i] : std::to_string(index);
}

std::int64_t classes_of(const Answers& answers, std::size_t output) {
  const Tensor& tensor = answers.tensors()[output];
  const int axis = answers.infos()[output].batch_axis;
  const auto& shape = tensor.shape();
  const bool along = axis >= 0 && static_cast<std::size_t>(axis) < shape.size();
  return along ? tensor.size() / std::max<std::int64_t>(1, shape[static_cast<std::size_t>(axis)]) : tensor.size();
}

/// Labels of another number of classes are most likely another model's; of several outputs, they belong to one.
void warn_of_labels(const PredictOptions& options, const std::vector<std::string>& labels, const Answers& answers,
                    std::ostream& err) {
  std::vector<std::string> found;
  for (std::size_t o = 0; o < answers.tensors().size(); ++o) {
    if (!answers.by_sample(o)) continue;
    const std::int64_t classes = classes_of(answers, o);
    if (classes == static_cast<std::int64_t>(labels.size())) return;
    found.push_back(fmt::format("'{}' has {} values a sample", answers.infos()[o].name, classes));
  }
  if (labels.empty() || found.empty()) return;
  err << fmt::format("warning: --labels {} has {} lines, but {}; are these the model's classes?\n", options.labels,
                     labels.size(), fmt::join(found, ", "));
}

nlohmann::json json_of(const Top& top, const std::vector<std::string>& labels) {
  nlohmann::json best = nlohmann::json::array();
  for (const auto& [index, value] : top.values) {
    best.push_back({{"index", index}, {"label", label_of(labels, index)}, {"value", value}});
  }
  return best;
}

std::string text_of(const Top& top, const std::vector<std::string>& labels) {
  std::vector<std::string> texts;
  for (const auto& [index, value] : top.values) {
    texts.push_back(fmt::format("{} {}", label_of(labels, index), report::number(value)));
  }
  const std::string nan = top.nan == 0 ? "" : fmt::format(" ({} of its values are not a number)", top.nan);
  return fmt::format("{}{}", fmt::join(texts, ", "), nan);
}

/// The largest of every sample, and the shapes of outputs that have no row for each.
void print_text(const PredictOptions& options, const std::vector<std::string>& labels, const Answers& answers,
                const input::Source& source, std::ostream& out) {
  const bool several = answers.tensors().size() > 1;
  for (std::int64_t s = 0; s < source.samples(); ++s) {
    for (std::size_t o = 0; o < answers.tensors().size(); ++o) {
      if (!answers.by_sample(o)) continue;
      const std::string head = several ? source.label(s) + " " + answers.infos()[o].name : source.label(s);
      out << fmt::format("{}: {}\n", head, text_of(answers.top(o, s, options.top), labels));
    }
  }
  for (std::size_t o = 0; o < answers.tensors().size(); ++o) {
    if (answers.by_sample(o)) continue;
    out << fmt::format("{}: {}, of all samples together (-o writes it)\n", answers.infos()[o].name,
                       to_string(answers.tensors()[o].shape()));
  }
}

void print_json(const PredictOptions& options, const std::vector<std::string>& labels, const Answers& answers,
                const input::Source& source, std::ostream& out) {
  nlohmann::json samples = nlohmann::json::array();
  for (std::int64_t s = 0; s < source.samples(); ++s) {
    nlohmann::json outputs = nlohmann::json::object();
    for (std::size_t o = 0; o < answers.tensors().size(); ++o) {
      if (!answers.by_sample(o)) continue;
      outputs[answers.infos()[o].name] = json_of(answers.top(o, s, options.top), labels);
    }
    samples.push_back({{"sample", source.label(s)}, {"top", outputs}});
  }
  nlohmann::json shapes = nlohmann::json::object();
  for (std::size_t o = 0; o < answers.tensors().size(); ++o) {
    shapes[answers.infos()[o].name] = answers.tensors()[o].shape();
  }
  const nlohmann::json all = {{"schema", 1}, {"model", options.model}, {"samples", samples}, {"shapes", shapes}};
  out << all.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

/// Its answers must not take the place of what was asked.
void refuse_own_input(const PredictOptions& options) {
  for (const std::string& input : options.inputs) {
    const std::string path = fs::exists(input) ? input : input.substr(input.find('=') + 1);
    std::error_code error;
    if (options.output.empty() || !fs::equivalent(path, options.output, error) || error) continue;
    if (fs::is_directory(path, error)) continue;
    throw Error(ErrorCode::kInvalidArgument, "-o: this is the input itself, which would be lost; name another file",
                options.output);
  }
}

void warn_of_the_zoo(const PredictOptions& options, Context& context) {
  *context.err << fmt::format("note: {} is a network of the zoo: its weights are seeded, its answers mean nothing\n",
                              options.model);
}

/// All samples through the session. What the engine refuses while it computes (an index out of range, say) is its
/// failure, exit 1; our own checks of what was asked for stay usage, exit 2. A plugin's errors carry its name.
void run(Session& session, const std::string& backend, input::Source& source, Answers& answers,
         const Context& context) {
  try {
    session.predict_stream(
        source.samples(),
        [&](std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) {
          if (*context.stop) throw Error(ErrorCode::kCancelled, "interrupted");
          source.fill(first, count, inputs);
        },
        [&](std::int64_t first, std::int64_t count, std::span<const TensorView> outputs) {
          answers.add(first, count, outputs);
        });
  } catch (const Error& e) {
    const bool blamed = e.code() == ErrorCode::kInvalidArgument || e.code() == ErrorCode::kInvalidModel;
    if (!blamed || e.context() != backend) throw;
    throw Error(ErrorCode::kFramework, e.message(), e.context());
  }
}

int predict(const PredictOptions& options, Context& context) {
  const std::vector<std::string> labels = read_labels(options.labels);
  const Params params = params_of(options, context);
  const fs::path path = model::resolve_model(options.model, default_cache_folder());
  const bool zoo = model::read_model(path, params.shapes).producer == kZooProducer;
  if (zoo) warn_of_the_zoo(options, context);
  const Preprocessing preprocessing = preprocessing_of(options, path, zoo);
  Session session = load(path, params);
  refuse_own_input(options);
  const AnswerFiles files(options.output, session.outputs());
  const auto source = input::open_files(options.inputs, session.inputs(), params.shapes, preprocessing.how);
  if (source->has_images() && options.preprocess.empty()) {
    *context.err << fmt::format("note: images are prepared by --preprocess {}\n", preprocessing.text);
  }
  Answers answers(session.outputs(), source->samples());
  run(session, params.backend, *source, answers, context);
  files.write(answers);
  warn_of_labels(options, labels, answers, *context.err);
  if (options.json) {
    print_json(options, labels, answers, *source, *context.out);
  } else if (options.top > 0) {
    print_text(options, labels, answers, *source, *context.out);
  }
  return kOk;
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("predict", "what a model answers to files");
  command->footer(
      "PATH is an .npy array (samples first), a JPEG or PNG image, or a folder of them.\n"
      "Examples:\n"
      "  assay predict resnet50.onnx --input photos/ --preprocess resnet50\n"
      "  assay predict resnet50.onnx --input cat.jpg --labels classes.txt\n"
      "  assay predict my.onnx --input ids=ids.npy --input mask=mask.npy -o answers/");
  const auto o = std::make_shared<PredictOptions>();
  command
      ->add_option("MODEL", o->model,
                   "an ONNX file, a SavedModel's folder, a frozen TensorFlow graph, or a name of the zoo")
      ->required();
  command->add_option("--input", o->inputs, "[NAME=]PATH: NAME= where the model has several inputs")->required();
  command->add_option("-o,--output", o->output, "OUT.npy, or a folder: one NAME.npy per output");
  command->add_option("--top", o->top, "how many of the largest values to print; 0: none")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--labels", o->labels, "a file with the name of each class on a line");
  command->add_option("--preprocess", o->preprocess, "PRESET or key=value,…: how an image becomes an input");
  for (const OneValue& setting : kSettings) {
    command
        ->add_option_function<std::vector<std::string>>(
            std::string("--") + setting.name,
            [o, name = std::string(setting.name)](const std::vector<std::string>& values) {
              o->settings[name] = values;
            },
            setting.help)
        ->allow_extra_args(false)
        ->type_name("");
  }
  command->add_option("--cache", o->cache, "DIR|off: where optimized graphs are kept");
  command->add_flag("--json", o->json, "the largest values, and the outputs' shapes, as JSON");
  command->callback([&action, o] { action = [o](Context& context) { return predict(*o, context); }; });
}

}  // namespace assay::cli
