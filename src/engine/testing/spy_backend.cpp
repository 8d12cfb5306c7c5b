// A test's plugin that tells on its host. Inputs x: float32 [-1,4]; outputs y: int64 [-1,6], for each sample: the
// address of its input, the address of its output, the number of the thread that ran it, samples in its slot, slots
// that were running at once at most, and the bits of its first value. With transposed=true: x float32 [2,-1] and y
// float32 [2,-1], y = 2 x. In force: what it was asked for.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "assay/backend_kit.hpp"

namespace assay::test {
namespace {

/// Opens, or batches, that wait until so many of them are under way: that they are side by side is seen by events, not
/// by times.
class Meeting {
 public:
  void join(int parties) {
    std::unique_lock lock(mutex_);
    const int meeting = meetings_;
    if (++here_ >= parties) {
      here_ = 0;
      ++meetings_;
      met_.notify_all();
      return;
    }
    if (met_.wait_for(lock, std::chrono::seconds(20), [&] { return meetings_ != meeting; })) return;
    --here_;
    throw kit::Failure(ASSAY_FRAMEWORK, "no other came meanwhile");
  }

 private:
  std::mutex mutex_;
  std::condition_variable met_;
  int here_ = 0, meetings_ = 0;
};

struct Shared {
  bool transposed = false, pad = false;
  int delay_us = 0, either_us = -1, refused = 0, meet_batches = 0;
  std::string gate;
  Meeting batches;
  std::atomic<int> running{0}, most{0};
};

std::int64_t thread_number() { return static_cast<std::int64_t>(::pthread_self()); }

class SpySlot final : public kit::BlockingSlot {
 public:
  SpySlot(Shared& shared, std::vector<std::int64_t> shape) : shared_(shared), shape_(std::move(shape)) {
    out_shape_ = shared.transposed ? shape_ : std::vector<std::int64_t>{shape_[0], 6};
  }
  ~SpySlot() override { stop(); }

 protected:
  void run(std::span<const assay_tensor> in, std::span<assay_tensor> out, kit::Timing& timing) override {
    if (shared_.meet_batches > 0) shared_.batches.join(shared_.meet_batches);
    const int now = ++shared_.running;
    for (int most = shared_.most; most < now && !shared_.most.compare_exchange_weak(most, now);) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(shared_.delay_us));
    while (!shared_.gate.empty() && ::access(shared_.gate.c_str(), F_OK) != 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (shared_.transposed) {
      const auto* x = static_cast<const float*>(in[0].data);
      auto* y = static_cast<float*>(out[0].data);
      for (std::int64_t i = 0; i < shape_[0] * shape_[1]; ++i) y[i] = 2 * x[i];
    } else {
      tell(in[0], out[0]);
    }
    out[0].rank = 2;
    out[0].shape = out_shape_.data();
    timing.compute_ns = std::int64_t{1000} * shared_.delay_us;
    --shared_.running;
  }

 private:
  void tell(const assay_tensor& in, const assay_tensor& out) {
    for (std::int64_t n = 0; n < shape_[0]; ++n) {
      const float* x = static_cast<const float*>(in.data) + 4 * n;
      std::int64_t* y = static_cast<std::int64_t*>(out.data) + 6 * n;
      std::int32_t bits = 0;
      std::memcpy(&bits, x, sizeof bits);
      y[0] = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(x));
      y[1] = static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(y));
      y[2] = thread_number();
      y[3] = shape_[0];
      y[4] = shared_.most;
      y[5] = bits;
    }
  }
  Shared& shared_;
  std::vector<std::int64_t> shape_, out_shape_;
};

