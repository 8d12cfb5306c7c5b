// ConvKernel as a function, and the borders of images.

#include "conv_emitter.hpp"

namespace assay::compiler {

KernelText emit(const BorderKernel& k, const Target& /*target*/) {
  const std::int64_t width = k.left + k.columns + k.right, height = k.top + k.rows + k.bottom;
  const std::string type = "memref<" + std::to_string(k.images * height * width * k.lanes) + "xf32>";
  Emitter e;
  const int lanes = static_cast<int>(k.lanes);
  const std::string zero = e.number(0, Element::kF32, lanes);
  // Pixels from one to another, counted from an image's first one.
  const auto clear = [&](const Affine& first, std::int64_t pixels) {
    e.loop(e.index(0), e.index(pixels), 1, [&](const std::string& i) {
      Affine at = first;
      e.store(zero, "%p0", type, e.affine(at.add(i, k.lanes)), Element::kF32, lanes);
    });
  };
  e.loop("%begin", "%end", 1, [&](const std::string& image) {
    const auto place = [&](std::int64_t pixel) {
      Affine at;
      at.constant = pixel * k.lanes;
      return at.add(image, height * width * k.lanes);
    };
    // The right border of a row and the left one of the next lie beside each other.
    clear(place(0), k.top * width + k.left);
    if (k.left + k.right > 0 && k.rows > 1) {
      e.loop(e.index(1), e.index(k.rows), 1, [&](const std::string& row) {
        clear(place(k.top * width - k.right).add(row, width * k.lanes), k.left + k.right);
      });
    }
    clear(place((k.top + k.rows) * width - k.right), k.right + k.bottom * width);
  });
  return {e.function({{"%p0", type}}), k.images};
}

KernelText emit(const ConvKernel& k, const Target& /*target*/) {
  Emitter e;
  FloatPointers pointers;
  ConvEmitter rows(k, e, pointers);
  e.loop("%begin", "%end", 1, [&](const std::string& u) {
    const auto [rest, in_stretch] = split_index(e, u, k.together);
    const auto [stretch, group] = split_index(e, rest, k.groups);
    const auto [sample, row] = split_index(e, e.affine(Affine().add(stretch, k.together).add(in_stretch, 1)), k.rows);
    const RowPlace place{sample, row, group};
    rows.row(place, place, place);
  });
  return {e.function(pointers.arguments()), k.groups * k.batch * k.rows};
}

}  // namespace assay::compiler
