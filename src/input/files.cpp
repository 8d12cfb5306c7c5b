#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "assay/error.hpp"
#include "base/half.hpp"
#include "core/copy.hpp"
#include "input/image.hpp"
#include "input/npy.hpp"
#include "input/source.hpp"

namespace assay::input {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_input(const std::string& context, const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, why, context);
}

/// What one input of the model is filled from, or several are. `fill` is given all of the model's, and fills its own.
class Feed {
 public:
  virtual ~Feed() = default;
  [[nodiscard]] virtual std::int64_t samples() const = 0;
  virtual void fill(std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) = 0;
  [[nodiscard]] virtual std::string label(std::int64_t sample) const = 0;
  [[nodiscard]] virtual bool has_images() const { return false; }
};

/// The model's shape of one input with what the user fixed; the batch axis is left as the model has it.
Shape wanted_shape(const TensorInfo& info, const std::map<std::string, Shape>& shapes) {
  const auto it = shapes.find(info.name);
  Shape shape = it == shapes.end() ? info.shape : it->second;
  if (info.batch_axis >= 0 && shape.size() == info.shape.size()) {
    const auto axis = static_cast<std::size_t>(info.batch_axis);
    shape[axis] = info.shape[axis];
  }
  return shape;
}

bool fits(const Shape& found, const Shape& wanted, int batch_axis) {
  if (found.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool free = wanted[i] < 0 || static_cast<int>(i) == batch_axis;
    if (!free && found[i] != wanted[i]) return false;
  }
  return true;
}

template <class T, class IsNan>
std::int64_t first_nan(const TensorView& view, IsNan is_nan) {
  const auto* data = static_cast<const T*>(view.data);
  const std::int64_t n = element_count(view.shape);
  for (std::int64_t i = 0; i < n; ++i) {
    if (is_nan(data[i])) return i;
  }
  return -1;
}

void refuse_nan(const TensorView& view, const std::string& context) {
  std::int64_t at = -1;
  if (view.dtype == DType::kFloat32) at = first_nan<float>(view, [](float v) { return std::isnan(v); });
  if (view.dtype == DType::kFloat64) at = first_nan<double>(view, [](double v) { return std::isnan(v); });
  if (view.dtype == DType::kFloat16) {
    at = first_nan<std::uint16_t>(view, [](std::uint16_t v) { return std::isnan(half_to_float(v)); });
  }
  if (at >= 0) refuse_input(context, fmt::format("element {} (in the order of the file) is not a number", at));
}

class NpyFeed final : public Feed {
 public:
  /// `input`: the place of `info` among the model's inputs.
  NpyFeed(const fs::path& path, std::size_t input, const TensorInfo& info, const Shape& wanted)
      : file_(path), input_(input), axis_(info.batch_axis) {
    const TensorView& view = file_.view();
    if (view.dtype != info.dtype) {
      refuse_input(path.string(),
                   fmt::format("input '{}' is {}, the file holds {}; convert it with array.astype('{}')", info.name,
                               to_string(info.dtype), to_string(view.dtype), to_string(info.dtype)));
    }
    if (!fits(view.shape, wanted, axis_)) {
      refuse_input(path.string(), fmt::format("input '{}' takes {}, the file holds {}{}", info.name, to_string(wanted),
                                              to_string(view.shape),
                                              view.shape.size() + 1 == wanted.size() && axis_ == 0
                                                  ? "; a single sample needs a leading axis of 1: array[None]"
                                                  : ""));
    }
    if (samples() == 0) {
      refuse_input(path.string(),
                   fmt::format("input '{}': the file holds {}, no sample at all", info.name, to_string(view.shape)));
    }
    refuse_nan(view, path.string());
  }
  [[nodiscard]] std::int64_t samples() const override {
    return axis_ < 0 ? 1 : file_.view().shape[static_cast<std::size_t>(axis_)];
  }
  void fill(std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) override {
    const auto axis = static_cast<std::size_t>(axis_);
    copy_elements(axis_ < 0 ? file_.view() : slice(file_.view(), axis, first, count), inputs[input_]);
  }
  [[nodiscard]] std::string label(std::int64_t sample) const override { return fmt::format("{}", sample); }

