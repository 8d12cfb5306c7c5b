#pragma once
// The TensorFlow that was met: found, opened once in a process, its version checked, its errors made ours.

#include <memory>
#include <string>
#include <utility>

#include "assay/backend_kit.hpp"
#include "tf_api.hpp"

namespace assay::tensorflow {

struct Runtime {
  Api api{};
  std::string version;  ///< "2.21.0"
  std::string library, origin;
  bool onednn = true;  ///< as TensorFlow read it when its library was opened
};

/// Opens the first libtensorflow_cc found. What TensorFlow reads from its environment when it is opened (oneDNN on or
/// off, by the option that the host knows, else as the user has set it; how much it says) is set here. Throws
/// Failure(ASSAY_UNAVAILABLE): none found, broken, too old, or another one is open already in this process.
/// Thread-safe.
const Runtime& open_runtime(const kit::Host& host);

/// Throws Failure(ASSAY_UNAVAILABLE) unless the version is one that this plugin was written for.
void check_version(const std::string& version, const std::string& library);

/// Owns one object of the C API.
template <class T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

/// A TF_Status to pass to one call; `check` throws what the call said.
class Status {
 public:
  explicit Status(const Runtime& runtime)
      : runtime_(runtime), status_(runtime.api.new_status(), runtime.api.delete_status) {}
  [[nodiscard]] TF_Status* get() const { return status_.get(); }
  [[nodiscard]] bool ok() const { return runtime_.api.get_code(status_.get()) == Code::kOk; }
  /// TensorFlow's message, without the addresses of its source.
  [[nodiscard]] std::string message() const;
  /// Throws a Failure unless the call went well; `what` says what was asked. `broken_model`: what TensorFlow calls an
  /// invalid argument is the model's fault.
  void check(const std::string& what, bool broken_model = false) const;

 private:
  const Runtime& runtime_;
  Handle<TF_Status> status_;
};

/// Which status a failure of TensorFlow is.
assay_status classify(Code code, bool broken_model);

}  // namespace assay::tensorflow
