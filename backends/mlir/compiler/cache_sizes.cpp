#include "cache_sizes.hpp"

#include <fstream>
#include <string>

namespace assay::compiler {
namespace {

std::string word_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string word;
  in >> word;
  return word;
}

/// "1024K", "32M", "512".
std::optional<std::int64_t> bytes_of_text(const std::string& text) {
  constexpr std::int64_t kKibi = 1024;
  std::int64_t number = 0;
  std::size_t i = 0;
  constexpr std::int64_t kMost = std::int64_t{1} << 32, kTen = 10;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && number < kMost; ++i)
    number = number * kTen + (text[i] - '0');
  if (i == 0 || i + 1 < text.size()) return std::nullopt;
  const char unit = i < text.size() ? text[i] : 'B';
  if (unit != 'B' && unit != 'K' && unit != 'M') return std::nullopt;
  return number * (unit == 'M' ? kKibi * kKibi : unit == 'K' ? kKibi : 1);
}

}  // namespace

std::optional<std::int64_t> cache_bytes(int level, const std::filesystem::path& cpu) {
  for (int i = 0;; ++i) {
    const std::filesystem::path folder = cpu / "cache" / ("index" + std::to_string(i));
    std::error_code ignored;
    if (!std::filesystem::exists(folder, ignored)) return std::nullopt;
    if (word_of(folder / "level") == std::to_string(level) && word_of(folder / "type") == "Unified")
      return bytes_of_text(word_of(folder / "size"));
  }
}

}  // namespace assay::compiler
