#include "cli/answer_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "input/npy.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 120;  // bytes; file systems take 255, temporary names add to it

std::string safe_name(const std::string& output) {
  std::string name;
  for (const char c : output) {
    const bool plain = static_cast<unsigned char>(c) >= ' ' && std::string_view("/\\:").find(c) == std::string::npos;
    name += plain ? c : '_';
  }
  if (name.size() > kLongestName) {
    std::size_t end = kLongestName;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;  // not within a code point
    name.resize(end);
  }
  return name.empty() ? "_" : name;
}

/// Writes nothing that stays.
void check_writable(const fs::path& folder) {
  try {
    const TemporaryFolder probe(folder);
  } catch (const Error& e) {
    throw Error(e.code(), fmt::format("-o: nothing can be written here ({}); name another place", e.message()),
                folder.string());
  }
}

/// Of one output, "y.txt" is meant as a file: a folder of that name would be a surprise.
void refuse_other_file(const fs::path& place, std::size_t outputs) {
  std::error_code error;
  if (outputs != 1 || !place.has_extension() || fs::is_directory(place, error)) return;
  const fs::path npy = fs::path(place).replace_extension(".npy");
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("-o: answers are written as .npy arrays, not as '{}'; give -o {}, or a folder",
                          place.extension().string(), npy.string()),
              place.string());
}

void create_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(ErrorCode::kIo, "-o: cannot create the folder: " + error.message(), folder.string());
}

}  // namespace

std::vector<std::string> file_names(const std::vector<TensorInfo>& outputs) {
  std::vector<std::string> names;
  for (const TensorInfo& output : outputs) {
    const std::string base = safe_name(output.name);
    std::string name = base + ".npy";
    for (int n = 2; std::find(names.begin(), names.end(), name) != names.end(); ++n) {
      name = fmt::format("{}-{}.npy", base, n);
    }
    names.push_back(name);
  }
  return names;
}

AnswerFiles::AnswerFiles(fs::path place, const std::vector<TensorInfo>& outputs) {
  if (place.empty()) return;
  for (const TensorInfo& output : outputs) {
    if (output.dtype != DType::kBFloat16) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("-o: output '{}' is bfloat16, which .npy files cannot hold; leave -o out, or export the "
                            "model with a Cast to float32 at its end",
                            output.name),
                place.string());
  }
  std::error_code error;
  if (place.extension() != ".npy") {
    refuse_other_file(place, outputs.size());
    create_folder(place);
    check_writable(place);
    for (const std::string& name : file_names(outputs)) files_.push_back(place / name);
    return;
  }
  if (outputs.size() != 1) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("-o: the model has {} outputs; give a folder, which gets one NAME.npy each", outputs.size()),
        place.string());
  }
  if (fs::is_directory(place, error)) {
    throw Error(ErrorCode::kInvalidArgument, "-o: this is a folder; name a file, or a folder that does not end in .npy",
                place.string());
  }
  const fs::path folder = place.has_parent_path() ? place.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, error)) {
    throw Error(ErrorCode::kIo, "-o: there is no such folder to write into", folder.string());
  }
  check_writable(folder);
  files_.push_back(std::move(place));
}

void AnswerFiles::write(const Answers& answers) const {
  for (std::size_t o = 0; o < files_.size(); ++o) input::write_npy(files_[o], answers.tensors()[o].view());
}

}  // namespace assay::cli
