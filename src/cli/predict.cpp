// assay predict: what a model answers to files.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "cli/answer_files.hpp"
#include "cli/answers.hpp"
#include "cli/prediction.hpp"
#include "input/source.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct PredictOptions : ModelOptions {
  std::vector<std::string> inputs;
  std::string output, labels;
  std::size_t top = 5;
  bool json = false;
};

std::vector<std::string> read_labels(const std::string& file) {
  constexpr std::uint64_t kMaxBytes = 64 << 20;
  if (file.empty()) return {};
  return read_lines(file, kMaxBytes, "--labels: this is no text; a line a class is wanted");
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

/// Arrays alone are no images, which members prepare each in its own way.
bool asks_for_images(const PredictOptions& options) {
  return std::any_of(options.inputs.begin(), options.inputs.end(),
                     [](const std::string& input) { return !input.ends_with(".npy"); });
}

int predict(const PredictOptions& options, Context& context) {
  const std::vector<std::string> labels = read_labels(options.labels);
  Prediction prediction = load_prediction(options, {.command = "predict", .images = asks_for_images(options)}, context);
  const Session& session = prediction.session;
  refuse_own_input(options);
  const AnswerFiles files(options.output, session.outputs());
  const auto source = input::open_files(options.inputs, session.inputs(), prediction.shapes, prediction.preprocess);
  if (source->has_images()) note_preprocessing(options, prediction, context);
  Answers answers(session.outputs(), source->samples());
  run_prediction(
      prediction, *source,
      [&](std::int64_t first, std::int64_t count, std::span<const TensorView> outputs) {
        answers.add(first, count, outputs);
      },
      context);
  files.write(answers);
  warn_of_labels(options, labels, answers, *context.err);
  if (options.json) {
    print_json(options, labels, answers, *source, *context.out);
  } else if (options.top > 0) {
    print_text(options, labels, answers, *source, *context.out);
  }
  note_arithmetic(prediction, context);
  return kOk;
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("predict", "what a model, or several together, answer to files");
  command->footer(
      "PATH is an .npy array (samples first), a JPEG or PNG image, or a folder of them.\n"
      "Examples:\n"
      "  assay predict resnet50.onnx --input photos/ --preprocess resnet50\n"
      "  assay predict resnet50.onnx --input cat.jpg --labels classes.txt\n"
      "  assay predict my.onnx --input ids=ids.npy --input mask=mask.npy -o answers/\n"
      "  assay predict a.onnx+b.onnx --input photos/ --weights 2,1\n"
      "  assay predict a.onnx+b.onnx --input cat.jpg --combine members");
  const auto o = std::make_shared<PredictOptions>();
  add_model_options(*command, o);
  const std::shared_ptr<Settings> settings(o, &o->settings);
  add_setting(*command, settings, "combine",
              "mean|vote|members: how an ensemble's members answer together; default mean");
  add_setting(*command, settings, "weights", "2,1,1: of an ensemble's members; default: all alike");
  command->add_option("--input", o->inputs, "[NAME=]PATH: NAME= where the model has several inputs that are no images")
      ->required();
  command->add_option("-o,--output", o->output, "OUT.npy, or a folder: one NAME.npy per output");
  command->add_option("--top", o->top, "how many of the largest values to print; 0: none")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--labels", o->labels, "a file with the name of each class on a line");
  command->add_flag("--json", o->json, "the largest values, and the outputs' shapes, as JSON");
  command->callback([&action, o] { action = [o](Context& context) { return predict(*o, context); }; });
}

}  // namespace assay::cli
