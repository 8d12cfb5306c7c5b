// assay predict: what a model answers to files.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "assay/assay.hpp"
#include "assay/error.hpp"
#include "base/file.hpp"
#include "cli/answers.hpp"
#include "cli/bench.hpp"
#include "cli/cli.hpp"
#include "input/npy.hpp"
#include "input/source.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"
#include "report/format.hpp"
#include "runner/plan.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kZooProducer = "assay";
/// predict's settings that are axes of bench; one value each.
constexpr const char* kSettings[] = {"backend",   "device",  "gpuid",     "batch-size", "shape", "batch-axis",
                                     "in-flight", "threads", "precision", "option",     "for"};

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
  throw Error(ErrorCode::kInvalidArgument, fmt::format("{}: predict takes one value, found {}", name, values.size()));
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
  p.backend = one(axes.backends, "backend");
  p.device = one(axes.devices, "device");
  p.goal = one(axes.goals, "for");
  p.batch_size = one(axes.batch_sizes, "batch-size");
  p.in_flight = one(axes.in_flight, "in-flight");
  p.threads = one(axes.threads, "threads");
  p.precision = one(axes.precisions, "precision");
  p.shapes = axes.shapes;
  p.batch_axis = axes.batch_axis;
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

/// As asked; else the preset of the network that the file is named after; else pixels as they are.
input::Preprocess preprocess_of(const PredictOptions& options, const fs::path& model) {
  if (!options.preprocess.empty()) return input::parse_preprocess(options.preprocess);
  const std::string stem = model.stem().string();
  for (const std::string& preset : input::preset_names()) {
    if (stem == preset || stem.rfind(preset + "-", 0) == 0) return input::parse_preprocess(preset);
  }
  return input::parse_preprocess("none");
}

std::vector<std::string> read_labels(const std::string& file) {
  std::vector<std::string> labels;
  if (file.empty()) return labels;
  constexpr std::uint64_t kMaxBytes = 64 << 20;
  std::istringstream lines(read_file(file, kMaxBytes));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    labels.push_back(line);
  }
  return labels;
}

std::string file_name(const std::string& output) {
  std::string name;
  for (const char c : output) name += c == '/' || c == '\\' || c == ':' ? '_' : c;
  return name + ".npy";
}

void write_outputs(const PredictOptions& options, const Answers& answers) {
  const fs::path place = options.output;
  if (place.extension() == ".npy") {
    if (answers.tensors().size() != 1) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("-o: the model has {} outputs; give a folder, which gets one NAME.npy each",
                              answers.tensors().size()),
                  options.output);
    }
    return input::write_npy(place, answers.tensors()[0].view());
  }
  std::error_code error;
  fs::create_directories(place, error);
  if (error) throw Error(ErrorCode::kIo, "cannot create the folder: " + error.message(), options.output);
  for (std::size_t o = 0; o < answers.tensors().size(); ++o) {
    input::write_npy(place / file_name(answers.infos()[o].name), answers.tensors()[o].view());
  }
}

std::string label_of(const std::vector<std::string>& labels, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  return i < labels.size() ? labels[i] : std::to_string(index);
}

void print_top(const PredictOptions& options, const Answers& answers, const input::Source& source, std::int64_t samples,
               Context& context) {
  const std::vector<std::string> labels = read_labels(options.labels);
  nlohmann::json all = nlohmann::json::array();
  for (std::int64_t s = 0; s < samples; ++s) {
    nlohmann::json outputs = nlohmann::json::object();
    for (std::size_t o = 0; o < answers.tensors().size(); ++o) {
      const auto top = answers.top(o, s, options.top);
      const std::string& name = answers.infos()[o].name;
      nlohmann::json best = nlohmann::json::array();
      std::vector<std::string> texts;
      for (const auto& [index, value] : top) {
        best.push_back({{"index", index}, {"label", label_of(labels, index)}, {"value", value}});
        texts.push_back(fmt::format("{} {}", label_of(labels, index), report::number(value)));
      }
      outputs[name] = best;
      if (options.json) continue;
      const std::string head = answers.tensors().size() == 1 ? source.label(s) : source.label(s) + " " + name;
      *context.out << fmt::format("{}: {}\n", head, fmt::join(texts, ", "));
    }
    all.push_back({{"sample", source.label(s)}, {"top", outputs}});
  }
  if (options.json) {
    *context.out << nlohmann::json{{"schema", 1}, {"model", options.model}, {"samples", all}}.dump(
                        2, ' ', false, nlohmann::json::error_handler_t::replace)
                 << "\n";
  }
}

