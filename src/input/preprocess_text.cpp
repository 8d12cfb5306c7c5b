// The text form of a preprocessing: presets and key=value pairs.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <string_view>

#include "assay/error.hpp"
#include "input/preprocess.hpp"

namespace assay::input {
namespace {

Preprocess imagenet(const char* filter) {
  Preprocess p;
  p.resize = 256;
  p.crop = 0;  // 224 in the four networks
  p.mean = {0.485, 0.456, 0.406};
  p.deviation = {0.229, 0.224, 0.225};
  p.filter = filter;
  return p;
}

Preprocess untouched() {
  Preprocess p;
  p.resize = 0;
  p.scale = 1;
  return p;
}

/// The networks' presets are those that torchvision documents for its weights.
const std::map<std::string, Preprocess, std::less<>>& presets() {
  static const std::map<std::string, Preprocess, std::less<>> all = {
      {"vgg19", imagenet("bilinear")},
      {"resnet50", imagenet("bilinear")},
      {"densenet201", imagenet("bilinear")},
      {"efficientnetb0", imagenet("bicubic")},
      {"none", untouched()},
  };
  return all;
}

[[noreturn]] void refuse(std::string_view key, std::string_view value, const std::string& wanted) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("preprocess: {}={} cannot be; {}", key, value, wanted));
}

double number(std::string_view key, std::string_view value) {
  double result = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(result)) {
    refuse(key, value, "a finite number is wanted");
  }
  return result;
}

int pixels(std::string_view key, std::string_view value) {
  int result = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  if (error != std::errc() || end != value.data() + value.size() || result < 0 || result > 16384) {
    refuse(key, value, "0 to 16384 pixels are wanted");
  }
  return result;
}

/// "0.5", or three separated by '/'.
std::array<double, 3> three(std::string_view key, std::string_view value) {
  std::array<double, 3> result{};
  std::size_t i = 0;
  std::string_view rest = value;
  for (; i < 3; ++i) {
    const std::size_t slash = rest.find('/');
    result[i] = number(key, rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (i == 0) return {result[0], result[0], result[0]};
  if (i != 2) refuse(key, value, "one number, or three like 0.485/0.456/0.406");
  return result;
}

std::string word(std::string_view key, std::string_view value, std::initializer_list<const char*> choices) {
  std::string known;
  for (const char* c : choices) {
    if (value == c) return std::string(value);
    known += (known.empty() ? "" : ", ") + std::string(c);
  }
  refuse(key, value, "there are " + known);
}

using Setter = std::function<void(Preprocess&, std::string_view key, std::string_view value)>;

const std::map<std::string, Setter, std::less<>>& setters() {
  using V = std::string_view;
  static const std::map<std::string, Setter, std::less<>> all = {
      {"resize", [](Preprocess& p, V k, V v) { p.resize = pixels(k, v); }},
      {"crop", [](Preprocess& p, V k, V v) { p.crop = pixels(k, v); }},
      {"mean", [](Preprocess& p, V k, V v) { p.mean = three(k, v); }},
      {"std",
       [](Preprocess& p, V k, V v) {
         p.deviation = three(k, v);
         for (const double d : p.deviation) {
           if (d == 0) refuse(k, v, "a divisor of 0 makes no sense");
         }
       }},
      {"scale", [](Preprocess& p, V k, V v) { p.scale = number(k, v); }},
      {"channels", [](Preprocess& p, V k, V v) { p.channels = word(k, v, {"rgb", "bgr"}); }},
      {"filter", [](Preprocess& p, V k, V v) { p.filter = word(k, v, {"bilinear", "bicubic", "nearest"}); }},
      {"layout", [](Preprocess& p, V k, V v) { p.layout = word(k, v, {"nchw", "nhwc", "auto"}); }},
  };
  return all;
}

template <class Map>
std::string keys_of(const Map& map) {
  std::string text;
  for (const auto& [key, value] : map) text += (text.empty() ? "" : ", ") + key;
  return text;
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& [name, preset] : presets()) names.push_back(name);
  return names;
}

Preprocess parse_preprocess(const std::string& text) {
  Preprocess result;
  std::string_view rest = text;
  for (bool first = true; first || !rest.empty(); first = false) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      const auto preset = presets().find(part);
      if (!first || preset == presets().end()) {
        throw Error(ErrorCode::kInvalidArgument,
                    fmt::format("preprocess: '{}' is no preset; there are {}; or write key=value with {}", part,
                                keys_of(presets()), keys_of(setters())));
      }
      result = preset->second;
      continue;
    }
    const auto setter = setters().find(part.substr(0, equals));
    if (setter == setters().end()) {
      throw Error(ErrorCode::kInvalidArgument, fmt::format("preprocess: there is no setting '{}'; there are {}",
                                                           part.substr(0, equals), keys_of(setters())));
    }
    setter->second(result, part.substr(0, equals), part.substr(equals + 1));
  }
  return result;
}

}  // namespace assay::input