 private:
  NpyFile file_;
  std::size_t input_;
  int axis_;
};

bool takes_images(const TensorInfo& info) {
  return info.shape.size() == 4 || (info.shape.size() == 3 && info.batch_axis < 0);
}

/// An input that is filled from images.
struct ImageInput {
  std::size_t index = 0;  ///< among the model's inputs
  TensorInfo info;
  Preprocess how;
};

/// Each image is decoded once, whatever the number of inputs that it is prepared for.
class ImageFeed final : public Feed {
 public:
  ImageFeed(std::vector<fs::path> files, std::vector<ImageInput> inputs)
      : files_(std::move(files)), inputs_(std::move(inputs)) {
    for (const ImageInput& input : inputs_) check(input.info);
    refuse_broken();
  }
  [[nodiscard]] std::int64_t samples() const override { return static_cast<std::int64_t>(files_.size()); }
  void fill(std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) override {
    for (std::int64_t i = 0; i < count; ++i) {
      const fs::path& file = files_[static_cast<std::size_t>(first + i)];
      const Image image = read_image(file);
      try {
        for (const ImageInput& input : inputs_) {
          preprocess_image(image, input.how, sample_of(inputs[input.index], input.info.batch_axis, i));
        }
      } catch (const Error& e) {
        refuse_input(file.string(), e.message());
      }
    }
  }
  [[nodiscard]] std::string label(std::int64_t sample) const override {
    return files_[static_cast<std::size_t>(sample)].filename().string();
  }
  [[nodiscard]] bool has_images() const override { return true; }

 private:
  /// Broken pictures are found before thousands are computed, and all at once: whoever mends them mends them once.
  void refuse_broken() const {
    constexpr std::size_t kNamed = 20;
    std::vector<Error> broken;
    for (const fs::path& file : files_) {
      try {
        check_image(file);
      } catch (const Error& e) {
        broken.push_back(e);
      }
    }
    if (broken.empty()) return;
    if (files_.size() == 1) throw broken.front();
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(broken.size(), kNamed); ++i) names.emplace_back(broken[i].what());
    if (broken.size() > kNamed) names.push_back(fmt::format("and {} more", broken.size() - kNamed));
    throw Error(broken.front().code(),
                fmt::format("{} of {} images cannot be read, and nothing was computed; mend them "
                            "or take them away: {}",
                            broken.size(), files_.size(), fmt::join(names, "; ")));
  }

  void check(const TensorInfo& info) const {
    if (!takes_images(info)) {
      refuse_input(
          files_.front().string(),
          fmt::format("input '{}' takes {}: an image fits inputs of four axes (a batch, channels, height, width)",
                      info.name, to_string(info.shape)));
    }
    if (info.batch_axis < 0 && files_.size() > 1) {
      refuse_input(files_[1].string(), fmt::format("input '{}' has no batch axis: one image at a time", info.name));
    }
  }

  /// One sample of a batch, without the batch axis.
  [[nodiscard]] static MutableTensorView sample_of(const MutableTensorView& batch, int batch_axis, std::int64_t i) {
    if (batch.shape.size() == 3) return batch;
    const std::size_t axis = batch_axis < 0 ? 0 : static_cast<std::size_t>(batch_axis);
    MutableTensorView one = slice(batch, axis, i, 1);
    one.shape.erase(one.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    one.strides.erase(one.strides.begin() + static_cast<std::ptrdiff_t>(axis));
    return one;
  }

  std::vector<fs::path> files_;
  std::vector<ImageInput> inputs_;
};

class FileSource final : public Source {
 public:
  explicit FileSource(std::vector<std::unique_ptr<Feed>> feeds) : feeds_(std::move(feeds)) {}
  [[nodiscard]] std::int64_t samples() const override { return feeds_.front()->samples(); }
  void fill(std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) override {
    for (const auto& feed : feeds_) feed->fill(first, count, inputs);
  }
  [[nodiscard]] std::string label(std::int64_t sample) const override { return feeds_.front()->label(sample); }
  [[nodiscard]] bool has_images() const override {
    return std::any_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->has_images(); });
  }

 private:
  std::vector<std::unique_ptr<Feed>> feeds_;
};

