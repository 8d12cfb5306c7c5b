#pragma once
// One case at a time in a process of its own, lean: what programs here use to interleave many cases, in turns of
// seconds. Where `assay bench` loads cold and from the cache, checks parity and reads memory in every process, a turn
// loads from the cache, warms up for a batch and measures.

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runner/runner.hpp"
#include "worker/protocol.hpp"

namespace assay::bench {

struct Turn {
  double rate = 0;  ///< samples a second, or another figure that was asked for; 0: failed
  std::string why;  ///< it failed, or what disturbed it; "" where all is well
};

/// Takes a turn, and again where other programs disturbed it, at most three times: the last that did not fail.
Turn undisturbed(const std::function<Turn()>& take);

/// How long a turn is, about: with a batch's time and a load's.
double turn_seconds(const Case& c, double batch_seconds, double load_seconds, std::chrono::milliseconds window);

/// Of what a worker told of its memory: its peak, less what it had when it had opened the engine's library and nothing
/// else. What all workers have would count once for an ensemble, and once for each of its members beside it.
std::optional<double> above_the_library(const std::map<std::string, std::vector<double>>& values);

class Turns {
 public:
  /// Graphs are cached in `cache`; models of the zoo are written and kept where the program keeps them. A turn that
  /// takes longer than `most` has failed.
  Turns(std::filesystem::path cache, std::chrono::milliseconds window, std::chrono::milliseconds most = kMost);

  static constexpr std::chrono::milliseconds kMost{300'000};

  /// In a child process, tried again where other programs disturbed it.
  Turn take(const Case& c) { return take(c, window_); }
  Turn take(const Case& c, std::chrono::milliseconds window);
  enum class Load { kCold, kCached };
  /// Seconds that such a turn takes, by FLOPs and bytes: nothing is measured.
  double estimate(const Case& c, std::chrono::milliseconds window, Load load);
  /// In a child process; 0 where it failed.
  double load_seconds(const Case& c, Load load);
  /// Peak of memory in a process of its own, see above_the_library, MiB.
  Turn peak_mebibytes(const Case& c);

 private:
  worker::Request request(const Case& c, std::chrono::milliseconds window);

  std::filesystem::path cache_;
  std::chrono::milliseconds window_, most_;
  runner::ModelLookup models_;
};

}  // namespace assay::bench
