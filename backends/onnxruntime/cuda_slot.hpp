#pragma once
// One batch under way on a GPU: its inputs and outputs have memory there, and a stream copies them. The batch's way, in
// which only the last step is waited for by a thread:
//   slot's stream      copy in ─┐             ┌─ copy out
//   session's stream            └─ compute ───┘   (other batches' before and after)
// Tensors that the library wants in the host's memory (an input that a node on the CPU reads) stay the caller's.

#include <string>
#include <vector>

#include "cuda_device.hpp"
#include "nvidia/cuda_objects.hpp"
#include "ort_slot.hpp"

namespace assay::ort {

class CudaSlot final : public OrtSlot {
 public:
  CudaSlot(const OrtBackendSession& session, std::span<const kit::FixedShape> shapes);
  ~CudaSlot() override;

 protected:
  Place place_of_input(std::size_t i, const assay_tensor& input) override;
  Place place_of_output(std::size_t i, const assay_tensor& output) override;
  void compute(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs,
               kit::Timing& timing) override;

 private:
  [[nodiscard]] Place on_device(nvidia::DeviceBuffer& buffer, const assay_tensor& tensor) const;
  [[nodiscard]] OwnedRunOptions run_options(bool waits, const std::string& graph) const;
  void allocate_inputs();
  void give_back() noexcept;
  void choose_run(std::span<const assay_tensor> outputs);
  void step(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, kit::Timing& timing);
  void look_whether_graphs_go_on();
  [[nodiscard]] bool knows_launches() const;
  [[nodiscard]] std::string drain();
  void copy_in(std::span<const assay_tensor> inputs);
  void launch();
  void copy_out(std::span<const assay_tensor> outputs);

  const OrtBackendSession& session_;
  CudaDevice& device_;
  nvidia::Stream stream_;
  nvidia::Event begun_, copied_in_, launched_, computed_, copying_out_, copied_out_;
  std::vector<nvidia::DeviceBuffer> inputs_, outputs_;
  OwnedRunOptions run_;          ///< of what is bound now
  std::uint64_t run_of_ = 0;     ///< the bindings() that run_ is of
  bool run_waits_ = false;       ///< the library waits for run_'s results before it answers
  bool run_captures_ = false;    ///< by run_, into a graph
  bool run_places_all_ = false;  ///< every output that run_ computes has its place
  bool captured_ = false;        ///< there is a graph of run_
};

}  // namespace assay::ort
