#pragma once
// A model loaded by ONNX Runtime.

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "assay/backend_kit.hpp"
#include "assay/backend_kit_framework.hpp"
#include "cuda_device.hpp"
#include "ort_library.hpp"
#include "ort_options.hpp"
#include "ort_report.hpp"
#include "temporary_folder.hpp"

namespace assay::ort {

class OrtBackendSession final : public kit::Session {
 public:
  OrtBackendSession(Library& library, const kit::OpenRequest& request);
  ~OrtBackendSession() override;

  kit::Description describe() override;
  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override;
  std::string report(const std::string& kind) override;
  void* allocate(assay_memory kind, std::uint64_t bytes) override;
  void release(assay_memory kind, void* data) override;

  [[nodiscard]] const Library& library() const { return library_; }
  [[nodiscard]] OrtSession* handle() const { return session_.get(); }
  [[nodiscard]] const Setup& setup() const { return setup_; }
  /// A batch computes while it holds one of these: as many at once as there are streams, whatever slots are
  /// outstanding.
  [[nodiscard]] std::counting_semaphore<>& streams() const { return streams_; }
  [[nodiscard]] const std::vector<kit::TensorInfo>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<kit::TensorInfo>& outputs() const { return outputs_; }

  /// Of a session on a GPU.
  [[nodiscard]] CudaDevice& cuda() const { return *cuda_; }
  /// Does the library take the tensor from the GPU's memory, or leave it there?
  [[nodiscard]] bool input_on_gpu(std::size_t i) const { return input_on_gpu_[i]; }
  [[nodiscard]] bool output_on_gpu(std::size_t i) const { return output_on_gpu_[i]; }
  [[nodiscard]] bool all_on_gpu() const { return placement_.all.elsewhere == 0; }

 private:
  void open(const kit::OpenRequest& request);
  void give_back();  ///< what the library and CUDA have for the session
  void choose_device();
  void load(const std::string& path);
  void configure(const kit::OpenRequest& request);
  void configure_cache(const kit::OpenRequest& request);
  void pin_shapes(const kit::OpenRequest& request);
  void apply_shapes(const kit::OpenRequest& request);
  void count_threads();
  void read_places();
  void keep_only_what_loads_again(const std::string& folder);
  void require_on_gpu(const char* what, const std::vector<kit::TensorInfo>& tensors,
                      const std::vector<const OrtMemoryInfo*>& memory) const;
  void add_gpu(std::vector<std::pair<std::string, std::string>>& settings) const;
  [[nodiscard]] std::string config(const std::string& key) const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> in_force() const;
  [[nodiscard]] int useful_slots() const;
  [[nodiscard]] std::string memory() const;
  std::string profile();

  Library& library_;
  kit::Host host_;  // where this session's log goes; outlives the library's session
  kit::LogScope log_scope_;
  Setup setup_;
  std::string device_, precision_;
  assay_goal goal_;
  bool from_cache_ = false;
  bool batch_pinned_ = false;
  bool profiling_ = false;
  std::atomic<int> pool_threads_{0};
  mutable std::counting_semaphore<> streams_;
  std::mutex report_mutex_;
  std::unique_ptr<TemporaryFolder> profile_folder_;
  std::string profile_;
  std::unique_ptr<CudaDevice> cuda_;  // nullptr: on the CPU; outlives the library's session, which uses its stream
  std::vector<bool> input_on_gpu_, output_on_gpu_;
  PlacementCount placement_;
  std::string graph_cache_;  // why nothing is left for the cache; "" where something is, or nothing was asked for
  OwnedOptions options_;
  OwnedSession session_;
  std::vector<kit::TensorInfo> inputs_, outputs_;
};

}  // namespace assay::ort
