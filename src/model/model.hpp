#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "assay/assay.hpp"
#include "model/format.hpp"

namespace assay::model {

/// The paper's Table I and what else is worth knowing of a graph, for one sample.
struct Statistics {
  std::int64_t parameters = 0;
  std::int64_t layers = 0;  ///< nodes with weights of their own (convolution, dense)
  double parameters_per_layer = 0;
  std::int64_t jumps = 0;                                 ///< places where branches meet again
  std::map<std::string, std::int64_t> jumps_by_operator;  ///< "Add": 16
  std::map<std::string, std::int64_t> operators;          ///< operator → count
  std::optional<std::int64_t> flops;             ///< 2 per multiply-add, per sample; empty where shapes are not known
  std::optional<std::int64_t> activation_bytes;  ///< sum over all intermediate tensors, per sample
  /// Largest input and output together of a convolution or product, per sample: alive at once in any engine.
  std::optional<std::int64_t> largest_step_bytes;
  std::uint64_t weight_bytes = 0;
};

/// An input or output as the file has it, whether it can be fed and read or not.
struct Port {
  std::string name;
  std::string type;               ///< of the elements, "float32", "string"; or "sequence", "map" …
  std::optional<Shape> shape;     ///< -1: free; empty: not even the rank is known
  std::vector<std::string> axes;  ///< names of the free axes, "" elsewhere
};

/// What can be known of a model without a framework. Of one that is not ONNX: its files; `inspect_model` adds what is
/// easily read of it. Its inputs and outputs are those of the session that loads it.
struct Model {
  std::filesystem::path path;
  Format format = Format::kOnnx;
  std::int64_t opset = 0;
  std::int64_t ir_version = 0;
  std::string producer;
  std::vector<Port> input_ports, output_ports;
  std::vector<std::string> signatures;  ///< of a SavedModel, sorted
  std::vector<TensorInfo> inputs;       ///< batch_axis: 0 where the first axis is free, else -1
  std::vector<TensorInfo> outputs;
  /// Per output: the axis of the Softmax that produces it, or nothing. Parity is then compared before it.
  std::vector<std::optional<int>> softmax_axis;
  std::vector<std::filesystem::path> files;  ///< the model and its external data
  Statistics statistics;
};

/// Reads and checks; hostile files are refused within bounds of time and memory. Throws Error(kInvalidModel | kIo), or
/// Error(kUnsupported) for what cannot be loaded: inputs or outputs that are no tensors of numbers, sparse
/// initializers. For the statistics, `shapes` fixes free axes, and `batch_axis` says which axis counts samples (-1:
/// none; default: the first where it is free).
Model read_model(const std::filesystem::path& path, const std::map<std::string, Shape>& shapes = {},
                 const std::map<std::string, int>& batch_axis = {});

/// The same of any model file, to be shown: `inputs`, `outputs` and `softmax_axis` stay empty.
Model inspect_model(const std::filesystem::path& path, const std::map<std::string, Shape>& shapes = {},
                    const std::map<std::string, int>& batch_axis = {});

/// SHA-256 over the bytes of the model and its external data, or of all files in a SavedModel's folder. With a memo
/// folder, remembers it by path, size, inode and times of the files.
std::string model_hash(const Model& model, const std::filesystem::path& memo_folder = {});
/// Of one file, remembered in the same way.
std::string file_hash(const std::filesystem::path& path, const std::filesystem::path& memo_folder = {});

}  // namespace assay::model
