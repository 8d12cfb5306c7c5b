#include "cli/cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ostream>

#include "assay/assay.hpp"
#include "assay/error.hpp"
#include "cli/help.hpp"

namespace assay::cli {
namespace {

constexpr const char* kDescription =
    "Assay measures and runs deep-learning inference across engines: one model file, any engine, numbers that can be "
    "compared.";
constexpr const char* kFooter =
    "Begin with:\n"
    "  assay backends                              what is here\n"
    "  assay setup onnxruntime openvino            fetch engines\n"
    "  assay bench resnet50                        measure a network on all of them\n"
    "  assay bench my.onnx --batch-size 1..32      measure yours\n"
    "  assay results list                          what was measured before\n"
    "\n"
    "Exit status: 0 all done; 1 a case or an engine failed, nothing was measured, or\n"
    "an engine or device asked for by name is not available; 2 what was asked or\n"
    "given is wrong; 130 interrupted (what was finished is stored).";

/// The table of subcommands, in the order of --help.
constexpr void (*kCommands[])(CLI::App&, Action&) = {add_backends, add_setup, add_models,  add_predict,
                                                     add_evaluate, add_bench, add_results, add_cache};

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kInvalidModel:
    case ErrorCode::kIo:
      return kUsage;
    case ErrorCode::kCancelled:
      return kInterrupted;
    default:
      return kFailed;
  }
}

}  // namespace

int run(const std::vector<std::string>& arguments, Context& context) {
  CLI::App app(kDescription, "assay");
  set_help_format(app);  // before the subcommands, which take it over
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("assay ") + version());
  app.require_subcommand(1);
  Action action;
  for (const auto add : kCommands) add(app, action);
  context.command = "assay";
  for (const std::string& a : arguments) context.command += " " + a;
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    const int status = action(context);
    context.out->flush();
    if (context.out->good()) return status;
    *context.err << "assay: what was to be printed could not be written: is the disk full, or the reader gone?\n";
    return kUsage;
  } catch (const CLI::ParseError& e) {
    const std::string unknown = e.get_exit_code() == 0 ? std::string() : unknown_word(app);
    if (!unknown.empty()) {
      *context.err << "assay: " << unknown << "\n";
      return kUsage;
    }
    if (e.get_exit_code() != 0) *context.err << "assay: ";
    const int status = app.exit(e, *context.out, *context.err);
    return status == 0 ? kOk : kUsage;
  } catch (const Error& e) {
    *context.err << "assay: " << e.what() << "\n";
    return status_of(e.code());
  } catch (const std::exception& e) {
    *context.err << "assay: " << e.what() << "\n";
    return kFailed;
  }
}

}  // namespace assay::cli
