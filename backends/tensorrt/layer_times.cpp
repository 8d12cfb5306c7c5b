#include "layer_times.hpp"

#include "assay/backend_kit_json.hpp"

namespace assay::tensorrt {

void LayerTimes::reportLayerTime(const char* layer, float milliseconds) noexcept {
  constexpr double kMicrosecondsPerMillisecond = 1e3;
  const std::lock_guard lock(mutex_);
  try {
    const std::string name = layer != nullptr ? layer : "";
    const auto [it, is_new] = index_.try_emplace(name, layers_.size());
    if (is_new) layers_.push_back({name});
    ++layers_[it->second].runs;
    layers_[it->second].microseconds += static_cast<double>(milliseconds) * kMicrosecondsPerMillisecond;
  } catch (...) {
    // Out of memory for a line of the profile: the line is lost.
  }
}

void LayerTimes::count_batch() {
  const std::lock_guard lock(mutex_);
  ++batches_;
}

std::string LayerTimes::json() const {
  const std::lock_guard lock(mutex_);
  std::string text = "{\"batches\": " + std::to_string(batches_) + ", \"nodes\": [";
  for (const Layer& layer : layers_) {
    if (&layer != layers_.data()) text += ", ";
    text += "{\"name\": " + kit::json_string(layer.name) + ", \"runs\": " + std::to_string(layer.runs) +
            ", \"device_us\": " + std::to_string(layer.microseconds) + "}";
  }
  return text + "]}";
}

}  // namespace assay::tensorrt
