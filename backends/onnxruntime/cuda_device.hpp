#pragma once
// The GPU of a session: one stream that all its batches compute in, one after another. Their copies go in streams of
// their slots, beside it (ADR 7). One session has the model's weights and one arena, however many batches are
// outstanding; a stream for each slot would need a session for each, since the provider's stream is a session's.

#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "launch_thread.hpp"
#include "nvidia/cuda_objects.hpp"
#include "ort_library.hpp"
#include "ort_options.hpp"

namespace assay::ort {

class CudaDevice {
 public:
  /// `name`: "gpu:1". Throws ASSAY_UNAVAILABLE with the exact reason: no CUDA in the library, no driver, no such GPU, a
  /// library of NVIDIA's that is missing.
  CudaDevice(const Library& library, const kit::Host& host, const std::string& name);

  /// Puts sessions made with `options` on this GPU and its stream.
  void append_to(OrtSessionOptions* options, const CudaSetup& setup);

  [[nodiscard]] const nvidia::CudaRuntime& cuda() const { return cuda_; }
  [[nodiscard]] int index() const { return index_; }
  [[nodiscard]] nvidia::Stream& compute() { return compute_; }
  /// Held while a batch is put into the stream.
  [[nodiscard]] std::mutex& launching() { return launching_; }
  /// Launches what is captured; by whoever holds `launching`.
  [[nodiscard]] LaunchThread& graphs() { return graphs_; }
  /// The library's word for memory of this GPU.
  [[nodiscard]] const OrtMemoryInfo* memory() const { return memory_.get(); }
  [[nodiscard]] bool is_here(const OrtMemoryInfo* memory) const;

  /// A stream or an event of this GPU.
  template <class Object>
  [[nodiscard]] Object make() const {
    const std::shared_lock gate(capture_gate());
    return Object(cuda_, index_);
  }
  void* allocate_pinned(std::uint64_t bytes) const;
  void free_pinned(void* data) const;

  /// GPU, driver, versions, and the provider's options as the library tells them.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> in_force() const;

  /// A batch was run, as a captured graph or, though a graph was asked for, launched plainly.
  void note_run(bool captured) { (captured ? has_graph_runs_ : has_plain_runs_) = true; }

  /// The library was back from launching a captured graph before the device was done with it: it does not wait for
  /// those. Older ones do; which, is not told.
  void note_graph_went_on() { graphs_go_on_ = true; }
  [[nodiscard]] bool graphs_go_on() const { return graphs_go_on_; }

  /// While a graph is captured, no other thread may call CUDA: whoever captures holds this alone, everybody else shares
  /// it. One for all sessions of this plugin; what others call in the process is not kept out (ADR 8).
  static std::shared_mutex& capture_gate();

 private:
  [[nodiscard]] std::string graph_in_force() const;

  const Library& library_;
  const nvidia::CudaRuntime& cuda_;
  int index_;
  std::string cudnn_;  ///< version
  nvidia::Stream compute_;
  std::mutex launching_;
  LaunchThread graphs_;
  OwnedMemoryInfo memory_;
  std::map<std::string, std::string> options_;  ///< in force
  bool graph_ = false;
  std::atomic<bool> has_graph_runs_{false}, has_plain_runs_{false}, graphs_go_on_{false};
};

}  // namespace assay::ort
