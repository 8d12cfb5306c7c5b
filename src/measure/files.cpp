#include "measure/files.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <sstream>

namespace assay::measure {
namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\n\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n\r") - first + 1);
}

bool names_controller(const std::string& list, const std::string& controller) {
  std::istringstream in(list);
  for (std::string name; std::getline(in, name, ',');) {
    if (name == controller) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> read_text(const fs::path& path) {
  std::ifstream in(path);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  std::string result = trimmed(text.str());
  if (result.empty()) return std::nullopt;
  return result;
}

std::vector<std::string> read_lines(const fs::path& path) {
  std::vector<std::string> lines;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::optional<double> to_number(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<double> read_number(const fs::path& path) {
  const std::optional<std::string> text = read_text(path);
  return text ? to_number(*text) : std::nullopt;
}

std::map<std::string, std::string> read_fields(const fs::path& path, char separator) {
  std::map<std::string, std::string> fields;
  for (const std::string& line : read_lines(path)) {
    const std::size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    fields.emplace(trimmed(line.substr(0, at)), trimmed(line.substr(at + 1)));
  }
  return fields;
}

std::vector<fs::path> numbered_folders(const fs::path& parent, const std::string& prefix) {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    int number = 0;
    const char* const end = name.data() + name.size();
    if (std::from_chars(name.data() + prefix.size(), end, number).ptr == end) found.emplace_back(number, entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> folders;
  for (auto& [number, path] : found) folders.push_back(std::move(path));
  return folders;
}

std::vector<fs::path> cgroup_folders(const fs::path& root, const std::string& controller) {
  std::vector<fs::path> folders;
  for (const std::string& line : read_lines(root / "proc/self/cgroup")) {  // "4:cpu,cpuacct:/path", v2 "0::/path"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string list = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? !list.empty() : !names_controller(list, controller)) continue;
    fs::path top = root / "sys/fs/cgroup";
    if (!controller.empty()) top /= controller;
    fs::path at = top / fs::path(line.substr(second + 1)).relative_path();
    std::error_code error;
    // In a container the path may be the host's, of which only the group itself is mounted.
    if (!fs::is_directory(at, error)) at = top;
    for (; at != top && at.has_relative_path() && at.string().size() > top.string().size(); at = at.parent_path()) {
      folders.push_back(at);
    }
    folders.push_back(top);
  }
  return folders;
}

}  // namespace assay::measure
