#include "graph_file.hpp"

#include <algorithm>
#include <set>

#include "assay/backend_kit_file.hpp"
#include "wire.hpp"

namespace assay::tensorflow {
namespace {

constexpr const char* kAutomatic = "auto";

struct GraphNode {
  std::string name, type;
};

/// What a GraphDef's nodes say of each other.
struct GraphOutline {
  std::vector<GraphNode> nodes;
  std::set<std::string, std::less<>> taken;  ///< names of nodes that another takes, if only to wait for it
};

GraphOutline outline_of(std::string_view graph_def) {
  GraphOutline outline;
  for (MessageReader graph(graph_def); graph.next();) {
    if (graph.field() != kGraphNode) continue;
    GraphNode node;
    for (MessageReader fields(graph.bytes()); fields.next();) {
      if (fields.field() == kNodeName) node.name = fields.bytes();
      if (fields.field() == kNodeType) node.type = fields.bytes();
      if (fields.field() == kNodeInput) outline.taken.emplace(node_of_input(fields.bytes()));
    }
    outline.nodes.push_back(std::move(node));
  }
  return outline;
}

bool is_placeholder(const GraphNode& node) { return node.type == "Placeholder"; }

bool is_variable(const GraphNode& node) {
  return node.type == "VarHandleOp" || node.type == "VariableV2" || node.type == "Variable";
}

/// Nothing restores a variable of a bare graph.
void require_frozen(const GraphOutline& outline) {
  for (const GraphNode& node : outline.nodes) {
    if (!is_variable(node)) continue;
    throw kit::Failure(ASSAY_INVALID_MODEL, "the graph is not frozen: '" + node.name +
                                                "' is a variable, whose values are not in the file. Freeze it "
                                                "(convert_variables_to_constants_v2), or name the SavedModel's folder");
  }
}

/// Comma separated; blanks around a name do not count.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string name = text.substr(begin, end - begin);
    const std::size_t first = name.find_first_not_of(' ');
    if (first != std::string::npos) names.push_back(name.substr(first, name.find_last_not_of(' ') - first + 1));
    begin = end + 1;
  }
  return names;
}

/// "x" of "x:0": the first output goes by its operation's name.
std::string port_name(const std::string& place) {
  return place.ends_with(":0") ? place.substr(0, place.size() - 2) : place;
}

class GraphFile {
 public:
  GraphFile(const Runtime& runtime, TF_Graph* graph, const GraphOutline& outline)
      : runtime_(runtime), graph_(graph), outline_(outline) {}

  [[nodiscard]] std::vector<Port> inputs(const std::string& option) const {
    const std::vector<std::string> candidates = placeholders();
    if (option != kAutomatic) return named("inputs", option, candidates);
    if (candidates.empty()) {
      throw kit::Failure(ASSAY_INVALID_MODEL,
                         "the graph has no placeholder to feed: name its inputs with the option inputs (name:0,…), "
                         "or export it with a placeholder for each (or is it an ONNX model, whose name should end "
                         "in .onnx?)");
    }
    return ports(candidates);
  }

  [[nodiscard]] std::vector<Port> outputs(const std::string& option) const {
    const std::vector<std::string> candidates = ends();
    if (option != kAutomatic) return named("outputs", option, candidates);
    if (candidates.empty()) {
      throw kit::Failure(ASSAY_INVALID_MODEL,
                         "in the graph every result is taken by another operation, so that none is an output by "
                         "itself: name them with the option outputs (name:0,…)");
    }
    return ports(candidates);
  }

 private:
  [[nodiscard]] std::vector<std::string> placeholders() const {
    std::vector<std::string> names;
    for (const GraphNode& node : outline_.nodes) {
      if (is_placeholder(node) && outline_.taken.contains(node.name)) names.push_back(node.name);
    }
    return names;
  }

  /// All results of the operations that no other takes. A placeholder or constant that nobody takes is a leftover.
  [[nodiscard]] std::vector<std::string> ends() const {
    std::vector<std::string> names;
    for (const GraphNode& node : outline_.nodes) {
      if (outline_.taken.contains(node.name) || is_placeholder(node) || node.type == "Const") continue;
      TF_Operation* operation = runtime_.api.graph_operation_by_name(graph_, node.name.c_str());
      const int count = operation == nullptr ? 0 : runtime_.api.operation_num_outputs(operation);
      for (int i = 0; i < count; ++i) names.push_back(i == 0 ? node.name : node.name + ":" + std::to_string(i));
    }
    return names;
  }

  [[nodiscard]] std::vector<Port> named(const char* option, const std::string& text,
                                        const std::vector<std::string>& candidates) const {
    const std::vector<std::string> names = names_in(text);
    for (const std::string& name : names) {
      if (find_output(runtime_, graph_, name)) continue;
      throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                         std::string("the option ") + option + " names '" + name +
                             "', which the graph does not have; candidates are: " + listed(candidates));
    }
    if (names.empty()) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                         std::string("the option ") + option + " names nothing; candidates are: " + listed(candidates));
    }
    return ports(names);
  }

  [[nodiscard]] std::vector<Port> ports(const std::vector<std::string>& names) const {
    std::vector<Port> result;
    for (const std::string& name : names) {
      const std::optional<TF_Output> place = find_output(runtime_, graph_, name);
      if (place) result.push_back(port_at(runtime_, graph_, port_name(name), *place));
    }
    return result;
  }

  const Runtime& runtime_;
  TF_Graph* graph_;
  const GraphOutline& outline_;
};

}  // namespace

LoadedGraph load_graph_file(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings) {
  const kit::MappedFile file(request.model_path);
  const std::string_view bytes(file.text(), file.size());
  LoadedGraph loaded(runtime);
  import_graph_def(runtime, loaded.graph.get(), bytes, "the frozen graph (a GraphDef)");
  const GraphOutline outline = outline_of(bytes);
  if (outline.nodes.empty()) {
    throw kit::Failure(ASSAY_INVALID_MODEL, "the file holds no operations: it is no frozen graph (a GraphDef)");
  }
  require_frozen(outline);
  const GraphFile graph(runtime, loaded.graph.get(), outline);
  loaded.signature.inputs = graph.inputs(request.option("inputs", kAutomatic));
  loaded.signature.outputs = graph.outputs(request.option("outputs", kAutomatic));
  check_places(loaded.signature);
  loaded.session = start_session(runtime, loaded.graph.get(), settings);
  return loaded;
}

}  // namespace assay::tensorflow
