#pragma once
// A unit: a slot of the backend, the buffers that belong to it, and the state of the batch that it carries. Units are
// opened once, kept in a pool, and carry one batch after another without allocating.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/ensemble/member_board.hpp"
#include "engine/layout.hpp"
#include "engine/stream.hpp"

namespace assay::engine {

class Lane;
class Dispatcher;
class UnitPool;

/// Where buffers come from: pinned memory, which a device copies from and to without a detour, where the backend takes
/// it; else the host's.
class StagingMemory {
 public:
  explicit StagingMemory(backend::BackendSession& session);
  /// Throws Error(kOutOfMemory).
  std::byte* allocate(std::size_t bytes, const std::string& what);
  void release(std::byte* data) noexcept;
  [[nodiscard]] assay_memory kind() const { return kind_; }

 private:
  backend::BackendSession& session_;
  assay_memory kind_;
};

/// Memory aligned for every engine; grows, never shrinks.
class Buffer {
 public:
  /// nullptr: the host's memory. Must outlive the buffer.
  explicit Buffer(StagingMemory* from = nullptr) : data_(nullptr, Free{from}) {}
  /// At least `bytes`, allocated on first use. Throws Error(kOutOfMemory) naming `what`.
  std::byte* at_least(std::size_t bytes, const std::string& what);

 private:
  struct Free {
    StagingMemory* from = nullptr;
    void operator()(std::byte* p) const noexcept;
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t bytes_ = 0;
};

/// Units of one set of input shapes.
struct Group {
  std::int64_t count = 0;      ///< samples that the slots are bound for
  std::vector<Shape> inputs;   ///< whole shapes, in the model's order
  std::vector<Shape> outputs;  ///< whole shapes; meaningless for those not `sized`
  // Guarded by the pool's mutex:
  std::list<class Unit> units;
  std::vector<Unit*> idle;
  std::size_t opening = 0;
  int users = 0;  ///< calls that hold this group
  std::uint64_t last_use = 0;
  std::condition_variable returned;
  std::atomic<std::chrono::nanoseconds> compute{std::chrono::nanoseconds{}};  ///< of the last batch; 0: none yet
};

class Unit {
 public:
  Unit(const Layout& layout, Group& group, backend::Slot slot, StagingMemory& staging);

  /// Input i's memory is the unit's own buffer, or `memory`.
  std::byte* input_buffer(std::size_t i);
  void bind_input(std::size_t i, const void* memory);
  /// Output i goes to the unit's own buffer, to `memory`, or (unknown shape) stays in the backend's.
  void bind_own_output(std::size_t i);
  void bind_output(std::size_t i, void* memory);
  /// Repeats the last of `record.count` samples in the unit's own buffers up to what the slot is bound for.
  void pad_inputs();

  /// Starts the batch; `done` NULL: wait() computes. Throws Error.
  void submit(assay_done_fn done);
  /// Ends it: outputs and times are there afterwards. Throws Error.
  void wait();
  /// Output i as it came from the backend; its batch axis is as long as the slot is bound for.
  [[nodiscard]] const TensorView& output(std::size_t i) const { return outputs_[i]; }
  /// Views of the unit's own input buffers, `count` samples long, for whoever fills them.
  std::span<const MutableTensorView> fill_views(std::int64_t count);
  /// Views of the outputs, `record.count` samples long.
  std::span<const TensorView> drain_views();

  Group& group;
  // The batch that is under way.
  BatchRecord record;
  Lane* lane = nullptr;
  Dispatcher* dispatcher = nullptr;
  Unit* next_in_lane = nullptr;
  Unit* next_in_queue = nullptr;
  bool ready = false;          ///< guarded by the lane's mutex
  bool must_wait = false;      ///< submitted and not waited for
  std::exception_ptr failure;  ///< of submit

 private:
  const Layout& layout_;
  backend::Slot slot_;
  assay_memory own_memory_;                             // kind of what follows
  std::vector<Buffer> input_buffers_, output_buffers_;  // in the model's order, as all that has no other word
  std::vector<std::size_t> place_;                      // of our output among the backend's
  std::vector<std::size_t> input_place_;                // of our input among the backend's; npos: it dropped it
  std::vector<bool> own_input_;
  std::vector<assay_tensor> input_tensors_, output_tensors_, results_;  // in the backend's order
  std::vector<MutableTensorView> fill_views_;
  std::vector<TensorView> drain_views_, outputs_;
  std::vector<Shape> padded_strides_;
  std::optional<UnderWay> computing_;  // members that are one graph
  void take_results();
  void check_padded(std::size_t i, int axis) const;
  void check_result(std::size_t ours, const assay_tensor& result);
};

/// The units of a session, by their shapes. Thread-safe. Waiting callers sleep.
class UnitPool {
 public:
  /// At most `per_group` units of one shape; at most kGroups shapes are kept beyond their use.
  UnitPool(const Layout& layout, backend::BackendSession& session, std::size_t per_group);
  ~UnitPool();
  UnitPool(const UnitPool&) = delete;
  UnitPool& operator=(const UnitPool&) = delete;

  /// A claim on the group for `count` samples; the shapes of inputs are the layout's, or `whole` where those differ.
  class Claim {
   public:
    Claim(UnitPool& pool, Group& group) : pool_(&pool), group_(&group) {}
    Claim(Claim&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), group_(other.group_) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim() {
      if (pool_ != nullptr) pool_->unclaim(*group_);
    }
    [[nodiscard]] Group& group() const { return *group_; }

   private:
    UnitPool* pool_;
    Group* group_;
  };
  Claim claim(std::int64_t count, std::span<const TensorView> whole = {});

  /// A unit to fill; opens one while there are few. Throws Error where the backend cannot open one.
  Unit& acquire(Group& group);
  void release(Unit& unit) noexcept;

 private:
  static constexpr std::size_t kGroups = 4;
  Group& find_or_make(std::int64_t count, std::span<const TensorView> whole);
  bool matches(const Group& group, std::int64_t count, std::span<const TensorView> whole) const;
  void unclaim(Group& group) noexcept;
  void forget_oldest();
  const Layout& layout_;
  backend::BackendSession& session_;
  StagingMemory staging_;
  std::size_t per_group_;
  std::mutex mutex_;
  std::list<Group> groups_;
  std::uint64_t uses_ = 0;
};

}  // namespace assay::engine
