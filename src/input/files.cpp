#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "assay/error.hpp"
#include "core/copy.hpp"
#include "core/half.hpp"
#include "input/image.hpp"
#include "input/npy.hpp"
#include "input/source.hpp"

namespace assay::input {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_input(const std::string& context, const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, why, context);
}

/// What one input of the model is filled from.
class Feed {
 public:
  virtual ~Feed() = default;
  [[nodiscard]] virtual std::int64_t samples() const = 0;
  virtual void fill(std::int64_t first, std::int64_t count, const MutableTensorView& to) = 0;
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
  NpyFeed(const fs::path& path, const TensorInfo& info, const Shape& wanted) : file_(path), axis_(info.batch_axis) {
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
  void fill(std::int64_t first, std::int64_t count, const MutableTensorView& to) override {
    copy_elements(axis_ < 0 ? file_.view() : slice(file_.view(), static_cast<std::size_t>(axis_), first, count), to);
  }
  [[nodiscard]] std::string label(std::int64_t sample) const override { return fmt::format("{}", sample); }

 private:
  NpyFile file_;
  int axis_;
};

class ImageFeed final : public Feed {
 public:
  ImageFeed(std::vector<fs::path> files, const TensorInfo& info, const Preprocess& how)
      : files_(std::move(files)), how_(how), axis_(info.batch_axis) {
    if (info.shape.size() != 4 && !(info.shape.size() == 3 && axis_ < 0)) {
      refuse_input(
          files_.front().string(),
          fmt::format("input '{}' takes {}: an image fits inputs of four axes (a batch, channels, height, width)",
                      info.name, to_string(info.shape)));
    }
    if (axis_ < 0 && files_.size() > 1) {
      refuse_input(files_[1].string(), fmt::format("input '{}' has no batch axis: one image at a time", info.name));
    }
    // A broken picture is found before thousands are computed.
    for (const fs::path& file : files_) (void)read_image_size(file);
  }
  [[nodiscard]] std::int64_t samples() const override { return static_cast<std::int64_t>(files_.size()); }
  void fill(std::int64_t first, std::int64_t count, const MutableTensorView& to) override {
    for (std::int64_t i = 0; i < count; ++i) {
      const fs::path& file = files_[static_cast<std::size_t>(first + i)];
      const Image image = read_image(file);
      try {
        preprocess_image(image, how_, sample_of(to, i));
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
  /// One sample of a batch, without the batch axis.
  [[nodiscard]] MutableTensorView sample_of(const MutableTensorView& batch, std::int64_t i) const {
    if (batch.shape.size() == 3) return batch;
    const std::size_t axis = axis_ < 0 ? 0 : static_cast<std::size_t>(axis_);
    MutableTensorView one = slice(batch, axis, i, 1);
    one.shape.erase(one.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    one.strides.erase(one.strides.begin() + static_cast<std::ptrdiff_t>(axis));
    return one;
  }

  std::vector<fs::path> files_;
  Preprocess how_;
  int axis_;
};

class FileSource final : public Source {
 public:
  explicit FileSource(std::vector<std::unique_ptr<Feed>> feeds) : feeds_(std::move(feeds)) {}
  [[nodiscard]] std::int64_t samples() const override { return feeds_.front()->samples(); }
  void fill(std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) override {
    for (std::size_t i = 0; i < feeds_.size(); ++i) feeds_[i]->fill(first, count, inputs[i]);
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

/// Splits "[NAME=]PATH" and finds the input it is for. A path that holds '=' is a path if it exists.
std::pair<std::size_t, fs::path> resolve(const std::string& argument, const std::vector<TensorInfo>& inputs) {
  const std::size_t equals = argument.find('=');
  if (equals != std::string::npos && type_of(argument) == fs::file_type::not_found) {
    const std::string name = argument.substr(0, equals);
    const auto it = std::find_if(inputs.begin(), inputs.end(), [&](const TensorInfo& i) { return i.name == name; });
    if (it == inputs.end()) {
      refuse_input(argument, fmt::format("the model has no input '{}'; it has {}", name, names_of(inputs)));
    }
    return {static_cast<std::size_t>(it - inputs.begin()), argument.substr(equals + 1)};
  }
  if (inputs.size() > 1) {
    refuse_input(argument,
                 fmt::format("the model has several inputs ({}): write NAME=PATH for each", names_of(inputs)));
  }
  return {0, argument};
}

std::unique_ptr<Feed> make_feed(const std::vector<fs::path>& paths, const TensorInfo& info,
                                const std::map<std::string, Shape>& shapes, const Preprocess& preprocess) {
  std::vector<fs::path> images;
  for (const fs::path& path : paths) {
    const fs::file_type type = type_of(path);
    if (type == fs::file_type::not_found)
      refuse_input(path.string(), fmt::format("there is no such file or folder (for input '{}')", info.name));
    if (type == fs::file_type::directory) {
      const std::vector<fs::path> more = images_in(path);
      images.insert(images.end(), more.begin(), more.end());
    } else if (is_image_name(path)) {
      images.push_back(path);
    } else if (paths.size() > 1) {
      refuse_input(path.string(), fmt::format("input '{}' got several files: that works with images only", info.name));
    } else {
      return std::make_unique<NpyFeed>(path, info, wanted_shape(info, shapes));
    }
  }
  return std::make_unique<ImageFeed>(std::move(images), info, preprocess);
}

}  // namespace

std::string Source::label(std::int64_t sample) const { return fmt::format("{}", sample); }

std::unique_ptr<Source> open_files(const std::vector<std::string>& arguments, const std::vector<TensorInfo>& inputs,
                                   const std::map<std::string, Shape>& shapes, const Preprocess& preprocess) {
  std::vector<std::vector<fs::path>> paths(inputs.size());
  for (const std::string& argument : arguments) {
    auto [index, path] = resolve(argument, inputs);
    paths[index].push_back(std::move(path));
  }
  std::vector<std::unique_ptr<Feed>> feeds;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (paths[i].empty()) {
      refuse_input(inputs[i].name,
                   fmt::format("nothing was given for this input; add --input {}=PATH", inputs[i].name));
    }
    feeds.push_back(make_feed(paths[i], inputs[i], shapes, preprocess));
    if (feeds.back()->samples() != feeds.front()->samples()) {
      refuse_input(inputs[i].name, fmt::format("this input got {} samples, input '{}' got {}", feeds.back()->samples(),
                                               inputs[0].name, feeds.front()->samples()));
    }
  }
  if (feeds.empty()) refuse_input("", "the model has no inputs");
  return std::make_unique<FileSource>(std::move(feeds));
}

}  // namespace assay::input
