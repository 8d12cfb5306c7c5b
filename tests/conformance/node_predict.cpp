#include <fmt/format.h>

#include <cstring>
#include <sstream>

#include "conformance/node_tests.hpp"

namespace assay::conformance {

Params params_of(const std::string& backend) {
  Params params{.batch_size = 0, .in_flight = 1, .threads = 1};
  std::istringstream parts(backend);
  std::getline(parts, params.backend, ',');
  std::string* last = nullptr;  // a list goes on behind a comma
  for (std::string setting; std::getline(parts, setting, ',');) {
    const std::size_t equals = setting.find('=');
    if (equals != std::string::npos) {
      last = &params.options[setting.substr(0, equals)];
      *last = setting.substr(equals + 1);
    } else if (last != nullptr) {
      *last += "," + setting;
    } else {
      throw Error(ErrorCode::kInvalidArgument, "no OPTION=VALUE: " + setting);
    }
  }
  if (const auto device = params.options.extract("device"); !device.empty()) params.device = device.mapped();
  return params;
}

std::string fell_back(const std::string& device, const std::map<std::string, std::string>& in_force) {
  if (device == "cpu") return {};
  const auto met = in_force.find("device");
  if (met == in_force.end()) return fmt::format("{} was asked for, and no device is read back", device);
  const auto left = in_force.find("nodes.cpu");
  const std::string nodes = left == in_force.end() || left->second == "0" ? "" : "nodes on the CPU: " + left->second;
  if (met->second == device) return nodes;
  return fmt::format("{} was asked for, and {} is read back{}{}", device, met->second, nodes.empty() ? "" : "; ",
                     nodes);
}

NodeAnswer predict_whole(const std::filesystem::path& model, const std::vector<NodeValue>& inputs,
                         const Params& params) {
  Session session = load(model, params);
  std::vector<TensorView> views;
  for (const NodeValue& input : inputs) views.push_back(input.view());
  NodeAnswer answer;
  for (const Tensor& y : session.predict(views)) {
    const auto* begin = static_cast<const std::byte*>(y.data());
    answer.outputs.push_back({y.dtype(), y.shape(), {begin, begin + y.bytes()}});
  }
  answer.fell_back = fell_back(params.device, session.in_force());
  return answer;
}

NodeOutcome weigh(const std::vector<NodeValue>& expected, const NodeAnswer& found) {
  std::string wrong = difference(expected, found.outputs);
  if (!wrong.empty()) return {NodeOutcome::Kind::kFailed, std::move(wrong)};
  if (!found.fell_back.empty()) return {NodeOutcome::Kind::kFellBack, found.fell_back};
  return {};
}

}  // namespace assay::conformance
