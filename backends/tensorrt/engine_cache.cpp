#include "engine_cache.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace assay::tensorrt {
namespace {

constexpr const char* kEngineFile = "/model.engine";
constexpr const char* kFactsFile = "/build.txt";
constexpr const char* kTimingFile = "/timing.cache";

void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool written = file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed) {
    throw kit::Failure(ASSAY_FRAMEWORK, "cannot write " + path + ": is the disk full or read-only?");
  }
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string to_text(const Facts& facts) {
  return "precision=" + facts.precision + "\nworkspace_bytes=" + std::to_string(facts.workspace_bytes) +
         "\noptimization_level=" + std::to_string(facts.optimization_level) + "\ntf32=" + (facts.tf32 ? "1" : "0") +
         "\n";
}

std::optional<Facts> parse_facts(std::string_view text) {
  constexpr int kKeys = 4;
  Facts facts;
  int met = 0;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || equals + 1 == line.size()) return std::nullopt;
    const std::string key = line.substr(0, equals), value = line.substr(equals + 1);
    const bool is_number = value.find_first_not_of("0123456789") == std::string::npos;
    ++met;
    if (key == "precision") {
      facts.precision = value;
    } else if (key == "workspace_bytes" && is_number) {
      facts.workspace_bytes = std::strtoull(value.c_str(), nullptr, 10);
    } else if (key == "optimization_level" && is_number) {
      facts.optimization_level = static_cast<int>(std::strtol(value.c_str(), nullptr, 10));
    } else if (key == "tf32" && is_number) {
      facts.tf32 = value == "1";
    } else {
      return std::nullopt;
    }
  }
  return met == kKeys ? std::optional(facts) : std::nullopt;
}

CachedEngine read_engine(const std::string& folder) {
  const std::optional<Facts> facts = parse_facts(content_of(folder + kFactsFile));
  if (!facts) throw kit::Failure(ASSAY_FRAMEWORK, folder + kFactsFile + " is missing or is not of this backend");
  return {kit::MappedFile(folder + kEngineFile), *facts};
}

void fill_folder(const std::string& folder, std::span<const std::byte> engine, const Facts& facts,
                 std::span<const std::byte> timing) {
  write_bytes(folder + kEngineFile, engine);
  const std::string text = to_text(facts);
  write_bytes(folder + kFactsFile, std::as_bytes(std::span(text)));
  if (!timing.empty()) write_bytes(folder + kTimingFile, timing);
}

std::string read_timing(const std::string& file, const std::string& folder) {
  if (!file.empty()) return content_of(file);
  return folder.empty() ? "" : content_of(folder + kTimingFile);
}

void write_timing(const std::string& file, std::span<const std::byte> timing) {
  const std::string beside = file + "." + std::to_string(::getpid());
  write_bytes(beside, timing);
  std::error_code error;
  std::filesystem::rename(beside, file, error);
  if (!error) return;
  std::filesystem::remove(beside, error);
  throw kit::Failure(ASSAY_FRAMEWORK, "cannot write " + file + ": is its folder there, and may it be written?");
}

}  // namespace assay::tensorrt
