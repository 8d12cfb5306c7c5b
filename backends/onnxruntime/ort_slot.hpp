#pragma once
// One batch under way: an IoBinding over the caller's memory, or over a device's (cuda_slot.hpp).

#include <array>
#include <semaphore>
#include <vector>

#include "assay/backend_kit.hpp"
#include "ort_library.hpp"

namespace assay::ort {

class OrtBackendSession;

class OrtSlot : public kit::BlockingSlot {
 public:
  OrtSlot(const OrtBackendSession& session, std::span<const kit::FixedShape> shapes);
  ~OrtSlot() override;

  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user) override;

 protected:
  void run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) final;

  /// A tensor where the library meets it.
  struct Place {
    assay_tensor tensor;
    const OrtMemoryInfo* memory;
    bool follows = true;  ///< what is bound stays true when the tensor's content changes
  };
  /// Of an input, and of an output with memory and a shape: the caller's own.
  virtual Place place_of_input(std::size_t i, const assay_tensor& input);
  virtual Place place_of_output(std::size_t i, const assay_tensor& output);
  /// Computes what is bound; `inputs` and `outputs` are the caller's.
  virtual void compute(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs,
                       kit::Timing& timing);

  void run_bound(const OrtRunOptions* options);
  /// Is output i computed into the memory that its place says?
  [[nodiscard]] bool is_placed(std::size_t i, const assay_tensor& output) const {
    return !is_passed(i) && is_bound(i, output);
  }
  /// Is output i an input, as it came?
  [[nodiscard]] bool is_passed(std::size_t i) const { return passed_[i] != kNone; }
  [[nodiscard]] const std::vector<std::vector<std::int64_t>>& input_shapes() const { return input_shapes_; }
  /// How often something else was bound: another number, other addresses.
  [[nodiscard]] std::uint64_t bindings() const { return bindings_; }

 private:
  /// The library's views of memory that was passed before. A pipeline passes the same few buffers again and again.
  class Views {
   public:
    /// The view of `tensor`; made when it is not among the last ones.
    const OrtValue* of(const Library& library, const OrtMemoryInfo* memory, const assay_tensor& tensor);

   private:
    struct View {
      const void* data = nullptr;
      std::uint64_t bytes = 0;
      std::vector<std::int64_t> shape;
      OwnedValue value;
    };
    static constexpr std::size_t kKept = 8;
    std::array<View, kKept> views_;
    std::size_t next_ = 0;
  };

  /// One of the session's streams, taken; sleeps until there is one.
  class Stream {
   public:
    explicit Stream(std::counting_semaphore<>& streams) : streams_(streams) { streams_.acquire(); }
    ~Stream() { streams_.release(); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

   private:
    std::counting_semaphore<>& streams_;
  };

  void check_shapes(std::span<const kit::FixedShape> shapes);
  void check(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) const;
  void bind_inputs(std::span<const assay_tensor> inputs);
  void bind_outputs(std::span<const assay_tensor> outputs);
  [[nodiscard]] bool is_bound(std::size_t i, const assay_tensor& output) const;
  void take_outputs(std::span<assay_tensor> outputs);
  void copy_output(std::size_t i, const void* data, assay_tensor& output) const;
  void free_values();

  const OrtBackendSession& session_;
  std::uint64_t bindings_ = 0;
  const Library& library_;
  OwnedMemoryInfo memory_;
  OwnedBinding binding_;
  OwnedRunOptions run_options_;
  std::vector<std::vector<std::int64_t>> input_shapes_;
  std::vector<Views> input_views_, output_views_;
  std::vector<const OrtValue*> bound_inputs_, bound_outputs_;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> passed_;  // of each output: the input that it is, as it came, or kNone
  bool all_passed_ = false;
  std::vector<OwnedValue> values_;  // outputs in the library's memory, until the next batch
  std::vector<std::vector<std::int64_t>> output_shapes_;
};

}  // namespace assay::ort
