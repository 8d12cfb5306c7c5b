#include "worker/window.hpp"

#include <algorithm>
#include <utility>

namespace assay::worker {
namespace {

double ns(std::chrono::nanoseconds t) { return static_cast<double>(t.count()); }

}  // namespace

void BatchRecords::add(const engine::BatchRecord& record) {
  if (seen_++ % stride_ != 0) return;
  if (kept_.size() == capacity_) {
    for (std::size_t i = 0; i < kept_.size(); i += 2) kept_[i / 2] = kept_[i];
    kept_.resize((kept_.size() + 1) / 2);
    stride_ *= 2;
    if ((seen_ - 1) % stride_ != 0) return;
  }
  kept_.push_back(record);
}

WindowObserver::WindowObserver(const measure::Effort& effort, int outstanding, std::function<void()> window_begins,
                               std::function<void()> window_ends, std::size_t capacity)
    : warm_up_(effort),
      window_(effort),
      window_begins_(std::move(window_begins)),
      window_ends_(std::move(window_ends)),
      outstanding_(static_cast<std::size_t>(std::max(1, outstanding))),
      records_(capacity) {}

void WindowObserver::begin_window(double done) {
  begin_ = done;
  // Batches are observed in the order of their beginning: one of these may be done later than the last.
  for (const engine::BatchRecord& r : last_) {
    if (ns(r.done) > begin_) records_.add(r);
  }
  window_begins_();
  warm_.store(true, std::memory_order_release);
}

void WindowObserver::observe(const engine::BatchRecord& record) {
  const double done = ns(record.done);
  if (first_ < 0) first_ = ns(record.fill_begin);
  if (!warm_up_.done()) {
    last_.push_back(record);
    if (last_.size() > outstanding_) last_.pop_front();
    if (warm_up_.add(done - first_, ns(record.done - record.submitted))) begin_window(done);
    progress_.store(warm_up_.progress(), std::memory_order_relaxed);
    return;
  }
  records_.add(record);
  if (!window_.done() && done > begin_) {
    if (window_.add(done - begin_)) {
      end_ = done;
      window_ends_();
    }
    progress_.store(window_.progress(), std::memory_order_relaxed);
  }
  if (window_.done() && (outstanding_ == 1 || ns(record.submitted) >= end_)) {
    finished_.store(true, std::memory_order_release);
  }
}

std::vector<const engine::BatchRecord*> WindowObserver::records(bool open) const {
  std::vector<const engine::BatchRecord*> result;
  for (const engine::BatchRecord& r : records_.kept()) {
    const bool wanted = open ? ns(r.done) > end_ && ns(r.submitted) < end_ : ns(r.done) > begin_ && ns(r.done) <= end_;
    if (wanted) result.push_back(&r);
  }
  // Batches under way together may be done in another order than they began.
  std::sort(result.begin(), result.end(), [](const auto* a, const auto* b) { return a->done < b->done; });
  return result;
}

std::map<std::string, std::vector<double>> WindowObserver::values() const {
  std::map<std::string, std::vector<double>> v;
  for (const engine::BatchRecord* r : records(false)) {
    v["finish_ns"].push_back(ns(r->done) - begin_);
    v["latency_ns"].push_back(ns(r->done - r->submitted));
    v["queue_ns"].push_back(ns(r->queue));
    v["fill_ns"].push_back(ns(r->fill_end - r->fill_begin));
    v["copy_in_ns"].push_back(ns(r->copy_in));
    v["compute_ns"].push_back(ns(r->compute));
    v["copy_out_ns"].push_back(ns(r->copy_out));
    if (r->ahead.count() >= 0) v["ahead_ns"].push_back(ns(r->ahead));
    v["drain_ns"].push_back(ns(r->drain_end - r->drain_begin));
  }
  for (const engine::BatchRecord* r : records(true)) {
    v["open_finish_ns"].push_back(ns(r->done) - begin_);
    v["open_latency_ns"].push_back(ns(r->done - r->submitted));
  }
  v["window"] = {window_ns()};
  v["stride"] = {static_cast<double>(records_.stride())};
  return v;
}

measure::Throughput WindowObserver::throughput(bool whole_way) const {
  std::vector<double> finishes;
  std::vector<double> latencies;
  for (const engine::BatchRecord& r : records_.kept()) {
    finishes.push_back(ns(whole_way ? r.drain_end : r.done) - begin_);
    latencies.push_back(whole_way ? ns(r.drain_end - r.fill_begin) : ns(r.done - r.submitted));
  }
  return measure::throughput(finishes, latencies, window_ns(), records_.stride());
}

measure::LittleCheck WindowObserver::little(double stated, bool whole_way) const {
  std::vector<double> responses;
  for (const engine::BatchRecord* r : records(false)) {
    responses.push_back(whole_way ? ns(r->drain_end - r->fill_begin) : ns(r->done - r->submitted));
  }
  return measure::little_check(throughput(whole_way), responses, stated);
}

}  // namespace assay::worker
