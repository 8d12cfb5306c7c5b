#include "float16_file.hpp"

#include <fstream>

#include "assay/backend_kit.hpp"
#include "assay/error.hpp"
#include "onnx_graph/float16.hpp"

namespace assay::ort {
namespace {

constexpr const char* kFile = "float16.onnx";

void write_whole(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    throw kit::Failure(ASSAY_FRAMEWORK, "cannot write the model in float16 to " + path +
                                            ": is the disk full? TMPDIR names another folder");
  }
}

}  // namespace

std::string write_in_float16(const std::string& model_path, const std::filesystem::path& folder) {
  try {
    const std::string path = (folder / kFile).string();
    write_whole(path, onnx_graph::in_float16(onnx_graph::read(model_path)));
    return path;
  } catch (const Error& e) {
    throw kit::Failure(
        e.code() <= assay::ErrorCode::kInternal ? static_cast<assay_status>(e.code()) : ASSAY_INVALID_MODEL, e.what());
  }
}

}  // namespace assay::ort
