// assay evaluate: how often a model, or an ensemble and its members, are right about images whose classes are known.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "assay/error.hpp"
#include "base/clock.hpp"
#include "cli/answers.hpp"
#include "cli/evaluation.hpp"
#include "cli/prediction.hpp"
#include "cli/progress.hpp"
#include "core/case.hpp"
#include "core/copy.hpp"
#include "engine/ensemble/wiring.hpp"
#include "input/labelled.hpp"
#include "report/format.hpp"

namespace assay::cli {
namespace {

struct EvaluateOptions : ModelOptions {
  input::LabelledQuestion labelled;
  std::uint64_t seed = 1;
  bool json = false;
};

/// Gathers each member's values, a row an image. Fed by one thread at a time.
class Gathering {
 public:
  Gathering(const Prediction& prediction, const input::LabelledImages& images)
      : members_(prediction.members), infos_(prediction.session.outputs()), images_(images), scores_(infos_.size()) {
    if (infos_.size() != members_.size()) {
      std::vector<std::string> names;
      for (const TensorInfo& info : infos_) names.push_back(info.name);
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("{} outputs ({}): a classifier has one, with a value for each class", infos_.size(),
                              fmt::join(names, ", ")),
                  joined_members(members_));
    }
    for (std::size_t m = 0; m < infos_.size(); ++m) {
      if (const std::int64_t classes = declared_classes(infos_[m]); classes > 0) set_classes(m, classes);
    }
  }

  void add(std::int64_t first, std::int64_t count, std::span<const TensorView> outputs) {
    for (std::size_t m = 0; m < outputs.size(); ++m) {
      const TensorView& batch = outputs[m];
      const bool along = has_batch(infos_[m]) && static_cast<std::size_t>(infos_[m].batch_axis) < batch.shape.size();
      const auto axis = along ? static_cast<std::size_t>(infos_[m].batch_axis) : 0;
      if ((along ? batch.shape[axis] : 1) != count) {
        throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' answers {} to {} images: a row for each is wanted",
                                                             members_[m], to_string(batch.shape), count));
      }
      for (std::int64_t i = 0; i < count; ++i) append(m, along ? slice(batch, axis, i, 1) : batch, first + i);
    }
  }

  [[nodiscard]] std::int64_t classes() const { return scores_.front().classes; }
  [[nodiscard]] std::vector<measure::Scores> take() { return std::move(scores_); }

 private:
  static bool has_batch(const TensorInfo& info) { return info.batch_axis >= 0; }

  /// 0 where only a run tells.
  static std::int64_t declared_classes(const TensorInfo& info) {
    if (!info.rank_known || !has_batch(info)) return 0;
    Shape shape = info.shape;
    shape[static_cast<std::size_t>(info.batch_axis)] = 1;
    return std::any_of(shape.begin(), shape.end(), [](std::int64_t n) { return n < 0; }) ? 0 : element_count(shape);
  }

  /// Labels and members must fit together: found before anything is computed, where the model declares it.
  void set_classes(std::size_t member, std::int64_t classes) {
    scores_[member].classes = classes;
    scores_[member].values.reserve(images_.files.size() * static_cast<std::size_t>(classes));
    for (std::size_t m = 0; m < member; ++m) {
      if (scores_[m].classes == 0 || scores_[m].classes == classes) continue;
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("member '{}' knows {} classes, '{}' {}: members of the same classes can be compared",
                              members_[m], scores_[m].classes, members_[member], classes));
    }
    for (std::size_t i = 0; i < images_.labels.size(); ++i) {
      if (images_.labels[i] < classes) continue;
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("its class is number {}, but '{}' knows {}, numbered from 0; are these the labels of "
                              "this model?",
                              images_.labels[i], members_[member], classes),
                  images_.files[i].string());
    }
  }

  void append(std::size_t member, const TensorView& row, std::int64_t image) {
    Tensor values(row.dtype, row.shape);
    copy_elements(row, values.mutable_view());
    measure::Scores& scores = scores_[member];
    if (scores.classes == 0) set_classes(member, values.size());
    if (values.size() != scores.classes) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("'{}' answers {} values to an image and {} to another: a value for each class is wanted",
                              members_[member], scores.classes, values.size()));
    }
    for (std::int64_t c = 0; c < values.size(); ++c) {
      const double value = element(values, c);
      if (!std::isfinite(value)) {
        throw Error(ErrorCode::kFramework,
                    fmt::format("'{}' answers what is no finite number to this image (class {})", members_[member], c),
                    images_.files[static_cast<std::size_t>(image)].string());
      }
      scores.values.push_back(static_cast<float>(value));
    }
  }

  const std::vector<std::string>& members_;
  std::vector<TensorInfo> infos_;
  const input::LabelledImages& images_;
  std::vector<measure::Scores> scores_;
};

/// How far it is: a moving line on a terminal, else a line now and then.
class ImageProgress {
 public:
  ImageProgress(std::int64_t images, Context& context)
      : view_(*context.err, context.live, context.color),
        clock_(*context.clock),
        begin_(clock_.now()),
        last_(begin_),
        step_(context.live ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000)),
        live_(context.live),
        images_(images) {}

  void done(std::int64_t images) {
    const Nanoseconds now = clock_.now();
    if (now - last_ < step_ || images >= images_) return;
    last_ = now;
    const double left = static_cast<double>((now - begin_).count()) * static_cast<double>(images_ - images) /
                        static_cast<double>(images);
    runner::Progress p;
    p.runs_done = static_cast<int>(images);
    p.runs_total = static_cast<int>(images_);
    p.estimated_left = std::chrono::duration_cast<std::chrono::seconds>(Nanoseconds(static_cast<std::int64_t>(left)));
    if (!live_) {
      p.kind = runner::Progress::Kind::kNote;
      p.text = fmt::format("{} of {} images, about {} left", images, images_,
                           report::duration(static_cast<double>(p.estimated_left.count())));
    }
    view_.show(p);
  }

 private:
  ProgressView view_;
  Clock& clock_;
  Nanoseconds begin_, last_;
  std::chrono::milliseconds step_;
  bool live_;
  std::int64_t images_;
};

