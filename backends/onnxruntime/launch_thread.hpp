#pragma once
// A thread that launches for others. The library keeps a captured graph for the thread that captured it: launched by
// one thread, a slot has one graph, whichever threads its batches come from.

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace assay::ort {

/// Used by one caller at a time. Its thread is made when it is first needed, and sleeps between launches.
class LaunchThread {
 public:
  LaunchThread() = default;
  ~LaunchThread();
  LaunchThread(const LaunchThread&) = delete;
  LaunchThread& operator=(const LaunchThread&) = delete;

  /// Waits until `job` is done. Throws what it throws.
  void run(const std::function<void()>& job);

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable given_, done_;
  const std::function<void()>* job_ = nullptr;  ///< nullptr: there is none, or it is done
  std::exception_ptr failure_;
  bool quit_ = false;
  std::thread thread_;
};

}  // namespace assay::ort