[[noreturn]] void cannot_look(const fs::path& path, const std::error_code& error) {
  throw Error(ErrorCode::kIo, "cannot be looked at: " + error.message(), path.string());
}

/// Throws Error(kIo) where that cannot be found out; a path that is not there is not_found.
fs::file_type type_of(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::none) cannot_look(path, error);
  return type;
}

std::vector<fs::path> images_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (is_image_name(entry->path()) && type_of(entry->path()) == fs::file_type::regular)
      files.push_back(entry->path());
  }
  if (error) cannot_look(folder, error);
  std::sort(files.begin(), files.end());
  if (files.empty()) refuse_input(folder.string(), "there is no .jpg, .jpeg or .png in this folder");
  return files;
}

std::string names_of(const std::vector<TensorInfo>& inputs) {
  std::string names;
  for (const TensorInfo& i : inputs) names += (names.empty() ? "" : ", ") + i.name;
  return names;
}

/// One "[NAME=]PATH".
struct Given {
  std::optional<std::size_t> input;  ///< which NAME= is; none where nothing was named
  fs::path path;
};

/// Splits it and finds the input it is for. A path that holds '=' is a path if it exists.
Given resolve(const std::string& argument, const std::vector<TensorInfo>& inputs) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || type_of(argument) != fs::file_type::not_found) return {{}, argument};
  const std::string name = argument.substr(0, equals);
  const auto it = std::find_if(inputs.begin(), inputs.end(), [&](const TensorInfo& i) { return i.name == name; });
  if (it == inputs.end()) {
    refuse_input(argument, fmt::format("the model has no input '{}'; it has {}", name, names_of(inputs)));
  }
  return {static_cast<std::size_t>(it - inputs.begin()), argument.substr(equals + 1)};
}

/// Whether a path is, or holds, an image; throws where it is not there.
bool is_picture(const fs::path& path, const std::string& input) {
  const fs::file_type type = type_of(path);
  if (type == fs::file_type::not_found) {
    refuse_input(path.string(), fmt::format("there is no such file or folder (for input '{}')", input));
  }
  return type == fs::file_type::directory || is_image_name(path);
}

/// The images of all paths, each an image or a folder.
std::vector<fs::path> all_images(const std::vector<fs::path>& paths) {
  std::vector<fs::path> images;
  for (const fs::path& path : paths) {
    if (type_of(path) != fs::file_type::directory) {
      images.push_back(path);
      continue;
    }
    const std::vector<fs::path> more = images_in(path);
    images.insert(images.end(), more.begin(), more.end());
  }
  return images;
}

void require_preprocess(const std::vector<TensorInfo>& inputs, std::span<const Preprocess> preprocess) {
  if (inputs.empty()) refuse_input("", "the model has no inputs");
  if (preprocess.size() == inputs.size()) return;
  throw Error(ErrorCode::kInternal,
              fmt::format("{} ways to prepare images were given for {} inputs", preprocess.size(), inputs.size()));
}

std::unique_ptr<Feed> images_for_all(std::vector<fs::path> files, const std::vector<TensorInfo>& inputs,
                                     std::span<const Preprocess> preprocess) {
  std::vector<ImageInput> all;
  for (std::size_t i = 0; i < inputs.size(); ++i) all.push_back({i, inputs[i], preprocess[i]});
  return std::make_unique<ImageFeed>(std::move(files), std::move(all));
}

/// Opens what the arguments name, for the inputs that they name.
class Opening {
 public:
  Opening(const std::vector<TensorInfo>& inputs, const std::map<std::string, Shape>& shapes,
          std::span<const Preprocess> preprocess)
      : inputs_(inputs), shapes_(shapes), preprocess_(preprocess) {}