/// Classes that are numbered by their order alone are most likely another model's where it has more of them.
void warn_of_classes(const EvaluateOptions& options, const input::LabelledImages& images, std::int64_t classes,
                     std::ostream& err) {
  const auto found = std::ssize(images.classes);
  if (found == 0 || found == classes) return;
  if (options.labelled.classes.empty()) {
    err << fmt::format(
        "warning: {} has {}, the model {} classes: the first subfolder is taken for class 0 "
        "and so on; --classes FILE says otherwise\n",
        options.labelled.images.string(), report::counted(images.classes.size(), "subfolder"), classes);
  } else {
    err << fmt::format("warning: --classes {} has {} lines, the model {} classes; are these the model's?\n",
                       options.labelled.classes.string(), found, classes);
  }
}

/// All images through all members, each once.
std::vector<measure::Scores> answer(const EvaluateOptions& options, Prediction& prediction,
                                    const input::LabelledImages& images, Context& context) {
  Gathering gathering(prediction, images);
  const auto source = input::open_images(images.files, prediction.session.inputs(), prediction.preprocess);
  note_preprocessing(options, prediction, context);
  {
    ImageProgress progress(source->samples(), context);
    run_prediction(
        prediction, *source,
        [&](std::int64_t first, std::int64_t count, std::span<const TensorView> outputs) {
          gathering.add(first, count, outputs);
          progress.done(first + count);
        },
        context);
  }
  warn_of_classes(options, images, gathering.classes(), *context.err);
  note_arithmetic(prediction, context);
  return gathering.take();
}

/// Each member is judged anyway.
void require_combining(const EvaluateOptions& options) {
  const auto given = options.settings.find("combine");
  if (given == options.settings.end() || given->second != std::vector<std::string>{"members"}) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      "--combine: with 'members' there is no ensemble to judge; each member is judged anyway: give mean or vote");
}

/// As an ensemble that votes would: its members are asked for their own answers here.
void require_classes_to_vote_for(const Prediction& prediction) {
  const std::vector<TensorInfo>& outputs = prediction.session.outputs();
  if (prediction.combine != Combine::kVote || prediction.members.size() < 2) return;
  for (std::size_t m = 0; m < std::min(outputs.size(), prediction.members.size()); ++m) {
    engine::require_votes(prediction.members[m], outputs[m]);
  }
}

int evaluate(const EvaluateOptions& options, Context& context) {
  require_combining(options);
  const input::LabelledImages images = input::read_labelled(options.labelled);
  for (const std::string& note : images.notes) *context.err << "note: " << note << "\n";
  for (const std::string& warning : images.warnings) *context.err << "warning: " << warning << "\n";
  Prediction prediction =
      load_prediction(options, {.command = "evaluate", .images = true, .combine = Combine::kMembers}, context);
  Answered answered{.model = options.model,
                    .members = prediction.members,
                    .scores = {},
                    .labels = images.labels,
                    .seed = options.seed,
                    .combine = prediction.combine,
                    .weights = prediction.weights};
  require_classes_to_vote_for(prediction);
  answered.scores = answer(options, prediction, images, context);
  const Evaluation evaluation = evaluation_of(answered);
  for (const std::string& warning : evaluation.warnings) *context.err << "warning: " << warning << "\n";
  if (options.json) {
    *context.out << evaluation_json(evaluation).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    *context.out << evaluation_text(evaluation);
  }
  return kOk;
}

}  // namespace

void add_evaluate(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("evaluate", "how often a model, or several together, are right about images");
  command->footer(
      "DIR has a subfolder for each class, numbered in the order of their names, or as\n"
      "the lines of --classes are; or the images themselves, with --labels.\n"
      "Of an ensemble A+B+C every member is judged, their mean or vote, whether that is\n"
      "better than the best of them, and which weights do best: found on half of the\n"
      "images, judged on the other. Where --weights are given, they are judged instead.\n"
      "Examples:\n"
      "  assay evaluate resnet50.onnx --images val/ --preprocess resnet50\n"
      "  assay evaluate a.onnx+b.onnx --images val/ --classes classes.txt\n"
      "  assay evaluate a.onnx+b.onnx --images photos/ --labels labels.csv --json\n"
      "  assay evaluate a.onnx+b.onnx --images val/ --combine vote --weights 2,1");
  const auto o = std::make_shared<EvaluateOptions>();
  add_model_options(*command, o);
  const std::shared_ptr<Settings> settings(o, &o->settings);
  add_setting(*command, settings, "combine", "mean|vote: how an ensemble's members answer together; default mean");
  add_setting(*command, settings, "weights",
              "2,1,1: of an ensemble's members; default: all alike, and better ones are searched for");
  command->add_option("--images", o->labelled.images, "DIR: the labelled images")->required();
  command->add_option(
      "--labels", o->labelled.labels,
      "FILE of lines file,label (CSV): what each image in DIR shows; a class's number, or its name in --classes");
  command->add_option("--classes", o->labelled.classes, "FILE with the name of each class on a line, class 0 first");
  command->add_option("--seed", o->seed, "N: which images are in which half")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", o->json, "shares with their intervals, the paired test and the weights, as JSON");
  command->callback([&action, o] { action = [o](Context& context) { return evaluate(*o, context); }; });
}

}  // namespace assay::cli
