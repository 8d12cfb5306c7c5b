#pragma once
// The program `assay` as a function: streams, workers and clock come from outside, so that every command is tested
// without a process of its own.

#include <atomic>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace assay {
class Clock;
}
namespace assay::backend {
std::vector<std::string> backend_names();
}
namespace assay::worker {
class Launcher;
}
namespace CLI {
class App;
}

namespace assay::cli {

/// What a command may touch of the world.
struct Context {
  std::istream* in = nullptr;
  std::ostream* out = nullptr;  ///< what was asked for
  std::ostream* err = nullptr;  ///< progress, warnings, errors
  bool live = false;            ///< err is a terminal: a bar may move on it
  bool interactive = false;     ///< in is a terminal: a question may be asked
  bool color = false;
  std::size_t columns = 0;  ///< of the terminal that `out` is; 0: it is none, and nothing is cut
  worker::Launcher* launcher = nullptr;
  Clock* clock = nullptr;
  const std::atomic<bool>* stop = nullptr;  ///< set by Ctrl-C
  /// Ends the process at once, whatever its threads are at; nullptr: it cannot be ended so.
  std::function<void(int status)> leave;
  /// Runs a program to its end; answers its exit status, 127 where it is not there. Its output goes to ours.
  std::function<int(const std::vector<std::string>&)> run_program;
  /// Of the plugins that are there.
  std::function<std::vector<std::string>()> backend_names = backend::backend_names;
  std::string command;  ///< as typed
};

/// Exit statuses; docs/user-guide.md.
inline constexpr int kOk = 0, kFailed = 1, kUsage = 2, kInterrupted = 130;

/// The whole program. Never throws.
int run(const std::vector<std::string>& arguments, Context& context);

/// What the chosen subcommand does.
using Action = std::function<int(Context&)>;
/// Each adds its subcommand to the program and sets `action` when it is chosen.
void add_backends(CLI::App& app, Action& action);
void add_setup(CLI::App& app, Action& action);
void add_models(CLI::App& app, Action& action);
void add_predict(CLI::App& app, Action& action);
void add_evaluate(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_results(CLI::App& app, Action& action);
void add_cache(CLI::App& app, Action& action);

}  // namespace assay::cli
