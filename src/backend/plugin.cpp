#include <dlfcn.h>

#include <cstddef>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include "backend/backend.hpp"
#include "backend/left_out.hpp"
#include "backend/plugin_table.hpp"
#include "backend/status.hpp"

namespace assay::backend {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "libassay_backend_";
constexpr std::string_view kSuffix = ".so";

/// Of version 1.0's first tables: what was added at the end later is looked at only where it is there.
constexpr std::size_t kLeastTable = offsetof(assay_backend_table, model_formats);

std::string version_text(std::uint32_t version) { return fmt::format("{}.{}", version >> 16, version & 0xffffU); }

// "" where the file is no plugin by its name.
std::string name_of(const fs::path& file) {
  const std::string name = file.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || name.size() <= kPrefix.size() + kSuffix.size())
    return {};
  return name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
}

[[noreturn]] void unusable(const fs::path& file, const std::string& why) {
  throw Error(ErrorCode::kUnavailable, why, file.string());
}

const assay_backend_table* query(const fs::path& file) {
  // Never closed: a framework that it opened would not survive it.
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    unusable(file, fmt::format("this plugin cannot be opened: {}", why == nullptr ? "no reason given" : why));
  }
  auto* ask = reinterpret_cast<assay_backend_query_fn>(::dlsym(handle, ASSAY_BACKEND_QUERY_SYMBOL));
  if (ask == nullptr) {
    unusable(file, fmt::format("this library exports no {}: it is not a plugin of Assay", ASSAY_BACKEND_QUERY_SYMBOL));
  }
  return ask(ASSAY_ABI_VERSION);
}

std::vector<Option> option_list(const assay_backend_table* table, const fs::path& file) {
  ErrorSlot error;
  assay_option_list list{};
  list.struct_size = sizeof list;
  check(table->options(&list, &error.error), error, "options", file.c_str());
  std::vector<Option> options;
  for (std::size_t i = 0; i < list.count; ++i) {
    const assay_option& c = list.options[i];
    Option option{c.name, c.type,    (c.flags & ASSAY_OPTION_SHAPES_GRAPH) != 0, c.default_value, c.minimum, c.maximum,
                  {},     c.meaning, (c.flags & ASSAY_OPTION_SIGNATURE) != 0};
    for (const char* const* choice = c.choices; choice != nullptr && *choice != nullptr; ++choice) {
      option.choices.emplace_back(*choice);
    }
    options.push_back(std::move(option));
  }
  return options;
}

std::uint32_t model_formats(const assay_backend_table& table) {
  const bool says = table.struct_size >= kLeastTable + sizeof table.model_formats;
  return says && table.model_formats != 0 ? table.model_formats : std::uint32_t{ASSAY_MODEL_ONNX};
}

std::uint32_t graph_ignores(const assay_backend_table& table) {
  const bool says = table.struct_size >= offsetof(assay_backend_table, graph_ignores) + sizeof table.graph_ignores;
  return says ? table.graph_ignores : 0;
}

}  // namespace

void check_table(const assay_backend_table* table, const fs::path& file) {
  if (table == nullptr) {
    unusable(file,
             fmt::format("this plugin has no table for version {} of the plugin boundary, which this Assay speaks; "
                         "build the plugin against this Assay's headers",
                         version_text(ASSAY_ABI_VERSION)));
  }
  // Nothing but the first two fields may be read before the major version agrees.
  if ((table->abi_version >> 16) != ASSAY_ABI_MAJOR) {
    unusable(file,
             fmt::format("this plugin speaks version {} of the plugin boundary and this Assay speaks {}; build the "
                         "plugin against this Assay's headers, or use the Assay that it was built for",
                         version_text(table->abi_version), version_text(ASSAY_ABI_VERSION)));
  }
  if (table->struct_size < kLeastTable) {
    unusable(file,
             fmt::format("this plugin's table (boundary version {}) has {} bytes and this Assay (version {}) needs {}; "
                         "the plugin is broken or was built against a draft of the header",
                         version_text(table->abi_version), table->struct_size, version_text(ASSAY_ABI_VERSION),
                         kLeastTable));
  }
  const bool whole = table->probe != nullptr && table->options != nullptr && table->open != nullptr &&
                     table->describe != nullptr && table->slot_open != nullptr && table->submit != nullptr &&
                     table->wait != nullptr && table->report != nullptr && table->buffer != nullptr &&
                     table->close != nullptr && table->name != nullptr;
  if (!whole) unusable(file, "this plugin's table lacks its name or one of its ten functions");
}

std::vector<std::string> backend_names() {
  std::vector<std::string> names;
  for (const fs::path& folder : plugin_folders()) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      const std::string name = name_of(entry.path());
      if (!name.empty()) names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::pair(a == "null", std::string_view(a)) < std::pair(b == "null", std::string_view(b));
  });
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Backend load_plugin(const fs::path& file) {
  static std::mutex mutex;
  static std::map<fs::path, Backend> loaded;
  std::error_code none;
  const fs::path path = fs::canonical(file, none);
  if (none) unusable(file, "there is no such plugin file");
  const std::lock_guard lock(mutex);
  if (const auto it = loaded.find(path); it != loaded.end()) return it->second;
  Backend backend;
  backend.table_ = query(path);
  check_table(backend.table_, path);
  backend.name_ = backend.table_->name;
  backend.plugin_ = path;
  if (const std::string expected = name_of(path); !expected.empty() && expected != backend.name_) {
    unusable(path, fmt::format("this plugin calls itself '{}', its file name says '{}'; rename one of the two",
                               backend.name_, expected));
  }
  backend.options_ = option_list(backend.table_, path);
  backend.model_formats_ = model_formats(*backend.table_);
  backend.graph_ignores_ = graph_ignores(*backend.table_);
  return loaded.emplace(path, std::move(backend)).first->second;
}

Backend load_backend(const std::string& name) {
  const std::string file = std::string(kPrefix) + name + std::string(kSuffix);
  const std::vector<fs::path> folders = plugin_folders();
  for (const fs::path& folder : folders) {
    std::error_code none;
    if (name.find('/') == std::string::npos && fs::exists(folder / file, none)) return load_plugin(folder / file);
  }
  const std::vector<std::string> names = backend_names();
  if (!names.empty()) throw Error(ErrorCode::kInvalidArgument, why_none(name, names));
  std::string where;
  for (const fs::path& folder : folders) where += (where.empty() ? "" : ", ") + folder.string();
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("there is no backend '{}', and no plugin at all in {}; ASSAY_BACKEND_PATH names more folders",
                          name, where.empty() ? "lib/assay beside this program, which is not there" : where));
}

}  // namespace assay::backend
