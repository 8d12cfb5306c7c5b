#include "model/format.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "assay/error.hpp"

namespace assay::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSavedModelFile = "saved_model.pb";
/// A SavedModel has a handful, or a shard of the variables for each device; a folder of more is another thing.
constexpr std::size_t kMostFiles = 10'000;

/// Links to folders are not followed, so that this ends.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    files.push_back(at->path());
    if (files.size() > kMostFiles) {
      throw Error(
          ErrorCode::kInvalidModel,
          fmt::format("this folder holds over {} files, more than a SavedModel has: name the model's own folder",
                      kMostFiles),
          folder.string());
    }
  }
  if (error) throw Error(ErrorCode::kIo, fmt::format("cannot be read: {}", error.message()), folder.string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

const char* to_string(Format format) {
  switch (format) {
    case Format::kSavedModel:
      return "saved_model";
    case Format::kGraphDef:
      return "graph_def";
    default:
      return "onnx";
  }
}

const char* describe(Format format) {
  switch (format) {
    case Format::kSavedModel:
      return "a TensorFlow SavedModel";
    case Format::kGraphDef:
      return "a frozen TensorFlow graph (*.pb)";
    default:
      return "an ONNX model";
  }
}

Format format_of(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    return fs::is_regular_file(path / kSavedModelFile, ignored) ? Format::kSavedModel : Format::kOnnx;
  }
  return path.extension() == ".pb" ? Format::kGraphDef : Format::kOnnx;
}

void refuse_unreadable(const fs::path& path) {
  struct Row {
    const char *extension, *what, *advice;
  };
  static constexpr Row kRows[] = {
      {".keras", "Keras' own format", "save it with model.export(DIR) and name the folder, with --backend tensorflow"},
      {".h5", "Keras' old format", "load it in Keras, save it with model.export(DIR) and name the folder"},
      {".pt", "PyTorch's own format", "export it with torch.onnx.export"},
      {".pth", "PyTorch's own format", "export it with torch.onnx.export"},
      {".tflite", "a TensorFlow Lite model", "convert it with tf2onnx --tflite"},
  };
  for (const Row& row : kRows) {
    if (path.extension() != row.extension) continue;
    throw Error(ErrorCode::kInvalidModel,
                fmt::format("this is {}, which is not read here: {} (docs/bring-your-model.md)", row.what, row.advice),
                path.string());
  }
}

std::vector<fs::path> foreign_files(const fs::path& path, Format format) {
  if (format == Format::kSavedModel) {
    std::vector<fs::path> files = files_below(path);
    const auto main = std::find(files.begin(), files.end(), path / kSavedModelFile);
    if (main == files.end()) {
      throw Error(ErrorCode::kIo, fmt::format("there is no {} in this folder any more", kSavedModelFile),
                  path.string());
    }
    std::rotate(files.begin(), main, main + 1);
    return files;
  }
  if (path.filename() == kSavedModelFile) {
    throw Error(ErrorCode::kInvalidModel, "this is one file of a TensorFlow SavedModel: name the folder that holds it",
                path.string());
  }
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    throw Error(ErrorCode::kIo, "there is no such file, or it is none that can be read", path.string());
  }
  return {path};
}

std::string why_no_member(Format format) {
  if (format == Format::kOnnx) return {};
  return fmt::format("this is {}, and a member of an ensemble is an ONNX file: convert it with tf2onnx",
                     describe(format));
}

std::string why_not_read(const std::string& backend, std::uint32_t formats, Format format) {
  if ((formats & static_cast<std::uint32_t>(format)) != 0) return {};
  if (format == Format::kOnnx) return fmt::format("{} reads no ONNX, and this is an ONNX model", backend);
  return fmt::format("{} reads ONNX, and this is {}: use --backend tensorflow, or convert it with tf2onnx", backend,
                     describe(format));
}

}  // namespace assay::model
