#include "ort_report.hpp"

#include <fstream>
#include <iterator>

#include "assay/backend_kit_json.hpp"

namespace assay::ort {

std::string end_profiling(const Library& library, OrtSession* session) {
  OrtAllocator* allocator = nullptr;
  library.call<GetAllocatorWithDefaultOptions>("ending the profile", &allocator);
  char* path = nullptr;
  library.call<SessionEndProfiling>("ending the profile", session, allocator, &path);
  const std::string file = path;
  library.call<AllocatorFree>("ending the profile", allocator, path);
  std::ifstream stream(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream || text.empty()) {
    throw kit::Failure(ASSAY_FRAMEWORK, "ONNX Runtime said that it wrote the profile to " + file +
                                            ", but it cannot be read: is the disk full?");
  }
  return text;
}

std::string memory_report(const Library& library, const OrtSession* session, const OrtMemoryInfo* memory) {
  if (!library.has(kApiAllocatorStats)) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "ONNX Runtime " + library.version() + " tells nothing about its memory: 1." +
                                              std::to_string(kApiAllocatorStats) + ".0 or newer does");
  }
  OrtAllocator* allocator = nullptr;
  library.call<CreateAllocator>("reading the memory's state", session, memory, &allocator);
  const OwnedAllocator owned_allocator(library, allocator);
  OrtKeyValuePairs* pairs = nullptr;
  library.call<AllocatorGetStats>("reading the memory's state", allocator, &pairs);
  const OwnedPairs owned_pairs(library, pairs);
  const char* const* keys = nullptr;
  const char* const* values = nullptr;
  std::size_t count = 0;
  library.raw<GetKeyValuePairs>(pairs, &keys, &values, &count);
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "" : ", ") + kit::json_string(keys[i]) + ": " + kit::json_string(values[i]);
  }
  return text + "}";
}

std::vector<PlacedNodes> read_placement(const Library& library, const OrtSession* session) {
  if (!library.has(kApiPlacement)) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "ONNX Runtime " + library.version() + " does not tell its placement: 1." +
                                              std::to_string(kApiPlacement) + ".0 or newer does");
  }
  const OrtEpAssignedSubgraph* const* subgraphs = nullptr;
  std::size_t subgraph_count = 0;
  library.call<SessionGetEpGraphAssignmentInfo>("reading the placement", session, &subgraphs, &subgraph_count);
  std::vector<PlacedNodes> placed(subgraph_count);
  for (std::size_t i = 0; i < subgraph_count; ++i) {
    const char* provider = nullptr;
    library.call<EpAssignedSubgraphGetEpName>("reading the placement", subgraphs[i], &provider);
    placed[i].provider = provider;
    const OrtEpAssignedNode* const* nodes = nullptr;
    std::size_t node_count = 0;
    library.call<EpAssignedSubgraphGetNodes>("reading the placement", subgraphs[i], &nodes, &node_count);
    for (std::size_t n = 0; n < node_count; ++n) {
      const char* name = nullptr;
      const char* type = nullptr;
      library.call<EpAssignedNodeGetName>("reading the placement", nodes[n], &name);
      library.call<EpAssignedNodeGetOperatorType>("reading the placement", nodes[n], &type);
      placed[i].nodes.emplace_back(name, type);
    }
  }
  return placed;
}

std::string placement_report(const Library& library, const OrtSession* session) {
  std::string text = "[";
  for (const PlacedNodes& part : read_placement(library, session)) {
    text += (text.size() == 1 ? "" : ", ") + std::string("{\"provider\": ") + kit::json_string(part.provider) +
            ", \"nodes\": [";
    bool first = true;
    for (const auto& [name, type] : part.nodes) {
      text += (first ? "" : ", ") + std::string("{\"name\": ") + kit::json_string(name) +
              ", \"operator\": " + kit::json_string(type) + "}";
      first = false;
    }
    text += "]}";
  }
  return text + "]";
}

}  // namespace assay::ort
