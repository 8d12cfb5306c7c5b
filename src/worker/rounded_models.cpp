#include "worker/rounded_models.hpp"

#include <map>

#include "base/file.hpp"
#include "onnx_graph/rounding.hpp"

namespace assay::worker {
namespace {

constexpr int kFloat16Bits = 11, kBFloat16Bits = 8;  // of a significand

}  // namespace

bool is_reduced(Precision precision) { return precision == Precision::kFloat16 || precision == Precision::kBFloat16; }

Request with_rounded_weights(Request request, const std::filesystem::path& folder) {
  if (!is_reduced(request.weights_rounded_to)) return request;
  const int bits = request.weights_rounded_to == Precision::kFloat16 ? kFloat16Bits : kBFloat16Bits;
  std::map<std::filesystem::path, std::filesystem::path> copies;  // one file twice stays one file
  const auto rounded = [&](std::filesystem::path& model) {
    if (model.empty()) return;
    std::filesystem::path& copy = copies[model];
    if (copy.empty()) {
      copy = folder / std::to_string(copies.size()) / model.filename();
      std::filesystem::create_directories(copy.parent_path());
      write_file_atomically(copy, onnx_graph::with_rounded_weights(model, bits));
    }
    model = copy;
  };
  rounded(request.model);
  for (std::filesystem::path& member : request.members) rounded(member);
  return request;
}

}  // namespace assay::worker
