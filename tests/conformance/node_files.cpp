// ONNX's own node tests: a folder each, of a model, its inputs and the outputs that its authors expect.

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "base/file.hpp"
#include "conformance/node_tests.hpp"
#include "onnx_graph/graph.hpp"
#include "onnx_graph/onnx.pb.h"

namespace assay::conformance {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFolder = "/usr/share/libonnx-testdata/data/node";
constexpr std::int64_t kOldestOpset = 7;

std::set<std::string> operators_in_scope() {
  std::ifstream in(std::string(ASSAY_SOURCE_DIR) + "/tests/conformance/node_operators.txt");
  std::set<std::string> operators;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') operators.insert(line);
  }
  return operators;
}

bool in_scope(const onnx_graph::Model& model, const std::set<std::string>& operators) {
  const auto wanted = [&](const onnx_graph::Node& n) { return n.domain.empty() && operators.contains(n.op_type); };
  return std::all_of(model.graph.nodes.begin(), model.graph.nodes.end(), wanted);
}

/// Why Assay cannot feed or read this value of a model, whatever the engine; "" where it can.
std::string out_of_reach(const onnx_graph::ValueInfo& value) {
  if (value.kind != "tensor") return fmt::format("'{}' is a {}", value.name, value.kind);
  const onnx_graph::ElementType element = value.type.element;
  try {
    (void)size_of(static_cast<DType>(element));
    (void)dtype_from_string(onnx_graph::to_string(element));
    return {};
  } catch (const Error&) {
    return fmt::format("'{}' is of {}, which no tensor of Assay's has", value.name, onnx_graph::to_string(element));
  }
}

std::string why_skipped(const onnx_graph::Graph& graph) {
  for (const auto* values : {&graph.inputs, &graph.outputs}) {
    for (const onnx_graph::ValueInfo& value : *values) {
      if (std::string why = out_of_reach(value); !why.empty()) return why;
    }
  }
  return {};
}

NodeValue read_value(const fs::path& path) {
  const onnx_graph::TensorFile file = onnx_graph::read_tensor_file(path);
  const onnx_graph::Bytes bytes = file.tensor.bytes();
  return {static_cast<DType>(file.tensor.type), file.tensor.dims, {bytes.span().begin(), bytes.span().end()}};
}

/// The data were written from numpy, which has no bfloat16: their bits are said to be uint16.
void name_bfloat16(const std::vector<onnx_graph::ValueInfo>& declared, std::vector<NodeValue>& values) {
  for (std::size_t i = 0; i < std::min(declared.size(), values.size()); ++i) {
    const bool bfloat16 = declared[i].type.element == onnx_graph::ElementType::kBFloat16;
    if (bfloat16 && values[i].dtype == DType::kUint16) values[i].dtype = DType::kBFloat16;
  }
}

std::vector<NodeValue> read_values(const fs::path& folder, const char* kind) {
  std::vector<NodeValue> values;
  for (int i = 0;; ++i) {
    const fs::path path = folder / "test_data_set_0" / fmt::format("{}_{}.pb", kind, i);
    if (!fs::exists(path)) return values;
    values.push_back(read_value(path));
  }
}

/// The tests name the opset in which their operator last changed. One before the oldest that backends are held to is
/// put to that, in which the operator is the same: in a copy.
fs::path with_oldest_opset(const fs::path& file, const fs::path& folder) {
  onnx::ModelProto model;
  if (!model.ParseFromString(read_file(file))) throw Error(ErrorCode::kInvalidModel, "cannot be parsed", file.string());
  bool older = false;
  for (auto& opset : *model.mutable_opset_import()) {
    if (!opset.domain().empty() || opset.version() >= kOldestOpset) continue;
    opset.set_version(kOldestOpset);
    older = true;
  }
  if (!older) return file;
  std::ofstream(folder / "model.onnx", std::ios::binary) << model.SerializeAsString();
  return folder / "model.onnx";
}

NodeOutcome run_folder(const fs::path& folder, const std::string& backend) {
  const onnx_graph::Graph graph = onnx_graph::read(folder / "model.onnx").graph;
  std::string why = why_skipped(graph);
  if (!why.empty()) return {NodeOutcome::Kind::kSkipped, std::move(why)};
  std::vector<NodeValue> inputs = read_values(folder, "input"), expected = read_values(folder, "output");
  name_bfloat16(graph.inputs, inputs);
  name_bfloat16(graph.outputs, expected);
  if (expected.empty()) return {NodeOutcome::Kind::kFailed, "no expected output is there"};
  const TemporaryFolder temporary;
  const fs::path file = with_oldest_opset(folder / "model.onnx", temporary.path());
  return weigh(expected, predict_whole(file, inputs, params_of(backend)));
}

}  // namespace

std::vector<NodeTest> file_tests() {
  std::vector<NodeTest> tests;
  if (!fs::is_directory(kFolder)) return tests;
  const std::set<std::string> operators = operators_in_scope();
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    const fs::path folder = entry.path();
    if (!in_scope(onnx_graph::read(folder / "model.onnx"), operators)) continue;
    tests.push_back({folder.filename().string(), [folder](const std::string& b) { return run_folder(folder, b); }});
  }
  std::sort(tests.begin(), tests.end(), [](const NodeTest& a, const NodeTest& b) { return a.name < b.name; });
  return tests;
}

}  // namespace assay::conformance
