#pragma once

#include <array>
#include <string>
#include <vector>

#include "assay/tensor.hpp"
#include "input/image.hpp"

namespace assay::input {

/// How an image becomes a model's input. One text form on the command line: a preset's name, or key=value,… on top.
struct Preprocess {
  int resize = 256;  ///< the shorter side, pixels; 0: straight to the crop's size, whatever the aspect
  int crop = 0;      ///< centre crop, pixels; 0: the model's own height and width
  std::array<double, 3> mean = {0, 0, 0};  ///< in units of `scale`d values, in the order of `channels`
  std::array<double, 3> deviation = {1, 1, 1};
  double scale = 1.0 / 255;         ///< applied to 0..255 first
  std::string channels = "rgb";     ///< "rgb" or "bgr"
  std::string filter = "bilinear";  ///< "bilinear", "bicubic" (both antialiased), "nearest"
  std::string layout = "auto";      ///< "nchw", "nhwc", "auto": where the axis of 1 or 3 is

  bool operator==(const Preprocess&) const = default;
};

/// Names of the presets: those of the zoo's four networks, "none".
std::vector<std::string> preset_names();
/// "resnet50", "resize=256,crop=224,mean=0.485/0.456/0.406", "vgg19,channels=bgr". Throws Error(kInvalidArgument).
Preprocess parse_preprocess(const std::string& text);

/// Writes one image as one sample: `sample` has no batch axis, and rank 3. Floats get (scale * pixel - mean) /
/// deviation, integers the pixels as they are (0 to 255). Throws Error(kInvalidArgument) where the two do not fit
/// together.
void preprocess_image(const Image& image, const Preprocess& how, const MutableTensorView& sample);

}  // namespace assay::input
