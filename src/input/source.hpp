#pragma once
// Where samples come from: files, folders of images, or a seeded generator. All answer the pipeline's fill calls.

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "assay/assay.hpp"
#include "core/case.hpp"
#include "input/preprocess.hpp"

namespace assay::input {

/// Samples of a model's inputs. `fill` is called by one thread at a time.
class Source {
 public:
  virtual ~Source() = default;
  /// -1: endless (generated).
  [[nodiscard]] virtual std::int64_t samples() const = 0;
  /// Fills samples [first, first + count) of every input, in the model's order of inputs.
  virtual void fill(std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs) = 0;
  /// Name of a sample for people: a file's name, or its number.
  [[nodiscard]] virtual std::string label(std::int64_t sample) const;
  /// Some of it is decoded from images.
  [[nodiscard]] virtual bool has_images() const { return false; }
};

/// "[NAME=]PATH", PATH an .npy, an image, or a folder of images (sorted by name). Images without a NAME feed all of the
/// model's inputs where each of these takes images: read and decoded once, prepared for each. `shapes`: a full shape
/// for each input with free axes. `preprocess`: how an image becomes each input, in the order of `inputs`. Checks
/// names, dtypes, ranks, shapes, NaN and the headers of all images, naming file, asked and found; no samples are
/// refused. Throws Error.
std::unique_ptr<Source> open_files(const std::vector<std::string>& arguments, const std::vector<TensorInfo>& inputs,
                                   const std::map<std::string, Shape>& shapes, std::span<const Preprocess> preprocess);
/// The same way for all inputs.
std::unique_ptr<Source> open_files(const std::vector<std::string>& arguments, const std::vector<TensorInfo>& inputs,
                                   const std::map<std::string, Shape>& shapes, const Preprocess& preprocess);

/// Images that feed every input, each of which must take images; otherwise as open_files.
std::unique_ptr<Source> open_images(std::vector<std::filesystem::path> files, const std::vector<TensorInfo>& inputs,
                                    std::span<const Preprocess> preprocess);

/// Seeded: floats standard normal, integers from data.ranges. Sample i is a function of (seed, input, i mod distinct)
/// alone, where `distinct` is the smallest number whose bytes exceed `cache_bytes` (the last-level cache).
std::unique_ptr<Source> random_source(const std::vector<TensorInfo>& inputs, const std::map<std::string, Shape>& shapes,
                                      const DataSpec& data, std::uint64_t cache_bytes);

/// Bytes of one sample over all inputs.
std::uint64_t bytes_per_sample(const std::vector<TensorInfo>& inputs, const std::map<std::string, Shape>& shapes);

}  // namespace assay::input
