#pragma once
// What a model is kept in. ONNX is read here; what is not ONNX belongs to an engine, and only its files are looked at.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace assay::model {

/// The numbers are those of the plugin boundary (ASSAY_MODEL_…).
enum class Format : std::uint32_t { kOnnx = 1, kSavedModel = 2, kGraphDef = 4 };

/// "onnx", "saved_model", "graph_def".
const char* to_string(Format format);
/// For messages: "a TensorFlow SavedModel".
const char* describe(Format format);

/// By what is there: a folder that holds saved_model.pb, a file named *.pb, else ONNX.
Format format_of(const std::filesystem::path& path);

/// Throws Error(kInvalidModel) for a file whose name says that it is of a format that is not read, with the way out.
void refuse_unreadable(const std::filesystem::path& path);

/// All files of a model that is not ONNX; the first is the one that is read first. Throws Error(kIo | kInvalidModel).
std::vector<std::filesystem::path> foreign_files(const std::filesystem::path& path, Format format);

/// Why such a model is no member of an ensemble; "" where it can be one.
std::string why_no_member(Format format);

/// Why `backend`, which takes the formats of these bits, cannot load such a model, and what to do; "" where it can.
std::string why_not_read(const std::string& backend, std::uint32_t formats, Format format);

}  // namespace assay::model
