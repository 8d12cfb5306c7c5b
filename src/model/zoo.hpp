#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace assay::model {

/// A network that Assay writes itself: the paper's architectures, and tiny ones for tests. Weights come from a seeded
/// counter-based generator: for timing only, its answers mean nothing.
struct ZooNetwork {
  std::string name;
  std::string summary;          ///< one line
  std::int64_t parameters = 0;  ///< known beforehand, checked when written
  bool tiny = false;
};

const std::vector<ZooNetwork>& zoo();
bool is_zoo_network(std::string_view name);

struct ZooRequest {
  std::string name;
  std::uint64_t seed = 1;
  bool logits = false;                      ///< the last Softmax is left out
  const std::atomic<bool>* stop = nullptr;  ///< where it turns true, writing ends with Error(kCancelled)
};

/// Writes `<folder>/<name>.onnx` (with "-logits", "-seed<N>" in the name where they differ from the default), opset 17,
/// free batch axis. Byte-identical on every machine. Throws Error.
std::filesystem::path write_zoo_network(const ZooRequest& request, const std::filesystem::path& folder);

/// A MODEL as the command line has it: a path to a file, or a zoo name, which is written into `<cache>/zoo` when it is
/// not there yet (atomically; two processes at once are safe; `stop` as in ZooRequest). Throws Error(kInvalidArgument)
/// that says what is not there, and then what the zoo has.
std::filesystem::path resolve_model(const std::string& model, const std::filesystem::path& cache_folder,
                                    const std::atomic<bool>* stop = nullptr);
/// The name is a zoo network's, and resolve_model would have to write it.
bool is_to_be_written(const std::string& model, const std::filesystem::path& cache_folder);

}  // namespace assay::model
