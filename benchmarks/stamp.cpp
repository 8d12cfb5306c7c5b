#include "stamp.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "backend/backend.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "child.hpp"
#include "measure/environment.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"
#include "worker/launcher.hpp"

namespace assay::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigits = 12;
constexpr std::chrono::milliseconds kMostForProbe{120'000};

std::string stamp_of_machine() {
  const auto environment = measure::read_environment().values;
  std::vector<std::string> parts;
  for (const std::string key : measure::kMachineKeys) {
    const auto it = environment.find(key);
    if (it == environment.end()) continue;
    parts.push_back(
        fmt::format("{} {}", key, key == "host.name" ? sha256_of(it->second).substr(0, kDigits) : it->second));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// Its shared libraries, those that a framework opens later among them.
std::string stamp_of_folder(const fs::path& folder) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().filename().string().find(".so") == std::string::npos) continue;
    files.push_back(fmt::format("{} {} {}", entry.path().string(), entry.file_size(),
                                entry.last_write_time().time_since_epoch().count()));
  }
  std::sort(files.begin(), files.end());
  return sha256_of(fmt::format("{}", fmt::join(files, "\n"))).substr(0, kDigits);
}

/// Asked in a child, since this process opens no framework. That an engine is not here is an answer; none is not.
std::string stamp_of_engine_here(const std::string& engine) {
  const Reply reply = in_a_child(
      [&] {
        try {
          const backend::Backend backend = backend::load_backend(engine);
          const backend::Probe probe = backend.probe();
          if (!probe.available) return "not here: " + probe.reason;
          return stamp_of_engine(backend.plugin(), probe.version, probe.library);
        } catch (const Error& e) {
          return std::string("not here: ") + e.what();
        }
      },
      kMostForProbe);
  if (!reply.ok) throw std::runtime_error(fmt::format("{} does not say what it is: {}", engine, reply.text));
  std::string text = reply.text;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::string stamp_of_programs(const std::vector<fs::path>& programs) {
  std::vector<std::string> parts;
  for (const fs::path& program : programs) {
    parts.push_back(fmt::format("{} {}", program.filename().string(), sha256_of_file(program).substr(0, kDigits)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string stamp_of_engine(const fs::path& plugin, const std::string& version, const fs::path& library) {
  std::string text = fmt::format("plugin {}, version {}", sha256_of_file(plugin).substr(0, kDigits), version);
  std::error_code none;
  if (library.empty() || fs::equivalent(library, plugin, none)) return text;
  return text + fmt::format(", libraries {}", stamp_of_folder(fs::canonical(library).parent_path()));
}

void require_same(State& state, const std::vector<std::string>& engines, const std::vector<std::string>& models) {
  state.require("programs", stamp_of_programs({executable_path(), worker::worker_program()}));
  state.require("machine", stamp_of_machine());
  for (const std::string& engine : engines) state.require(engine, stamp_of_engine_here(engine));
  for (const std::string& model : models) {
    if (model::is_zoo_network(model) || !fs::exists(model)) continue;  // the program writes the zoo's networks
    state.require(model, model::model_hash(model::inspect_model(model)).substr(0, kDigits));
  }
}

}  // namespace assay::bench
