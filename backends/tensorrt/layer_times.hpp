#pragma once
// Times of an engine's layers, summed over the batches of all slots.

#include <NvInferRuntime.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace assay::tensorrt {

/// Thread-safe. A context that it is set on computes a batch before enqueue returns.
class LayerTimes final : public nvinfer1::IProfiler {
 public:
  void reportLayerTime(const char* layer, float milliseconds) noexcept override;
  void count_batch();
  /// {"batches": 2, "nodes": [{"name": "conv1", "runs": 2, "device_us": 31.5}]}, in the order of the first batch.
  [[nodiscard]] std::string json() const;

 private:
  struct Layer {
    std::string name;
    std::uint64_t runs = 0;
    double microseconds = 0;
  };
  mutable std::mutex mutex_;
  std::uint64_t batches_ = 0;
  std::map<std::string, std::size_t> index_;
  std::vector<Layer> layers_;
};

}  // namespace assay::tensorrt
