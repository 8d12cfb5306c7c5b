#pragma once
// What a user would write without Assay: a plain loop over a framework's own C interface, with the settings that a
// session of Assay's has in force. Models of one float input and one float output.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "assay/assay.hpp"

namespace assay::bench {

struct NativeSettings {
  std::string model, library;
  std::string graph;  ///< TensorFlow: the translated graph
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

[[noreturn]] void native_failure(const std::string& why);
/// Opens a framework's library the way the plugins do.
void* open_native(const std::string& library);

}  // namespace assay::bench
