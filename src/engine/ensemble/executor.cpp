#include "engine/ensemble/executor.hpp"

#include <algorithm>
#include <system_error>

#include "assay/error.hpp"
#include "engine/stream.hpp"

namespace assay::engine {

Executor::Executor(const Schedule& schedule) : board_(schedule), meters_(schedule.members.size()) {
  try {
    for (std::size_t lane = 0; lane < schedule.lanes.size(); ++lane) {
      lanes_.emplace_back([this, lane] { serve(lane); });
    }
  } catch (const std::system_error& e) {
    {
      const std::lock_guard lock(mutex_);
      quit_ = true;
      work_.notify_all();
    }
    for (std::thread& lane : lanes_) lane.join();
    throw Error(ErrorCode::kOutOfMemory, std::string("no thread could be started for a lane: ") + e.what());
  }
}

Executor::~Executor() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
    work_.notify_all();
  }
  for (std::thread& lane : lanes_) lane.join();
}

void Executor::submit(EnsembleBatch& batch, assay_done_fn done, void* user) {
  const std::lock_guard lock(mutex_);
  auto place = std::find(batches_.begin(), batches_.end(), nullptr);
  if (place == batches_.end()) place = batches_.insert(place, nullptr);
  *place = &batch;
  batch.number_ = static_cast<std::size_t>(place - batches_.begin());
  batch.done_ = done;
  batch.user_ = user;
  batch.over_ = false;
  batch.failure_ = nullptr;
  batch.begun_ = {};
  board_.add(batch.number_);
  work_.notify_all();
}

std::chrono::nanoseconds Executor::wait(EnsembleBatch& batch) {
  std::unique_lock lock(mutex_);
  over_.wait(lock, [&] { return batch.over_; });
  if (batch.failure_ != nullptr) std::rethrow_exception(std::exchange(batch.failure_, nullptr));
  return batch.ended_ - batch.begun_;
}

std::vector<MemberAccount> Executor::accounts() const {
  const std::lock_guard lock(mutex_);
  std::vector<MemberAccount> all;
  for (const MemberMeter& meter : meters_) all.push_back(meter.account(now()));
  return all;
}

void Executor::serve(std::size_t lane) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const std::optional<Job> job = board_.take(lane);
    if (job) {
      run(lock, *job);
    } else if (quit_) {
      return;
    } else {
      work_.wait(lock);
    }
  }
}

void Executor::run(std::unique_lock<std::mutex>& lock, const Job& job) {
  EnsembleBatch& batch = *batches_[job.batch];
  const std::chrono::nanoseconds begin = now();
  if (batch.begun_.count() == 0) batch.begun_ = begin;
  meters_[job.member].begin(begin);
  lock.unlock();
  std::exception_ptr failure;
  try {
    batch.run(job.member);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  meters_[job.member].end(begin, now());
  if (failure != nullptr) {
    if (batch.failure_ == nullptr) batch.failure_ = failure;
    board_.abandon(job.batch);
  }
  if (board_.finish(job)) conclude(lock, batch);
  work_.notify_all();  // a stream of the member is free again
}

/// The last job's lane also combines.
void Executor::conclude(std::unique_lock<std::mutex>& lock, EnsembleBatch& batch) {
  batches_[batch.number_] = nullptr;
  if (batch.failure_ == nullptr) {
    lock.unlock();
    try {
      batch.combine();
    } catch (...) {
      batch.failure_ = std::current_exception();
    }
    lock.lock();
  }
  batch.ended_ = now();
  // Under the lock, so that wait does not return, and the slot does not go, while `done` runs.
  if (batch.done_ != nullptr) batch.done_(batch.user_);
  batch.over_ = true;
  over_.notify_all();
}

}  // namespace assay::engine
