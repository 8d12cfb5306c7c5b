// Slots and sessions beside each other, from one thread and from many.
#include <exception>
#include <memory>
#include <thread>

#include "conformance/checks.hpp"

namespace assay::conformance {
namespace {

using backend::BackendSession;

// Runs `body(i)` on `count` threads; what one throws is thrown again here.
void on_threads(int count, const std::function<void(int)>& body) {
  std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      try {
        body(i);
      } catch (...) {
        thrown[static_cast<std::size_t>(i)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& e : thrown) {
    if (e) std::rethrow_exception(e);
  }
}

void slots_are_outstanding_together(const Subject& subject) {
  BackendSession session = subject.open();
  constexpr unsigned kSlots = 4;
  std::vector<std::unique_ptr<LinearSlot>> slots;
  std::vector<std::vector<float>> expected;
  for (unsigned i = 0; i < kSlots; ++i) {
    slots.push_back(std::make_unique<LinearSlot>(subject, session, 3));
    expected.push_back(slots.back()->run(i + 1));
  }
  for (unsigned round = 0; round < 25; ++round) {
    Signal signal;
    for (unsigned i = 0; i < kSlots; ++i) slots[i]->submit((i + round) % kSlots + 1, &signal);
    for (unsigned i = kSlots; i-- > 0;) {
      require(slots[i]->wait() == expected[(i + round) % kSlots],
              "slot " + std::to_string(i) + " answers another one's batch");
    }
    require(signal.count() == kSlots, "not one callback for each batch");
  }
}

void slots_are_submitted_again_as_they_finish(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot first(subject, session, 2), second(subject, session, 2);
  LinearSlot* slots[] = {&first, &second};
  const std::vector<float> odd = first.run(1), even = first.run(2);
  Signal signals[2];
  first.submit(1, &signals[0]);
  for (int batch = 1; batch < 100; ++batch) {
    slots[batch % 2]->submit(batch % 2 == 0 ? 1 : 2, &signals[batch % 2]);
    require(slots[(batch + 1) % 2]->wait() == (batch % 2 == 0 ? even : odd),
            "batch " + std::to_string(batch) + " is wrong");
  }
  slots[1]->wait();
}

void a_slot_wanders_between_threads(const Subject& subject) {
  BackendSession session = subject.open();
  auto slot = std::make_unique<LinearSlot>(subject, session, 3);
  const std::vector<float> expected = slot->run(1);
  for (int i = 0; i < 3; ++i) {
    on_threads(1, [&](int) { slot->submit(1); });
    on_threads(1, [&](int) {
      require(slot->wait() == expected, "submitted and waited for on other threads, the answer differs");
    });
    Signal signal;
    on_threads(1, [&](int) { slot->submit(1, &signal); });
    on_threads(1, [&](int) { require(slot->wait() == expected, "with a callback, the answer differs"); });
  }
  on_threads(1, [&](int) { slot.reset(); });
}

void a_session_serves_many_threads(const Subject& subject) {
  BackendSession session = subject.open();
  const std::vector<float> expected = LinearSlot(subject, session, 3).run(9);
  on_threads(4, [&](int i) {
    for (int round = 0; round < 3; ++round) {
      LinearSlot slot(subject, session, 3);
      Signal signal;
      for (int batch = 0; batch < 10; ++batch) {
        require(slot.run(9, (i + batch) % 2 == 0 ? nullptr : &signal) == expected, "an answer differs between threads");
      }
    }
  });
}

void sessions_are_opened_on_many_threads(const Subject& subject) {
  (void)subject.request(Model::kLinear);  // the file is written before
  on_threads(4, [&](int i) {
    BackendSession session = subject.open();
    LinearSlot(subject, session, 2).run(static_cast<unsigned>(i));
    require(subject.backend().probe().available, "probe fails beside other threads");
  });
}

void a_slot_may_be_closed_with_its_batch_under_way(const Subject& subject) {
  backend::OpenRequest request = subject.request(Model::kLinear);
  if (subject.is_null()) request.options["compute_ms"] = "1";
  BackendSession session = subject.backend().open(request);
  for (int i = 0; i < 20; ++i) {
    Signal signal;
    LinearSlot slot(subject, session, 3);
    slot.submit(1, &signal);
    signal.await(1);  // done, and not waited for
  }
  for (int i = 0; i < 20; ++i) {
    Signal signal;
    {
      LinearSlot slot(subject, session, 512);  // long enough to be running still
      slot.submit(1, &signal);
    }
    require(signal.count() == 1, "a slot that was closed owes its callback");
  }
  for (int i = 0; i < 5; ++i) {
    LinearSlot slot(subject, session, 3);
    slot.submit(1);  // never waited for
  }
  LinearSlot(subject, session, 3).run(1);
}

constexpr Check kChecks[] = {
    {"slots_are_outstanding_together", slots_are_outstanding_together},
    {"slots_are_submitted_again_as_they_finish", slots_are_submitted_again_as_they_finish},
    {"a_slot_wanders_between_threads", a_slot_wanders_between_threads},
    {"a_session_serves_many_threads", a_session_serves_many_threads},
    {"sessions_are_opened_on_many_threads", sessions_are_opened_on_many_threads},
    {"a_slot_may_be_closed_with_its_batch_under_way", a_slot_may_be_closed_with_its_batch_under_way},
};

}  // namespace

std::span<const Check> parallel_checks() { return kChecks; }

}  // namespace assay::conformance
