#include "conformance/node_test.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>

#include "assay/error.hpp"
#include "backend/backend.hpp"
#include "core/half.hpp"
#include "onnx_graph/graph.hpp"
#include "onnx_graph/onnx.pb.h"

namespace assay::conformance {
namespace {

namespace fs = std::filesystem;

constexpr double kRelative = 1e-3;
constexpr double kAbsolute = 1e-7;

bool is_dense(const onnx_graph::ValueInfo& value) {
  return value.kind == "tensor" && value.type.element != onnx_graph::ElementType::kString &&
         onnx_graph::bits_of(value.type.element) >= 8 &&
         static_cast<int>(value.type.element) <= static_cast<int>(onnx_graph::ElementType::kBFloat16) &&
         value.type.element != onnx_graph::ElementType::kComplex64 &&
         value.type.element != onnx_graph::ElementType::kComplex128;
}

Values values_in(const fs::path& file) {
  const onnx_graph::TensorFile read = onnx_graph::read_tensor_file(file);
  Values values;
  values.dtype = static_cast<assay_dtype>(read.tensor.type);
  values.shape = read.tensor.dims;
  const onnx_graph::Bytes bytes = read.tensor.bytes();
  values.bytes.assign(bytes.span().begin(), bytes.span().end());
  return values;
}

/// input_0.pb, input_1.pb …
std::vector<Values> numbered(const fs::path& folder, const std::string& stem) {
  std::vector<Values> result;
  for (int i = 0;; ++i) {
    const fs::path file = folder / fmt::format("{}_{}.pb", stem, i);
    if (!fs::exists(file)) return result;
    result.push_back(values_in(file));
  }
}

template <class T>
T at(const Values& values, std::size_t i) {
  T value;
  std::memcpy(&value, values.bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

double as_double(const Values& v, std::size_t i) {
  switch (v.dtype) {
    case ASSAY_FLOAT32:
      return at<float>(v, i);
    case ASSAY_FLOAT64:
      return at<double>(v, i);
    case ASSAY_FLOAT16:
      return half_to_float(at<std::uint16_t>(v, i));
    default: {  // bfloat16
      const std::uint32_t bits = static_cast<std::uint32_t>(at<std::uint16_t>(v, i)) << 16U;
      float value;
      std::memcpy(&value, &bits, sizeof value);
      return value;
    }
  }
}

bool is_floating(assay_dtype dtype) {
  return dtype == ASSAY_FLOAT32 || dtype == ASSAY_FLOAT64 || dtype == ASSAY_FLOAT16 || dtype == ASSAY_BFLOAT16;
}

bool close(double found, double expected) {
  if (std::isnan(found) || std::isnan(expected)) return std::isnan(found) && std::isnan(expected);
  if (found == expected) return true;
  return std::abs(found - expected) <= kAbsolute + kRelative * std::abs(expected);
}

Values copy_of(const assay_tensor& tensor) {
  Values values;
  values.dtype = tensor.dtype;
  values.shape.assign(tensor.shape, tensor.shape + tensor.rank);
  const auto* data = static_cast<const std::byte*>(tensor.data);
  if (tensor.bytes > 0) values.bytes.assign(data, data + tensor.bytes);
  return values;
}

std::vector<Values> run(const NodeTest& test, const std::string& backend,
                        const std::map<std::string, std::string>& options) {
  const backend::Backend plugin = backend::load_backend(backend);
  backend::OpenRequest request;
  request.model = test.model;
  request.device = "cpu";
  request.threads = 2;
  request.options = options;
  if (const backend::Probe probe = plugin.probe({}, options); !probe.available) {
    throw Error(ErrorCode::kUnavailable, probe.reason);
  }
  backend::BackendSession session = plugin.open(request);
  std::vector<Shape> shapes;
  std::vector<assay_tensor> inputs;
  for (const TensorInfo& info : session.info().inputs) {
    const auto found = test.inputs.find(info.name);
    if (found == test.inputs.end()) throw Error(ErrorCode::kInternal, "an input that the test has not: " + info.name);
    const Values& v = found->second;
    shapes.push_back(v.shape);
    inputs.push_back({const_cast<std::byte*>(v.bytes.data()), v.bytes.size(), v.dtype, ASSAY_HOST,
                      static_cast<std::int32_t>(v.shape.size()), 0, v.shape.data(), nullptr});
  }
  backend::Slot slot = session.open_slot(shapes);
  std::vector<assay_tensor> outputs;
  for (const TensorInfo& info : session.info().outputs) {
    outputs.push_back({nullptr, 0, static_cast<assay_dtype>(info.dtype), ASSAY_HOST, 0, 0, nullptr, nullptr});
  }
  slot.submit(inputs, outputs, nullptr, nullptr);
  slot.wait(outputs, nullptr);
  std::vector<Values> result;
  for (const assay_tensor& output : outputs) result.push_back(copy_of(output));
  return result;
}

/// Test data name the opset in which their operator last changed. One before the oldest that backends are asked for is
/// put to that, in which the operator is the same.
constexpr std::int64_t kOldestOpset = 7;

void write_with_oldest_opset(NodeTest& test) {
  onnx::ModelProto model;
  if (!model.ParseFromString(read_file(test.model))) throw Error(ErrorCode::kInvalidModel, "cannot be parsed");
  for (auto& opset : *model.mutable_opset_import()) {
    if (opset.domain().empty()) opset.set_version(kOldestOpset);
  }
  test.folder = std::make_shared<TemporaryFolder>();
  test.model = test.folder->path() / "model.onnx";
  std::ofstream(test.model, std::ios::binary) << model.SerializeAsString();
}

std::string first_line(std::string text) {
  text = text.substr(0, text.find('\n'));
  constexpr std::size_t kEnough = 240;
  return text.size() > kEnough ? text.substr(0, kEnough) + "…" : text;
}

}  // namespace

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> result;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') result.push_back(line);
  }
  return result;
}

std::vector<std::string> tests_in_scope(const fs::path& folder, const std::set<std::string>& operators) {
  std::vector<std::string> result;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path file = entry.path() / "model.onnx";
    if (!fs::exists(file)) continue;
    const onnx_graph::Model model = onnx_graph::read(file);
    const auto known = [&](const onnx_graph::Node& n) { return n.domain.empty() && operators.contains(n.op_type); };
    if (std::all_of(model.graph.nodes.begin(), model.graph.nodes.end(), known) &&
        std::all_of(model.graph.inputs.begin(), model.graph.inputs.end(), is_dense) &&
        std::all_of(model.graph.outputs.begin(), model.graph.outputs.end(), is_dense)) {
      result.push_back(entry.path().filename());
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

NodeTest read_node_test(const fs::path& folder, const std::string& name) {
  NodeTest test;
  test.name = name;
  test.model = folder / name / "model.onnx";
  const onnx_graph::Model model = onnx_graph::read(test.model);
  std::vector<Values> inputs = numbered(folder / name / "test_data_set_0", "input");
  for (std::size_t i = 0; i < std::min(inputs.size(), model.graph.inputs.size()); ++i) {
    test.inputs[model.graph.inputs[i].name] = std::move(inputs[i]);
  }
  if (model.opset() < kOldestOpset) write_with_oldest_opset(test);
  test.outputs = numbered(folder / name / "test_data_set_0", "output");
  return test;
}

std::string difference(const Values& found, const Values& expected) {
  if (found.dtype != expected.dtype) return fmt::format("element type {}, not {}", found.dtype, expected.dtype);
  if (found.shape != expected.shape) {
    return fmt::format("shape {}, not {}", to_string(found.shape), to_string(expected.shape));
  }
  if (found.bytes.size() != expected.bytes.size()) return "another number of bytes";
  if (!is_floating(expected.dtype)) return found.bytes == expected.bytes ? "" : "other values";
  const std::size_t size = expected.dtype == ASSAY_FLOAT64 ? 8 : expected.dtype == ASSAY_FLOAT32 ? 4 : 2;
  for (std::size_t i = 0; i < expected.bytes.size() / size; ++i) {
    const double a = as_double(found, i), b = as_double(expected, i);
    if (!close(a, b)) return fmt::format("value {} is {:.7g}, not {:.7g}", i, a, b);
  }
  return "";
}

std::string verdict(const NodeTest& test, const std::string& backend,
                    const std::map<std::string, std::string>& options) {
  try {
    const std::vector<Values> found = run(test, backend, options);
    if (found.size() != test.outputs.size())
      return fmt::format("{} outputs, not {}", found.size(), test.outputs.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      const std::string wrong = difference(found[i], test.outputs[i]);
      if (!wrong.empty()) return fmt::format("output {}: {}", i, wrong);
    }
    return "";
  } catch (const std::exception& e) {
    return first_line(e.what());
  }
}

ExpectedFailures::ExpectedFailures(const fs::path& file) {
  for (const std::string& line : lines_of(file)) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) throw Error(ErrorCode::kInvalidArgument, "no 'pattern: reason': " + line);
    rows_.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
}

std::string ExpectedFailures::reason(const std::string& test) const {
  for (const auto& [pattern, reason] : rows_) {
    if (::fnmatch(pattern.c_str(), test.c_str(), 0) == 0) return reason;
  }
  return "";
}

}  // namespace assay::conformance
