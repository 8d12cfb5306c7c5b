// How long batches take on a device that copies beside computing, on the device's own clock: no machine is too slow for
// it. The whole session is the real one; the device alone is pretended.
#include <gtest/gtest.h>

#include <set>

#include "backend/adopt.hpp"
#include "engine/testing/sessions.hpp"

namespace assay {
namespace {

/// One engine that copies in, one that computes, one that copies out. Its clock stands still until no further batch can
/// be handed over, since all that may be outstanding are or there are no more, and then goes on to the next one's end.
/// Of a session that hands over fewer it goes on after a while, or the test would never end. Thread-safe.
class VirtualDevice {
 public:
  static constexpr std::int64_t kCopyIn = 2, kCompute = 3, kCopyOut = 1;  // ms

  VirtualDevice(int most_outstanding, int batches) : most_(most_outstanding), left_(batches) {}

  /// Hands a batch over; when it will be done.
  std::int64_t submit() {
    const std::lock_guard lock(mutex_);
    --left_;
    in_free_ = std::max(now_, in_free_) + kCopyIn;
    compute_free_ = std::max(in_free_, compute_free_) + kCompute;
    out_free_ = std::max(compute_free_, out_free_) + kCopyOut;
    outstanding_.insert(out_free_);
    changed_.notify_all();
    return out_free_;
  }
  void wait(std::int64_t end) {
    std::unique_lock lock(mutex_);
    while (now_ < end) {
      const auto something_changes = [&] { return now_ >= end || (no_more_comes() && !somebody_is_done()); };
      if (!changed_.wait_for(lock, patience_, something_changes) && --patient_times_ == 0) patience_ = {};
      if (!somebody_is_done()) now_ = *outstanding_.begin();
      changed_.notify_all();
    }
    outstanding_.erase(end);
    changed_.notify_all();
  }
  [[nodiscard]] std::int64_t now() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }

 private:
  /// And has not gone yet: whoever waits for it is about to wake.
  [[nodiscard]] bool somebody_is_done() const { return *outstanding_.begin() <= now_; }
  [[nodiscard]] bool no_more_comes() const { return left_ == 0 || static_cast<int>(outstanding_.size()) == most_; }

  const int most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int left_, patient_times_ = 3;
  std::chrono::milliseconds patience_{1000};
  std::int64_t now_ = 0, in_free_ = 0, compute_free_ = 0, out_free_ = 0;
  std::set<std::int64_t> outstanding_;  // by their ends, of which no two are the same
};

/// y = x, when the device says so.
class VirtualSlot final : public kit::Slot {
 public:
  explicit VirtualSlot(VirtualDevice& device) : device_(device) {}
  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* /*user*/) override {
    if (done != nullptr) throw kit::Failure(ASSAY_INTERNAL, "a batch computes in wait, and no callback is called");
    std::memcpy(outputs[0].data, inputs[0].data, inputs[0].bytes);
    end_ = device_.submit();
  }
  void wait(std::span<assay_tensor> /*outputs*/, kit::Timing& /*timing*/) override { device_.wait(end_); }

 private:
  VirtualDevice& device_;
  std::int64_t end_ = 0;
};

class VirtualSession final : public kit::Session {
 public:
  explicit VirtualSession(VirtualDevice& device) : device_(device) {}
  kit::Description describe() override {
    kit::Description d;
    d.inputs = {{"x", ASSAY_FLOAT32, true, {-1, 5}, {"batch", ""}}};
    d.outputs = {{"y", ASSAY_FLOAT32, true, {-1, 5}, {"batch", ""}}};
    d.computes_in_wait = true;
    d.memory_kinds |= 1U << ASSAY_PINNED;
    return d;
  }
  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> /*shapes*/) override {
    return std::make_unique<VirtualSlot>(device_);
  }

 private:
  VirtualDevice& device_;
};

TEST(OwnMemory, TwoHundredBatchesTakeAsLongAsComputingThemWhereCopiesAreBesideIt) {
  constexpr int kBatches = 200;
  struct Row {
    int in_flight;
    bool overlaps;
  };
  for (const Row& row : {Row{3, true}, {2, true}, {1, false}}) {
    VirtualDevice device(row.in_flight, kBatches);
    const test::FakeModel fake("x:float32:-1x5->y:float32:-1x5");
    Params params;
    params.batch_size = 2;
    params.in_flight = row.in_flight;
    const engine::Layout layout(fake.model.inputs, fake.model.outputs, params);
    Session session(
        engine::make_impl(layout, backend::adopt(std::make_unique<VirtualSession>(device), {}), row.in_flight));
    const Tensor x = test::random_tensor(DType::kFloat32, {kBatches * params.batch_size, 5}, 3);
    const Tensor y = std::move(session.predict(x.view())[0]);
    EXPECT_TRUE(test::same(y, x));
    const double least = static_cast<double>(kBatches * VirtualDevice::kCompute);
    const double took = static_cast<double>(device.now());
    EXPECT_GE(took, least);
    EXPECT_EQ(took <= 1.05 * least, row.overlaps) << took << " ms with " << row.in_flight << " in flight";
  }
}

}  // namespace
}  // namespace assay
