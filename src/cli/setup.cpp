// assay setup: fetches the pinned wheel of a framework into the user's data folder.
#include <fmt/format.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <istream>
#include <ostream>

#include "assay/error.hpp"
#include "backend/left_out.hpp"
#include "base/file.hpp"
#include "base/suggest.hpp"
#include "cli/cli.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

struct SetupOptions {
  std::vector<std::string> backends;
  bool yes = false, dry_run = false;
};

/// share/assay/locks beside bin, in an installation as in a build tree.
fs::path locks_folder() { return executable_path().parent_path().parent_path() / "share/assay/locks"; }

struct Lock {
  std::string backend;
  fs::path file;
  std::string about;         ///< the comment in its first line: what it is and how large
  std::string requirements;  ///< "onnxruntime==1.32.0"
};

/// Why there is no list of wheels for a backend, and what to do.
std::string why_nothing_to_fetch(const std::string& backend, const std::vector<std::string>& known,
                                 const std::vector<std::string>& plugins) {
  if (known.empty())
    return fmt::format("the list of wheels is not there: {}; install Assay again", locks_folder().string());
  if (const backend::Optional* optional = backend::find_optional(backend)) {
    if (std::find(plugins.begin(), plugins.end(), backend) == plugins.end()) return backend::why_left_out(*optional);
    return fmt::format(
        "nothing is fetched for {}, which this build of Assay has; `assay backends` says whether it runs "
        "here",
        backend);
  }
  return fmt::format("nothing to fetch is known for '{}'; {}", backend, name_advice(backend, known));
}

Lock read_lock(const std::string& backend, const Context& context) {
  const fs::path folder = locks_folder();
  const fs::path file = folder / (backend + ".txt");
  std::error_code error;
  if (!fs::is_regular_file(file, error)) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder, error)) names.push_back(entry.path().stem().string());
    std::sort(names.begin(), names.end());
    throw Error(ErrorCode::kInvalidArgument, why_nothing_to_fetch(backend, names, context.backend_names()));
  }
  Lock lock{backend, file, {}, {}};
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("# ", 0) == 0 && lock.about.empty()) lock.about = line.substr(2);
    if (line.empty() || line[0] == '#') continue;
    lock.requirements += (lock.requirements.empty() ? "" : ", ") + line.substr(0, line.find(' '));
  }
  return lock;
}

std::vector<std::string> pip_command(const Lock& lock, const fs::path& target) {
  return {"python3",
          "-m",
          "pip",
          "install",
          "--disable-pip-version-check",
          "--no-deps",
          "--require-hashes",
          "--only-binary",
          ":all:",
          "--python-version",
          "3.11",
          "--implementation",
          "cp",
          "--platform",
          "manylinux_2_28_x86_64",
          "--platform",
          "manylinux_2_27_x86_64",
          "--platform",
          "manylinux2014_x86_64",
          "--quiet",
          "--target",
          target.string(),
          "-r",
          lock.file.string()};
}

/// The wheels hold machine code.
void require_machine() {
  utsname machine{};
  if (uname(&machine) != 0 || machine.machine == std::string_view("x86_64")) return;
  throw Error(ErrorCode::kUnavailable,
              fmt::format("the pinned wheels are for x86-64, this machine is {}; put the framework's library somewhere "
                          "yourself and name the folder in ASSAY_<BACKEND>_PATH",
                          machine.machine));
}

void require_pip(Context& context) {
  if (context.run_program({"python3", "-m", "pip", "--version"}) == kOk) return;
  if (*context.stop) throw Error(ErrorCode::kCancelled, "interrupted; nothing was fetched");
  throw Error(ErrorCode::kUnavailable,
              "`python3 -m pip` does not run, and it is what fetches wheels; install it (Debian: apt-get install "
              "python3-pip), or put the framework's library somewhere yourself and name the folder in "
              "ASSAY_<BACKEND>_PATH");
}

/// Puts `fresh` in the place of what is there; where that fails, what was there is back.
void take_place(const fs::path& fresh, const fs::path& place, const fs::path& aside) {
  std::error_code error, ignored;
  const bool there = fs::exists(fs::symlink_status(place, ignored));
  if (there) fs::rename(place, aside, error);
  if (!error) {
    fs::rename(fresh, place, error);
    if (error && there) fs::rename(aside, place, ignored);
  }
  if (error) {
    throw Error(ErrorCode::kIo, "cannot put the fetched framework in place: " + error.message(), place.string());
  }
}

/// Whole or not at all: into a folder beside, which then takes the place.
void fetch(const Lock& lock, const fs::path& frameworks, Context& context) {
  std::error_code error;
  fs::create_directories(frameworks, error);
  if (error) throw Error(ErrorCode::kIo, "cannot create the folder: " + error.message(), frameworks.string());
  TemporaryFolder temporary(frameworks);
  const fs::path fresh = temporary.path() / "new";
  const int status = context.run_program(pip_command(lock, fresh));
  if (*context.stop) throw Error(ErrorCode::kCancelled, "interrupted; what was there before is as it was");
  if (status != kOk) {
    throw Error(ErrorCode::kUnavailable,
                fmt::format("pip could not fetch {} (status {}; what it said is above); check the network, or set "
                            "PIP_INDEX_URL to an index that has it",
                            lock.requirements, status));
  }
  take_place(fresh, frameworks / lock.backend, temporary.path() / "old");
}

bool confirmed(Context& context) {
  if (!context.interactive) {
    *context.err << "assay: nothing was fetched: give --yes to fetch without being asked\n";
    return false;
  }
  *context.err << "Fetch? [y/N] " << std::flush;
  std::string answer;
  std::getline(*context.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int setup(const SetupOptions& options, Context& context) {
  std::vector<Lock> locks;
  for (const std::string& backend : options.backends) locks.push_back(read_lock(backend, context));
  const fs::path frameworks = user_data_folder() / "frameworks";
  for (const Lock& lock : locks) {
    *context.out << fmt::format("{}: {} into {}\n  {}\n", lock.backend, lock.requirements,
                                (frameworks / lock.backend).string(), lock.about);
  }
  if (options.dry_run) {
    for (const Lock& lock : locks) {
      *context.out << fmt::format("would run: {}\n", fmt::join(pip_command(lock, frameworks / lock.backend), " "));
    }
    return kOk;
  }
  require_machine();
  if (!options.yes && !confirmed(context)) return kFailed;
  require_pip(context);
  for (const Lock& lock : locks) {
    if (*context.stop) return kInterrupted;
    *context.err << fmt::format("fetching {} …\n", lock.requirements) << std::flush;
    fetch(lock, frameworks, context);
    *context.out << fmt::format("{} is in {}\n", lock.backend, (frameworks / lock.backend).string());
  }
  return kOk;
}

}  // namespace

void add_setup(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("setup", "fetch engines (pinned wheels, checked by hash) for yourself");
  command->footer(
      "Into $ASSAY_DATA/frameworks or ~/.local/share/assay/frameworks; nothing else is\n"
      "touched.\n"
      "Example:\n  assay setup onnxruntime openvino --yes");
  const auto o = std::make_shared<SetupOptions>();
  command->add_option("BACKEND", o->backends, "onnxruntime, openvino, tensorflow, onnxruntime-gpu")->required();
  command->add_flag("-y,--yes", o->yes, "do not ask");
  command->add_flag("--dry-run", o->dry_run, "say what would be fetched and how, and leave it");
  command->callback([&action, o] { action = [o](Context& context) { return setup(*o, context); }; });
}

}  // namespace assay::cli
