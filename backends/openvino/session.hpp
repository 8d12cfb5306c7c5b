#pragma once
// A model compiled by OpenVINO.

#include <memory>
#include <string>
#include <vector>

#include "compile.hpp"
#include "profile.hpp"

namespace assay::openvino {

/// One input or output of the compiled model.
struct Port {
  Handle<ov_output_const_port> handle;
  int element_type = 0;  ///< OpenVINO's
  kit::TensorInfo info;

  /// Every axis is known before the run.
  [[nodiscard]] bool is_static() const;
};

/// What the slots of a session share.
struct Model {
  const Runtime& runtime;
  Compiled compiled;
  std::vector<Port> inputs, outputs;
  std::unique_ptr<Profile> profile;  ///< null: not asked for
};

class OvSession : public kit::Session {
 public:
  OvSession(const Runtime& runtime, const kit::OpenRequest& request);
  kit::Description describe() override;
  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override;
  std::string report(const std::string& kind) override;

 private:
  std::shared_ptr<Model> model_;
  kit::Description description_;
};

/// OpenVINO's element type as ours. Throws Failure(ASSAY_UNSUPPORTED) for one that has no counterpart.
assay_dtype dtype_of(int element_type, const std::string& tensor);

}  // namespace assay::openvino
