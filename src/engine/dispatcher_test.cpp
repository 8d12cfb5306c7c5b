#include "engine/dispatcher.hpp"

#include <gtest/gtest.h>

#include <future>

#include "engine/lane.hpp"
#include "engine/testing/sessions.hpp"

namespace assay::engine {
namespace {

class NoWork final : public Work {
 public:
  void fill(Unit& /*unit*/) override {}
  void drain(Unit& /*unit*/) override {}
};

/// A session of the spy whose batches go on until the gate is opened.
class DispatcherTest : public ::testing::Test {
 protected:
  DispatcherTest() { layout_.adopt(session_.info()); }
  backend::BackendSession open() {
    const ScopedVariable path("ASSAY_BACKEND_PATH", std::string(ASSAY_BUILD_DIR) + "/tests/plugins");
    backend::OpenRequest request;
    request.model = fake_.model.path;
    request.options["gate"] = gate_.string();
    return backend::load_backend("spy").open(request);
  }
  /// Whether a caller that waits gets the place that one unit leaves.
  bool caller_enters_beside_a_unit();

  test::FakeModel fake_{"x:float32:-1x4->y:int64:-1x6"};
  TemporaryFolder folder_;
  std::filesystem::path gate_ = folder_.path() / "open";
  backend::BackendSession session_ = open();
  Layout layout_{fake_.model.inputs, fake_.model.outputs, {}};
  UnitPool pool_{layout_, session_, 4};
};

bool DispatcherTest::caller_enters_beside_a_unit() {
  std::filesystem::remove(gate_);
  const UnitPool::Claim claim = pool_.claim(1);
  Lane lane(pool_);
  Dispatcher dispatcher(2, false);
  dispatcher.start();
  NoWork work;
  const BatchObserver nobody;
  lane.begin(work, nobody);
  const auto caller = [&] {
    auto entered = std::async(std::launch::async, [&] { dispatcher.enter(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // it waits by now, or the test tells less
    return entered;
  };
  dispatcher.enter();
  dispatcher.enter();
  std::future<void> first = caller();
  dispatcher.leave();
  first.wait();  // after a caller it is a unit's turn
  Unit& unit = pool_.acquire(claim.group());
  unit.record = {.count = 1};
  unit.input_buffer(0);
  unit.bind_own_output(0);
  lane.push(unit);
  dispatcher.enqueue(unit);
  std::future<void> second = caller();
  dispatcher.leave();
  dispatcher.leave();
  const bool in_time = second.wait_for(std::chrono::seconds(20)) == std::future_status::ready;
  std::ofstream(gate_) << "open";
  second.wait();
  dispatcher.leave();
  lane.finish();
  return in_time;
}

TEST_F(DispatcherTest, NoPlaceIsLeftIdleWhileACallerWaits) {
  // Who comes first, the one that leaves again or the thread that hands over, is chance: several tries.
  for (int round = 0; round < 20; ++round) ASSERT_TRUE(caller_enters_beside_a_unit()) << round;
}

}  // namespace
}  // namespace assay::engine
