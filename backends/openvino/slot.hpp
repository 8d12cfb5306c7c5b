#pragma once
// One infer request, bound to the caller's memory.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "session.hpp"

namespace assay::openvino {

class OvSlot : public kit::Slot {
 public:
  OvSlot(std::shared_ptr<Model> model, std::span<const kit::FixedShape> shapes);
  ~OvSlot() override;
  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user) override;
  void wait(std::span<assay_tensor> outputs, kit::Timing& timing) override;

 private:
  /// A place in the request and the memory that was bound to it. Buffers come back in turn, so their tensors are kept.
  struct Binding {
    struct Kept {
      void* data;
      std::vector<std::int64_t> shape;
      Handle<ov_tensor> tensor;
    };
    const Port* port = nullptr;
    std::vector<std::int64_t> shape;  // of this slot; of an output: as of the last submit
    std::vector<Kept> kept;
    void* bound = nullptr;  // null: the request's own memory
    std::size_t next_victim = 0;
  };

  void make_request();
  void bind(Binding& binding, const assay_tensor& tensor);
  void bind_output(Binding& binding, const assay_tensor& tensor);
  void fill_output(Binding& binding, assay_tensor& tensor);
  void read_shape(Binding& binding, const ov_tensor* tensor);
  void collect_profile();
  static void on_done(void* slot);

  std::shared_ptr<Model> model_;
  const Runtime& runtime_;
  const ov_callback callback_{&OvSlot::on_done, this};  // OpenVINO keeps its address
  Handle<ov_infer_request> request_;
  std::vector<Binding> inputs_, outputs_;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> passed_;                 // of each output: the input that it is, as it came, or kNone
  std::vector<assay_tensor> given_inputs_;          // of the batch under way
  enum class State { kIdle, kDeferred, kRunning };  // deferred: `wait` computes
  State state_ = State::kIdle;
  assay_done_fn done_ = nullptr;
  void* user_ = nullptr;
};

}  // namespace assay::openvino