int predict(const PredictOptions& options, Context& context) {
  const fs::path cache = default_cache_folder();
  const fs::path path = model::resolve_model(options.model, cache);
  if (model::read_model(path).producer == kZooProducer) {
    *context.err << fmt::format("note: {} is a network of the zoo: its weights are seeded, its answers mean nothing\n",
                                options.model);
  }
  Session session = load(path, params_of(options, context));
  runner::Axes axes;
  const auto shapes = options.settings.find("shape");
  for (const runner::Setting& setting : runner::settings()) {
    if (setting.name == std::string("shape") && shapes != options.settings.end()) {
      apply_setting(axes, setting, shapes->second);
    }
  }
  const auto source = input::open_files(options.inputs, session.inputs(), axes.shapes, preprocess_of(options, path));
  Answers answers(session.outputs(), source->samples());
  session.predict_stream(
      source->samples(),
      [&](std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) {
        if (*context.stop) throw Error(ErrorCode::kCancelled, "interrupted");
        source->fill(first, count, inputs);
      },
      [&](std::int64_t first, std::int64_t count, std::span<const TensorView> outputs) {
        answers.add(first, count, outputs);
      });
  if (!options.output.empty()) write_outputs(options, answers);
  if (options.top > 0) print_top(options, answers, *source, source->samples(), context);
  return kOk;
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("predict", "what a model answers to files");
  command->footer(
      "PATH is an .npy array (samples first), a JPEG or PNG image, or a folder of images.\n"
      "Examples:\n"
      "  assay predict resnet50.onnx --input photos/ --preprocess resnet50 --labels classes.txt\n"
      "  assay predict my.onnx --input ids=ids.npy --input mask=mask.npy -o answers/ --backend openvino");
  const auto o = std::make_shared<PredictOptions>();
  command->add_option("MODEL", o->model, "an ONNX file or a name of the zoo")->required();
  command->add_option("--input", o->inputs, "[NAME=]PATH: NAME= where the model has several inputs")->required();
  command->add_option("-o,--output", o->output, "OUT.npy, or a folder: one NAME.npy per output");
  command->add_option("--top", o->top, "how many of the largest values to print; 0: none")->capture_default_str();
  command->add_option("--labels", o->labels, "a file with the name of each class on a line");
  command->add_option("--preprocess", o->preprocess, "PRESET or key=value,…: how an image becomes an input");
  for (const runner::Setting& setting : runner::settings()) {
    const auto is = [&](const char* name) { return std::string(setting.name) == name; };
    if (std::none_of(std::begin(kSettings), std::end(kSettings), is)) continue;
    command
        ->add_option_function<std::vector<std::string>>(
            std::string("--") + setting.name,
            [o, name = std::string(setting.name)](const std::vector<std::string>& values) {
              o->settings[name] = values;
            },
            fmt::format("{}: {}", setting.form, setting.meaning))
        ->allow_extra_args(false)
        ->type_name("");
  }
  command->add_option("--cache", o->cache, "DIR|off: where optimized graphs are kept");
  command->add_flag("--json", o->json, "the largest values as JSON");
  command->callback([&action, o] { action = [o](Context& context) { return predict(*o, context); }; });
}

}  // namespace assay::cli
