#pragma once
// What predict and evaluate have in common: a model or an ensemble on the command line, how it is set up, how images
// become its inputs, and the run itself.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "assay/ensemble.hpp"
#include "cli/cli.hpp"
#include "input/source.hpp"

namespace assay::cli {

/// Of runner::settings(), as given.
using Settings = std::map<std::string, std::vector<std::string>>;

struct ModelOptions {
  std::string model;  ///< "A+B+C": an ensemble
  Settings settings;
  std::string preprocess, cache;
};

/// Adds MODEL, --preprocess, --cache and the settings that take one value each. `options` must outlive the parsing.
void add_model_options(CLI::App& command, const std::shared_ptr<ModelOptions>& options);
/// One of runner::settings(), kept in `settings` as it was given.
void add_setting(CLI::App& command, const std::shared_ptr<Settings>& settings, const char* name,
                 const std::string& help);
/// Those of ensembles, where there is none, would change nothing. Throws Error(kInvalidArgument).
void refuse_ensemble_settings(const Settings& settings);

/// How the samples come and the answers go.
struct PredictionRequest {
  std::string command;               ///< "predict", for messages
  bool images = true;                ///< members that prepare them in different ways have inputs of their own
  std::optional<Combine> combine{};  ///< the session's; empty: as --combine says
};

/// A model or an ensemble, loaded.
struct Prediction {
  Session session;
  std::vector<std::string> members;           ///< names; one for a model alone
  std::vector<input::Preprocess> preprocess;  ///< by input of the session
  std::string preprocess_text;                ///< "resnet50", "resnet50 (a, b), none (c)": for people
  std::map<std::string, Shape> shapes;
  std::string backend;
  Combine combine = Combine::kMean;  ///< as --combine says
  std::vector<double> weights{};     ///< as --weights says; empty: all alike
};

/// Checks every option and loads. Says on stderr what the zoo's weights are worth. Throws Error.
Prediction load_prediction(const ModelOptions& options, const PredictionRequest& request, Context& context);

/// Says how images are prepared where nobody said how.
void note_preprocessing(const ModelOptions& options, const Prediction& prediction, Context& context);

/// What settings in force say of the arithmetic: "bf16 with XLA", or where members differ "bf16 (a), f32 (b)"; "" of
/// plain f32 everywhere.
std::string arithmetic_text(const std::map<std::string, std::string>& in_force,
                            const std::vector<std::string>& members);
/// Says it, of what has computed: answers in less than f32 are other answers.
void note_arithmetic(const Prediction& prediction, Context& context);

/// All samples through the session; Ctrl-C ends it with Error(kCancelled). What the engine refuses while it computes
/// (an index out of range, say) is its failure, exit 1; our own checks of what was asked for stay usage, exit 2.
void run_prediction(Prediction& prediction, input::Source& source, const DrainFunction& drain, const Context& context);

}  // namespace assay::cli