  [[nodiscard]] std::vector<std::unique_ptr<Feed>> open(const std::vector<Given>& given) const {
    const bool unnamed = std::any_of(given.begin(), given.end(), [](const Given& g) { return !g.input; });
    if (inputs_.size() > 1 && unnamed) return open_for_all(given);
    std::vector<std::vector<fs::path>> paths(inputs_.size());
    for (const Given& g : given) paths[g.input.value_or(0)].push_back(g.path);
    std::vector<std::unique_ptr<Feed>> feeds;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      feeds.push_back(open_for(i, paths[i]));
      if (feeds.back()->samples() != feeds.front()->samples()) {
        refuse_input(inputs_[i].name, fmt::format("this input got {} samples, input '{}' got {}",
                                                  feeds.back()->samples(), inputs_[0].name, feeds.front()->samples()));
      }
    }
    return feeds;
  }

 private:
  /// Images that nobody named an input for: they are every input's, if each takes images.
  [[nodiscard]] std::vector<std::unique_ptr<Feed>> open_for_all(const std::vector<Given>& given) const {
    const bool images = std::all_of(inputs_.begin(), inputs_.end(), takes_images);
    std::vector<fs::path> paths;
    for (const Given& g : given) {
      if (!images || g.input || !is_picture(g.path, inputs_[0].name)) {
        refuse_input(g.path.string(), fmt::format("the model has several inputs ({}): write NAME=PATH for each{}",
                                                  names_of(inputs_), images ? "; images go to all without it" : ""));
      }
      paths.push_back(g.path);
    }
    std::vector<std::unique_ptr<Feed>> feeds;
    feeds.push_back(images_for_all(all_images(paths), inputs_, preprocess_));
    return feeds;
  }

  [[nodiscard]] std::unique_ptr<Feed> open_for(std::size_t i, const std::vector<fs::path>& paths) const {
    const TensorInfo& info = inputs_[i];
    if (paths.empty()) {
      refuse_input(info.name, fmt::format("nothing was given for this input; add --input {}=PATH", info.name));
    }
    for (const fs::path& path : paths) {
      if (is_picture(path, info.name)) continue;
      if (paths.size() == 1) return std::make_unique<NpyFeed>(path, i, info, wanted_shape(info, shapes_));
      refuse_input(path.string(), fmt::format("input '{}' got several files: that works with images only", info.name));
    }
    return std::make_unique<ImageFeed>(all_images(paths), std::vector<ImageInput>{{i, info, preprocess_[i]}});
  }

  const std::vector<TensorInfo>& inputs_;
  const std::map<std::string, Shape>& shapes_;
  std::span<const Preprocess> preprocess_;
};

}  // namespace

std::string Source::label(std::int64_t sample) const { return fmt::format("{}", sample); }

std::unique_ptr<Source> open_files(const std::vector<std::string>& arguments, const std::vector<TensorInfo>& inputs,
                                   const std::map<std::string, Shape>& shapes, std::span<const Preprocess> preprocess) {
  require_preprocess(inputs, preprocess);
  std::vector<Given> given;
  for (const std::string& argument : arguments) given.push_back(resolve(argument, inputs));
  return std::make_unique<FileSource>(Opening(inputs, shapes, preprocess).open(given));
}

std::unique_ptr<Source> open_files(const std::vector<std::string>& arguments, const std::vector<TensorInfo>& inputs,
                                   const std::map<std::string, Shape>& shapes, const Preprocess& preprocess) {
  return open_files(arguments, inputs, shapes, std::vector<Preprocess>(inputs.size(), preprocess));
}

std::unique_ptr<Source> open_images(std::vector<fs::path> files, const std::vector<TensorInfo>& inputs,
                                    std::span<const Preprocess> preprocess) {
  require_preprocess(inputs, preprocess);
  std::vector<std::unique_ptr<Feed>> feeds;
  feeds.push_back(images_for_all(std::move(files), inputs, preprocess));
  return std::make_unique<FileSource>(std::move(feeds));
}

}  // namespace assay::input
