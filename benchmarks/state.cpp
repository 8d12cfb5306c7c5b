#include "state.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "base/file.hpp"

namespace assay::bench {

State::State(std::string file, bool read_only) : file_(std::move(file)), read_only_(read_only) {
  if (file_.empty()) return;
  if (std::filesystem::exists(file_)) {
    read();
  } else if (read_only_) {
    throw std::runtime_error(fmt::format("{}: there is no such file, so there is nothing to report", file_));
  }
  append("");
}

void State::read() {
  const std::string text = read_file(file_);
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    if (const std::size_t colon = line.find(": "); line.starts_with("# ") && colon != std::string::npos) {
      stamps_[line.substr(2, colon - 2)] = line.substr(colon + 2);
      continue;
    }
    if (line.starts_with("- ")) {
      figures_.erase(line.substr(2));
      continue;
    }
    double figure = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), figure);
    const auto digits = static_cast<std::size_t>(rest - line.data());
    if (error != std::errc() || line.size() < digits + 2 || line[digits] != ' ') {
      throw std::runtime_error(
          fmt::format("{} is of another version, or no file of figures: remove it, or name another", file_));
    }
    figures_[line.substr(digits + 1)] = figure;
  }
  if (begin < text.size() && !read_only_) std::filesystem::resize_file(file_, begin);
}

void State::append(const std::string& line) {
  if (file_.empty() || read_only_) return;
  std::ofstream out(file_, std::ios::app);
  out << line << std::flush;
  if (!out) throw std::runtime_error(fmt::format("{} cannot be written", file_));
}

void State::require(const std::string& name, const std::string& text) {
  const auto it = stamps_.find(name);
  if (it == stamps_.end()) {
    stamps_[name] = text;
    append(fmt::format("# {}: {}\n", name, text));
  } else if (it->second != text) {
    const std::string why = fmt::format("{} is of {} \"{}\", this is \"{}\"", file_, name, it->second, text);
    if (!read_only_) throw std::runtime_error(why + ": remove it, or name another");
    std::fprintf(stderr, "note: %s\n", why.c_str());
  }
}

std::optional<double> State::known(const std::string& key) const {
  const auto it = figures_.find(key);
  return it == figures_.end() ? std::nullopt : std::optional<double>(it->second);
}

void State::forget(const std::string& key) {
  if (figures_.erase(key) > 0) append(fmt::format("- {}\n", key));
}

std::optional<double> State::figure(const std::string& key, const std::function<double()>& measure) {
  const auto it = figures_.find(key);
  if (it != figures_.end() && (it->second > 0 || read_only_)) return it->second;
  if (read_only_) return std::nullopt;
  const double measured = measure();
  figures_[key] = measured;
  append(fmt::format("{} {}\n", measured, key));
  return measured;
}

}  // namespace assay::bench
