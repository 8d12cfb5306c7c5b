// The image reader and what follows it. Large pictures are left out: they are right, and slow.
#include <vector>

#include "assay/error.hpp"
#include "input/image.hpp"
#include "input/preprocess.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const assay::input::Preprocess kHow = assay::input::parse_preprocess("resnet50,crop=0");
  try {
    const assay::input::Image image = assay::input::decode_image(std::as_bytes(std::span(data, size)));
    if (image.width > 2000 || image.height > 2000) return 0;
    std::vector<float> sample(3 * 16 * 16);
    assay::input::preprocess_image(image, kHow, {sample.data(), assay::DType::kFloat32, {3, 16, 16}, {}});
  } catch (const assay::Error&) {
  }
  return 0;
}
