#pragma once
// One batch under way. TensorFlow reads the caller's memory in place; it makes its outputs itself, and they are copied
// where the caller gave memory for them.

#include <vector>

#include "session.hpp"

namespace assay::tensorflow {

class TfSlot final : public kit::BlockingSlot {
 public:
  TfSlot(const TfSession& session, std::span<const kit::FixedShape> shapes);
  ~TfSlot() override;
  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user) override;

 protected:
  void run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) override;

 private:
  using Tensor = Handle<TF_Tensor>;
  void check(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs) const;
  [[nodiscard]] Tensor view(const assay_tensor& tensor) const;
  void hand_out(std::size_t i, assay_tensor& output);

  const TfSession& session_;
  const Api& api_;
  std::vector<std::vector<std::int64_t>> shapes_;  // of the inputs
  std::vector<TF_Output> input_places_, output_places_;
  std::vector<Tensor> views_, results_;
  std::vector<TF_Tensor*> raw_views_, raw_results_;
  std::vector<std::vector<std::int64_t>> output_shapes_;
};

}  // namespace assay::tensorflow
