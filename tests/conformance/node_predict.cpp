#include <cstring>

#include "conformance/node_tests.hpp"

namespace assay::conformance {

std::vector<NodeValue> predict_whole(const std::filesystem::path& model, const std::vector<NodeValue>& inputs,
                                     const Params& params) {
  Session session = load(model, params);
  std::vector<TensorView> views;
  for (const NodeValue& input : inputs) views.push_back(input.view());
  std::vector<NodeValue> outputs;
  for (const Tensor& y : session.predict(views)) {
    const auto* begin = static_cast<const std::byte*>(y.data());
    outputs.push_back({y.dtype(), y.shape(), {begin, begin + y.bytes()}});
  }
  return outputs;
}

}  // namespace assay::conformance
