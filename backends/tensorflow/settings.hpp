#pragma once
// The options, and what they and the common settings become: TensorFlow's ConfigProto.

#include <optional>
#include <span>
#include <string>

#include "assay/backend_kit.hpp"
#include "cpu_features/cpu_features.hpp"

namespace assay::tensorflow {

std::span<const assay_option> option_table();

enum class LayoutConversion { kNone = 0, kToChannelsLast = 1, kToChannelsFirst = 2 };  // RewriterConfig.CpuLayout

struct Settings {
  bool xla = false;
  int jit_level = 2;
  int intra_op_threads = 1, inter_op_threads = 1;
  int streams = 1;
  std::optional<bool> onednn;  ///< empty: as it is in the process
  bool channels_last = true;   ///< layout of the translated graph
  LayoutConversion conversion = LayoutConversion::kNone;
  bool remapper = true, constant_folding = true, grappler = true;
  bool graph_optimizer = true;  ///< what TensorFlow folds itself, after grappler
  bool few_passes = false;      ///< of grappler's, those two alone, once
  bool bf16 = false;
};

/// Throws Failure(ASSAY_UNSUPPORTED) for a precision that the processor does not compute in.
Settings settings_of(const kit::OpenRequest& request, const cpu_features::CpuFeatures& cpu);

/// The ConfigProto (tensorflow/core/protobuf/config.proto), serialized.
std::string config_proto(const Settings& settings);

/// Once it is known whether oneDNN is on. Throws Failure(ASSAY_UNSUPPORTED) for a layout that then has no kernels.
void check_layout(const Settings& settings);

const char* to_string(LayoutConversion conversion);

}  // namespace assay::tensorflow
