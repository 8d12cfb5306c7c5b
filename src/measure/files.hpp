#pragma once
// Small readers for the kernel's text files. Nothing throws: what cannot be read is not there.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::measure {

/// The file's text without trailing white space; nothing where it cannot be read or is empty.
std::optional<std::string> read_text(const std::filesystem::path& path);
std::vector<std::string> read_lines(const std::filesystem::path& path);
/// The first number in a text ("12345 kB" → 12345); nothing where it begins with none.
std::optional<double> to_number(std::string_view text);
std::optional<double> read_number(const std::filesystem::path& path);
/// "Key:   value" lines (meminfo, status, smaps_rollup), or "key value" with a space as separator (cpu.stat).
std::map<std::string, std::string> read_fields(const std::filesystem::path& path, char separator = ':');
/// The sub-folders whose names are `prefix` and a number ("cpu0", "node1"), in numerical order.
std::vector<std::filesystem::path> numbered_folders(const std::filesystem::path& parent, const std::string& prefix);

/// Folders of this process's cgroup and its ancestors for a controller, innermost first. Version 2 where `controller`
/// is "".
std::vector<std::filesystem::path> cgroup_folders(const std::filesystem::path& root, const std::string& controller);

}  // namespace assay::measure