class SpySession final : public kit::Session {
 public:
  explicit SpySession(const kit::OpenRequest& request)
      : in_flight_(request.in_flight), from_cache_(!request.cache_read.empty()) {
    asked_ = {{"threads", std::to_string(request.threads)},
              {"in_flight", std::to_string(request.in_flight)},
              {"cores", request.shared_cores    ? "shared"
                        : request.cores_in_turn ? "in turn"
                                                : "own"}};
    static Meeting meeting;
    if (const int parties = std::stoi(request.option("meet", "0")); parties > 0) meeting.join(parties);
    scratch(std::stoul(request.option("scratch_mb", "0")));
    if (!request.cache_fill.empty()) std::ofstream(request.cache_fill + "/spy.graph") << "a graph";
    shared_.transposed = request.option("transposed", "false") == "true";
    shared_.pad = request.option("pad", "false") == "true";
    shared_.either_us = std::stoi(request.option("either_us", "-1"));
    shared_.refused = std::stoi(request.option("refused", "0"));
    shared_.meet_batches = std::stoi(request.option("meet_batches", "0"));
    shared_.gate = request.option("gate", "");
    shared_.delay_us = std::stoi(request.option("delay_us", "0"));
  }
  kit::Description describe() override {
    kit::Description d;
    if (shared_.transposed) {
      d.inputs = {{"x", ASSAY_FLOAT32, true, {2, -1}, {"", "n"}}};
      d.outputs = {{"y", ASSAY_FLOAT32, true, {2, -1}, {"", "n"}}};
    } else {
      d.inputs = {{"x", ASSAY_FLOAT32, true, {-1, 4}, {"n", ""}}};
      d.outputs = {{"y", ASSAY_INT64, true, {-1, 6}, {"n", ""}}};
    }
    d.in_force = asked_;
    d.from_cache = from_cache_;
    d.useful_slots = in_flight_ > 0 ? in_flight_ : 2;
    d.short_batch = shared_.pad ? ASSAY_SHORT_BATCH_PAD : ASSAY_SHORT_BATCH_RESHAPE;
    if (shared_.either_us >= 0) {
      d.short_batch = ASSAY_SHORT_BATCH_EITHER;
      d.slot_open_ns = std::int64_t{1000} * shared_.either_us;
    }
    return d;
  }
  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override {
    if (shapes[0].shape[0] == shared_.refused) throw kit::Failure(ASSAY_UNSUPPORTED, "a size that is refused");
    return std::make_unique<SpySlot>(shared_, shapes[0].shape);
  }

 private:
  /// In blocks that have no mapping of their own, all but the last freed again: what lies below it the heap keeps.
  void scratch(std::size_t mebibytes) {
    constexpr std::size_t kBlock = std::size_t{64} << 10U;
    std::vector<std::vector<char>> blocks((mebibytes << 20U) / kBlock);
    for (std::vector<char>& block : blocks) block.assign(kBlock, 1);
    if (!blocks.empty()) kept_ = std::move(blocks.back());
  }

  Shared shared_;
  std::vector<char> kept_;
  std::vector<std::pair<std::string, std::string>> asked_;
  int in_flight_;
  bool from_cache_;
};

class SpyBackend final : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "spy"; }
  kit::Probe probe(const kit::Host& /*host*/) override {
    return {true, "", "1", "", "test", {{"cpu", "a spy", "spy", 0}}};
  }
  std::span<const assay_option> options() override {
    static constexpr const char* kMarks[] = {"a", "b", nullptr};
    static const assay_option kOptions[] = {
        {"marks", ASSAY_OPTION_LIST, ASSAY_OPTION_SHAPES_GRAPH, "", 0, 0, kMarks, "of the graph in the cache"},
        {"transposed", ASSAY_OPTION_BOOL, 0, "false", 0, 0, nullptr, "the batch is the second axis"},
        {"pad", ASSAY_OPTION_BOOL, 0, "false", 0, 0, nullptr, "short batches are filled up"},
        {"either_us", ASSAY_OPTION_INT, 0, "-1", -1, 1e6, nullptr, "both can be had, a slot for so much"},
        {"meet", ASSAY_OPTION_INT, 0, "0", 0, 64, nullptr, "opening ends when so many are under way at once"},
        {"scratch_mb", ASSAY_OPTION_INT, 0, "0", 0, 1024, nullptr, "MiB that opening takes and frees"},
        {"meet_batches", ASSAY_OPTION_INT, 0, "0", 0, 64, nullptr, "batches end when so many are under way at once"},
        {"refused", ASSAY_OPTION_INT, 0, "0", 0, 1e6, nullptr, "a batch size that no slot can be of"},
        {"gate", ASSAY_OPTION_TEXT, 0, "", 0, 0, nullptr, "a batch ends when there is a file of this name"},
        {"delay_us", ASSAY_OPTION_INT, 0, "0", 0, 1e6, nullptr, "time of a batch"}};
    return kOptions;
  }
  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override {
    return std::make_unique<SpySession>(request);
  }
  [[nodiscard]] std::uint32_t graph_ignores() const override {
    return ASSAY_GRAPH_IGNORES_GOAL | ASSAY_GRAPH_IGNORES_IN_FLIGHT;
  }
};

}  // namespace
}  // namespace assay::test

ASSAY_BACKEND(assay::test::SpyBackend)
