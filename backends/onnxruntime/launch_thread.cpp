#include "launch_thread.hpp"

#include <utility>

namespace assay::ort {

LaunchThread::~LaunchThread() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  given_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LaunchThread::run(const std::function<void()>& job) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { serve(); });
  job_ = &job;
  given_.notify_one();
  done_.wait(lock, [this] { return job_ == nullptr; });
  if (failure_ != nullptr) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void LaunchThread::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    given_.wait(lock, [this] { return quit_ || job_ != nullptr; });
    if (job_ == nullptr) return;
    const std::function<void()>& job = *job_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      job();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = std::move(failure);
    job_ = nullptr;
    done_.notify_one();
  }
}

}  // namespace assay::ort
