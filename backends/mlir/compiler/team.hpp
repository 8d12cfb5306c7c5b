#pragma once
// Threads that compute a step together: whoever calls, and helpers that sleep between batches.

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace assay::compiler {

class Team {
 public:
  /// `size` threads, the caller of `run` among them. `spin`: helpers wait for the next step awake for some
  /// microseconds, which only serves where nobody else wants the cores.
  Team(int size, bool spin);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /// Work of one part, the thread's number: [begin, end) of the units.
  using Work = std::function<void(std::int64_t begin, std::int64_t end, std::int64_t part)>;
  /// Divides the units among the threads and returns when all are done. One call at a time.
  void run(std::int64_t units, const Work& work);
  [[nodiscard]] int size() const noexcept { return size_; }

 private:
  void serve(int number);
  void part(int number) const;
  void wait_for(std::atomic<std::uint32_t>& value, std::uint32_t old) const;

  int size_;
  bool spin_;
  const Work* work_ = nullptr;
  std::int64_t units_ = 0;
  std::atomic<std::uint32_t> round_{0};  // changes when there is work, or the end
  std::atomic<std::uint32_t> busy_{0};   // helpers that are not done
  std::atomic<bool> quit_{false};
  std::vector<std::thread> threads_;
};

}  // namespace assay::compiler
