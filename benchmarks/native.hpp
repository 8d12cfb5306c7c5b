#pragma once
// What a user would write without Assay: a plain loop over a framework's own C interface, with the settings that a
// session of Assay's has in force. Models of one float input and one float output.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "assay/assay.hpp"

namespace assay::bench {

struct NativeSettings {
  std::string model, library;
  std::string graph;  ///< what a plugin has left in a cache: TensorFlow's translated graph, TensorRT's engine
  Goal goal = Goal::kThroughput;
  int in_flight = 1;                            ///< batches outstanding
  std::map<std::string, std::string> in_force;  ///< of the session that it is compared with
  std::string input, output;                    ///< names
  Shape input_shape, output_shape;              ///< of one batch
};

class NativeLoop {
 public:
  virtual ~NativeLoop() = default;
  /// `batches` batches that lie one after another in x and y. Ends the program on an error.
  virtual void predict(const float* x, float* y, int batches) = 0;
};

std::unique_ptr<NativeLoop> native_onnxruntime(const NativeSettings& settings);
std::unique_ptr<NativeLoop> native_openvino(const NativeSettings& settings);
std::unique_ptr<NativeLoop> native_tensorflow(const NativeSettings& settings);
/// On a GPU, the first that CUDA sees, with copies in and out (native_gpu.hpp). The session that it is compared with
/// has been loaded in this process before: CUDA's libraries are those that it has opened.
std::unique_ptr<NativeLoop> native_onnxruntime_gpu(const NativeSettings& settings);
std::unique_ptr<NativeLoop> native_tensorrt(const NativeSettings& settings);

[[noreturn]] void native_failure(const std::string& why);
/// The file of that name somewhere below a cache's folder, which a plugin has left there; "" where there is none.
std::string file_in(const std::filesystem::path& cache, const std::string& name);
/// Opens a framework's library the way the plugins do.
void* open_native(const std::string& library);

}  // namespace assay::bench
