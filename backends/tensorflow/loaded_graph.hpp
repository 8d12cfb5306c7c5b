#pragma once
// What each kind of model becomes: a graph, the places of its inputs and outputs in it, and a session over it. One
// loader a kind: onnx_file, saved_model, graph_file.

#include <optional>
#include <string_view>

#include "graph_builder.hpp"
#include "settings.hpp"
#include "translate.hpp"

namespace assay::tensorflow {

/// Owns a TF_Session; its graph must outlive it.
class SessionHandle {
 public:
  SessionHandle() = default;
  SessionHandle(const Runtime& runtime, TF_Session* session) : runtime_(&runtime), session_(session) {}
  ~SessionHandle();
  SessionHandle(SessionHandle&& other) noexcept
      : runtime_(other.runtime_), session_(std::exchange(other.session_, nullptr)) {}
  SessionHandle& operator=(SessionHandle&& other) noexcept {
    std::swap(runtime_, other.runtime_);
    std::swap(session_, other.session_);
    return *this;
  }
  [[nodiscard]] TF_Session* get() const { return session_; }

 private:
  const Runtime* runtime_ = nullptr;
  TF_Session* session_ = nullptr;
};

struct LoadedGraph {
  explicit LoadedGraph(const Runtime& runtime) : graph(runtime.api.new_graph(), runtime.api.delete_graph) {}
  Handle<TF_Graph> graph;
  Signature signature;
  SessionHandle session;
  bool from_cache = false;
  bool optimized = false;   ///< by an earlier session, such as one that filled the cache
  bool translated = false;  ///< from ONNX: in the layout that was asked for
};

/// Loads whichever it is. Throws Failure.
LoadedGraph load_graph(const Runtime& runtime, const kit::OpenRequest& request, const Settings& settings);

// What the loaders share.

Handle<TF_SessionOptions> session_options(const Runtime& runtime, const Settings& settings);
SessionHandle start_session(const Runtime& runtime, TF_Graph* graph, const Settings& settings);
/// `what` says what is imported.
void import_graph_def(const Runtime& runtime, TF_Graph* graph, std::string_view bytes, const std::string& what);
/// An input or output at `place`, of the graph's own type, and of its shape where no other is given. Throws
/// Failure(ASSAY_UNSUPPORTED) for a type that cannot be passed, such as strings.
Port port_at(const Runtime& runtime, TF_Graph* graph, const std::string& name, TF_Output place,
             std::optional<std::optional<Ints>> shape = std::nullopt);
/// "operation" or "operation:1". Nothing where the graph has no such output.
std::optional<TF_Output> find_output(const Runtime& runtime, TF_Graph* graph, std::string_view name);
/// Throws Failure(ASSAY_INVALID_ARGUMENT) where one tensor would be fed twice, or fed and read, or where two outputs
/// go by one name.
void check_places(const Signature& signature);
/// "a, b, c", and "…" where there are many.
std::string listed(const std::vector<std::string>& names);

}  // namespace assay::tensorflow
