#pragma once
// One case at a time in a process of its own, lean: what programs here use to interleave many cases, in turns of
// seconds. Where `assay bench` loads cold and from the cache, checks parity and reads memory in every process, a turn
// loads from the cache, warms up for a batch and measures.

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "runner/runner.hpp"
#include "worker/protocol.hpp"

namespace assay::bench {

struct Turn {
  double rate = 0;  ///< samples a second; 0: failed
  std::string why;  ///< it failed, or what disturbed it; "" where all is well
};

class Turns {
 public:
  /// Graphs are cached in `cache`; models of the zoo are written and kept where the program keeps them.
  Turns(std::filesystem::path cache, std::chrono::milliseconds window);

  /// In a child process, tried again where other programs disturbed it.
  Turn take(const Case& c);
  enum class Load { kCold, kCached };
  /// In a child process; 0 where it failed.
  double load_seconds(const Case& c, Load load);
  /// Peak memory in a process of its own, less what the engine's library took, MiB; nothing where it failed.
  std::optional<double> peak_mebibytes(const Case& c);

 private:
  worker::Request request(const Case& c);

  std::filesystem::path cache_;
  std::chrono::milliseconds window_;
  runner::ModelLookup models_;
};

}  // namespace assay::bench
