#pragma once
// How bench_ensemble spends its time: all ways are sorted out, memory is read, and what is near the best is measured
// again in blocks. What is there of the state is not measured again.

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "state.hpp"
#include "turns.hpp"
#include "ways.hpp"

namespace assay::bench {

struct ContestSettings {
  std::chrono::milliseconds window{3000};  ///< of a turn in a block; what sorts out has half of it
  int blocks = 10;                         ///< at most
  double minutes = 0;  ///< no block begins that would end later, once there are a few; 0: all blocks are taken
};

/// What a contest does to the world; tests have their own.
struct Means {
  std::function<Turn(const Case&, std::chrono::milliseconds window)> take;
  std::function<Turn(const Case&)> peak;  ///< MiB
  /// Seconds of such a turn, about.
  std::function<double(const Case&, std::chrono::milliseconds window, Turns::Load load)> estimate;
  std::function<double()> now;                   ///< seconds
  std::function<void(const std::string&)> tell;  ///< a line: how far it is
};

/// Of an ensemble's way, and of its members alone on the engines that they have there, MiB; 0: that failed.
struct Peak {
  Case test_case;
  double together = 0, members = 0;
  std::string trouble;  ///< what failed, and why
};

class Contest {
 public:
  static constexpr int kLeastBlocks = 4;  ///< whole ones, however long they take: with fewer an interval says little

  Contest(Field field, ContestSettings settings, State& state, Means means);
  struct Result {
    std::vector<Way> ways;
    std::vector<Peak> peaks;
  };
  /// Tells first how long it takes, about.
  Result run();

 private:
  std::optional<double> turn(Way& way, const std::string& what, std::chrono::milliseconds window);
  void sort_out(std::vector<Way>& ways);
  void sort_out(std::vector<Way>& ways, const std::vector<std::size_t>& order);
  Peak peak(const Case& c);
  double peak_of(const Case& c, std::string& trouble);
  std::vector<Peak> peaks(const std::vector<Way>& ways);
  void measure_again(std::vector<Way>& ways);
  double turn_of_block(Way& way, int block);
  std::optional<double> known_of_block(Way& way, int block);
  bool time_is_over(const std::vector<Way*>& arms, int blocks);
  double block_seconds(const std::vector<Way*>& arms);
  void tell_beforehand(const std::vector<Way>& ways);

  Field field_;
  ContestSettings settings_;
  State& state_;
  Means means_;
  double started_;
  std::map<std::string, std::string> failed_peaks_;  ///< by key: why
};

}  // namespace assay::bench
