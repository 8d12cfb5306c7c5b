#include <cstring>
#include <sstream>

#include "conformance/node_tests.hpp"

namespace assay::conformance {

Params params_of(const std::string& backend) {
  Params params{.batch_size = 0, .in_flight = 1, .threads = 1};
  std::istringstream parts(backend);
  std::getline(parts, params.backend, ',');
  for (std::string setting; std::getline(parts, setting, ',');) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) throw Error(ErrorCode::kInvalidArgument, "no OPTION=VALUE: " + setting);
    params.options[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  if (const auto device = params.options.extract("device"); !device.empty()) params.device = device.mapped();
  return params;
}

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
