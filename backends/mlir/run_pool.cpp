#include "run_pool.hpp"

#include <stdexcept>
#include <utility>

namespace assay::mlir_backend {

void RunPool::add_slot() {
  const std::lock_guard lock(mutex_);
  if (made_ == streams_) return;
  auto run = std::make_unique<compiler::Run>(*program_, threads_);
  run->measure_steps(measured_);
  idle_.reserve(static_cast<std::size_t>(streams_));  // giving back never fails
  idle_.push_back(std::move(run));
  ++made_;
}

std::unique_ptr<compiler::Run> RunPool::take() {
  const std::lock_guard lock(mutex_);
  // Who takes one has a stream's team, and every slot brought a run until there was one for each stream.
  if (idle_.empty()) throw std::logic_error("more batches are computed at once than there are streams");
  std::unique_ptr<compiler::Run> run = std::move(idle_.back());
  idle_.pop_back();
  return run;
}

void RunPool::give_back(std::unique_ptr<compiler::Run> run) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(run));
}

}  // namespace assay::mlir_backend
