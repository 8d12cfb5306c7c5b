#pragma once
// Which job a free lane takes. Pure: the executor's threads and the tests' fake clock drive it alike.

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/strategies/strategy.hpp"

namespace assay::engine {

/// A member's part of a batch. Batches are whatever number the caller gives them.
struct Job {
  std::size_t batch = 0, member = 0;
};

/// Not thread-safe. After the first batches it allocates nothing.
class JobBoard {
 public:
  explicit JobBoard(const Schedule& schedule);

  void add(std::size_t batch);
  /// Of the oldest batch, the first of the lane's members that nobody has begun and that has a stream free.
  std::optional<Job> take(std::size_t lane);
  /// The jobs of the batch that nobody has begun are not wanted any more.
  void abandon(std::size_t batch);
  /// True: it was the last of its batch, which is gone from the board.
  bool finish(const Job& job);

 private:
  enum class State : unsigned char { kOpen, kTaken, kOver };
  struct Entry {
    std::size_t batch;
    std::vector<State> members;
  };
  [[nodiscard]] std::vector<Entry>::iterator find(std::size_t batch);

  const std::vector<std::vector<std::size_t>> lanes_;
  std::vector<int> free_streams_;
  std::vector<Entry> entries_;                // the oldest first
  std::vector<std::vector<State>> recycled_;  // memory of batches that are over
};

}  // namespace assay::engine
