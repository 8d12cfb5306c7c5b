#pragma once
// Assay's public interface: load a model on any inference engine, and predict.
//
//   auto session = assay::load("resnet50.onnx", {.backend = "openvino", .batch_size = 8});
//   std::vector<assay::Tensor> y = session.predict({images});

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "assay/error.hpp"
#include "assay/export.hpp"
#include "assay/tensor.hpp"

namespace assay {

/// What the engine is set up for: many batches outstanding, or one as soon as possible.
enum class Goal { kThroughput, kLatency };
/// Arithmetic of the engine's inner loops. Inputs and outputs keep the model's types.
enum class Precision { kFloat32, kBFloat16, kFloat16, kInt8 };

enum class LogLevel { kDebug, kInfo, kWarning, kError };
/// May be called from any thread.
using LogFunction = std::function<void(LogLevel, const std::string&)>;

/// How a model is loaded. The defaults are sound for serving.
struct Params {
  std::string backend = "onnxruntime";
  std::string device = "cpu";  ///< "cpu", "gpu:0" …
  int gpuid = -1;              ///< the paper's spelling; -1: as `device` says, N >= 0: "gpu:N"
  Goal goal = Goal::kThroughput;
  /// Samples that go through the engine at once; 0: the graph runs whole, as its inputs come.
  std::int64_t batch_size = 1;
  int in_flight = 0;  ///< batches outstanding; 0: the backend's own optimum for throughput, 1 for latency
  int threads = 0;    ///< CPU threads; 0: as many as affinity and the cgroup's quota allow
  Precision precision = Precision::kFloat32;
  /// A full shape for each input that has free axes besides the batch; its batch axis may be anything.
  std::map<std::string, Shape> shapes{};
  /// Which axis of an input or output is the batch; -1: none. Default, inputs: the first, where it is free in the
  /// model; outputs: the one of the same name, or where names say nothing, the first where that is free.
  std::map<std::string, int> batch_axis{};
  /// The backend's own settings, by name; `assay backends -v` lists them. Unknown ones are errors.
  std::map<std::string, std::string> options{};
  /// Where optimized graphs are kept, and what an ensemble's members were measured to cost; "": no cache. See
  /// default_cache_folder().
  std::filesystem::path cache{};
  /// The framework's library, where it lies nowhere that Assay looks.
  std::filesystem::path library{};
  /// The same by backend, for ensembles whose members run on several; `library` goes before, for `backend`.
  std::map<std::string, std::filesystem::path> libraries{};
  LogFunction log{};  ///< empty: nothing is said
};

/// An input or output of a model.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kFloat32;
  Shape shape;                    ///< of the model; -1: free
  std::vector<std::string> axes;  ///< names of the free axes, "" elsewhere
  int batch_axis = -1;            ///< -1: has none
  bool rank_known = true;         ///< false: not even the number of axes is known before a run, and `shape` is empty
};

/// Times of predict's last finished call, summed over its batches.
struct PredictTiming {
  std::chrono::nanoseconds total{}, fill{}, copy_in{}, compute{}, copy_out{}, drain{}, queue{};
  std::int64_t batches = 0;
};

/// Called by the pipeline to fill samples [first, first + count) of every input into `inputs`, whose batch axis is
/// `count` long. Runs beside the computing, never twice at once.
using FillFunction =
    std::function<void(std::int64_t first, std::int64_t count, std::span<const MutableTensorView> inputs)>;
/// Called by the pipeline, in the order of the samples, with the outputs of samples [first, first + count). Runs beside
/// the computing, never twice at once. The memory is the pipeline's: copy what must stay.
using DrainFunction = std::function<void(std::int64_t first, std::int64_t count, std::span<const TensorView> outputs)>;

/// A model loaded by a backend on a device. Move-only; may be used by many threads at once.
class ASSAY_API Session {
 public:
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  [[nodiscard]] const std::vector<TensorInfo>& inputs() const;
  [[nodiscard]] const std::vector<TensorInfo>& outputs() const;
  /// What is in force, read back from the framework now: "device", "precision", "threads", "streams", "version" … Some
  /// frameworks know a part of it only after the first batch: whether a compiler took the graph.
  [[nodiscard]] std::map<std::string, std::string> in_force() const;
  [[nodiscard]] int in_flight() const;  ///< batches kept outstanding
  /// The optimized graph was read from the cache; of an ensemble every member's, and what its strategy goes by.
  [[nodiscard]] bool from_cache() const;
  [[nodiscard]] const std::string& cache_remark() const;  ///< why not, or where it came from
  [[nodiscard]] std::chrono::nanoseconds load_time() const;

  /// N samples in, N samples out; one view per input, in inputs()' order, each with N along its batch axis. Splits them
  /// into batches, in place where the memory allows it. Throws Error.
  std::vector<Tensor> predict(std::span<const TensorView> x);
  /// One input.
  std::vector<Tensor> predict(const TensorView& x) { return predict(std::span(&x, 1)); }
  /// The same into memory of the caller's: one view per output, in outputs()' order.
  void predict(std::span<const TensorView> x, std::span<const MutableTensorView> y);
  /// The same, on a thread of its own; memory of x must stay until the future is ready.
  std::future<std::vector<Tensor>> predict_async(std::vector<TensorView> x);
  /// Samples that are made on the way in and used on the way out (decoded images, generated data). From within `fill`
  /// and `drain`, predict and predict_stream of this session throw Error(kInvalidArgument). Throws what they throw.
  PredictTiming predict_stream(std::int64_t samples, const FillFunction& fill, const DrainFunction& drain);

  /// A backend's own account, JSON: "profile", "placement", "memory", "plan", "dump". Throws Error(kUnsupported).
  std::string report(const std::string& kind);

  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  [[nodiscard]] Impl& impl() { return *impl_; }
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// Loads an ONNX file. Throws Error.
ASSAY_API Session load(const std::filesystem::path& path, const Params& params = {});

/// $ASSAY_CACHE, $XDG_CACHE_HOME/assay or ~/.cache/assay.
ASSAY_API std::filesystem::path default_cache_folder();

/// This library's version, "0.1.0".
ASSAY_API const char* version();

}  // namespace assay
