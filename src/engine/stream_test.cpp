// The pipeline: order, overlap, errors in the callbacks, records, endless streams.

#include "engine/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "engine/testing/sessions.hpp"

namespace assay {
namespace {

using namespace ::testing;  // NOLINT: matchers by their names
using namespace test;       // NOLINT
using std::chrono::nanoseconds;

Session open_slow(std::int64_t batch, int in_flight, const char* policy = "reshape", bool computes_in_wait = false) {
  Params params{.batch_size = batch, .in_flight = in_flight};
  params.options["compute_ms"] = "0.3";
  params.options["short_batch"] = policy;
  params.options["computes_in_wait"] = computes_in_wait ? "true" : "false";
  return open_null(kIo, params);
}

/// Fills from a tensor, drains into another, and checks what the pipeline promises of its callbacks.
class Endpoints {
 public:
  explicit Endpoints(std::int64_t samples)
      : x(random_tensor(DType::kFloat32, {samples, 5}, 2)), y(DType::kFloat32, {samples, 3}) {}

  FillFunction fill() {
    return [this](std::int64_t first, std::int64_t count, std::span<const MutableTensorView> in) {
      EXPECT_EQ(filling_.fetch_add(1), 0);
      EXPECT_EQ(first, filled);
      ASSERT_EQ(in.size(), 1U);
      ASSERT_EQ(in[0].shape, (Shape{count, 5}));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(in[0].data) % 64, 0U);
      if (first == fail_fill_at) {
        --filling_;
        throw std::runtime_error("no more pictures");
      }
      std::copy_n(x.as<float>() + first * 5, count * 5, static_cast<float*>(in[0].data));
      filled += count;
      --filling_;
    };
  }
  DrainFunction drain() {
    return [this](std::int64_t first, std::int64_t count, std::span<const TensorView> out) {
      EXPECT_EQ(draining_.fetch_add(1), 0);
      EXPECT_EQ(first, drained);
      ASSERT_EQ(out[0].shape, (Shape{count, 3}));
      if (first == fail_drain_at) {
        --draining_;
        throw Error(ErrorCode::kIo, "the disk is full");
      }
      std::copy_n(static_cast<const float*>(out[0].data), count * 3, y.as<float>() + first * 3);
      drained += count;
      --draining_;
    };
  }

  Tensor x, y;
  std::int64_t filled = 0, drained = 0, fail_fill_at = -1, fail_drain_at = -1;

 private:
  std::atomic<int> filling_{0}, draining_{0};
};

struct StreamCase {
  std::int64_t samples, batch;
  int in_flight;
  const char* policy;
  bool computes_in_wait = false;
};

class StreamTest : public TestWithParam<StreamCase> {};

TEST_P(StreamTest, EverySampleOnceAndInOrder) {
  const StreamCase c = GetParam();
  Session session = open_slow(c.batch, c.in_flight, c.policy, c.computes_in_wait);
  Endpoints ends(c.samples);
  const PredictTiming timing = session.predict_stream(c.samples, ends.fill(), ends.drain());
  EXPECT_EQ(ends.filled, c.samples);
  EXPECT_EQ(ends.drained, c.samples);
  EXPECT_EQ(timing.batches, c.samples == 0 ? 0 : (c.samples + c.batch - 1) / c.batch);
  EXPECT_TRUE(same(ends.y, open_null(kIo).predict(ends.x.view())[0]));
}

INSTANTIATE_TEST_SUITE_P(Splits, StreamTest,
                         Values(StreamCase{0, 4, 1, "reshape"}, StreamCase{1, 4, 1, "pad"},
                                StreamCase{3, 4, 2, "reshape"}, StreamCase{4, 4, 2, "pad"},
                                StreamCase{41, 4, 1, "reshape"}, StreamCase{41, 4, 1, "pad"},
                                StreamCase{41, 4, 4, "reshape"}, StreamCase{42, 4, 4, "pad"},
                                StreamCase{100, 1, 3, "reshape"}, StreamCase{41, 4, 4, "reshape", true},
                                StreamCase{42, 4, 2, "pad", true}, StreamCase{100, 1, 3, "reshape", true}));

TEST(Stream, WholeGraphsTakeAllSamplesAtOnce) {
  Session session = open_null(kIo, {.batch_size = 0});
  Endpoints ends(7);
  EXPECT_EQ(session.predict_stream(7, ends.fill(), ends.drain()).batches, 1);
  EXPECT_TRUE(same(ends.y, open_null(kIo).predict(ends.x.view())[0]));
  EXPECT_EQ(error_of([&] { session.predict_stream(-1, ends.fill(), ends.drain()); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(Stream, AFailingFillEndsItAfterWhatWasFilledIsDrained) {
  for (const std::int64_t at : {0, 4, 20}) {
    Session session = open_slow(4, 2);
    Endpoints ends(40);
    ends.fail_fill_at = at;
    EXPECT_THROW(session.predict_stream(40, ends.fill(), ends.drain()), std::runtime_error);
    EXPECT_EQ(ends.drained, at);
    Endpoints again(40);
    session.predict_stream(40, again.fill(), again.drain());
    EXPECT_EQ(again.drained, 40);
  }
}

TEST(Stream, AFailingDrainEndsItAndNothingLaterIsDrained) {
  for (const std::int64_t at : {0, 4, 36}) {
    Session session = open_slow(4, 2);
    Endpoints ends(40);
    ends.fail_drain_at = at;
    const Error e = error_of([&] { session.predict_stream(40, ends.fill(), ends.drain()); });
    EXPECT_EQ(e.code(), ErrorCode::kIo);
    EXPECT_EQ(ends.drained, at);
    Endpoints again(40);
    session.predict_stream(40, again.fill(), again.drain());
    EXPECT_EQ(again.drained, 40);
  }
}

TEST(Stream, ItsCallbacksCannotPredictWithTheSameSession) {
  for (const bool in_fill : {true, false}) {
    for (const int in_flight : {1, 2}) {
      Session session = open_slow(4, in_flight), other = open_slow(4, 1);
      Endpoints ends(12), all(12), again(12);
      const TensorView x = all.x.view();
      const MutableTensorView y = all.y.mutable_view();
      const std::function<void()> calls[] = {
          [&] { session.predict(x); },
          [&] { session.predict({&x, 1}, {&y, 1}); },
          [&] { session.predict_stream(12, again.fill(), again.drain()); },
          [&] { other.predict_stream(4, [&](auto, auto, auto) { session.predict(x); }, {}); },
      };
      const auto misuse = [&] {
        other.predict(x);
        for (const auto& call : calls) EXPECT_EQ(error_of(call).code(), ErrorCode::kInvalidArgument);
      };
      const FillFunction fill = ends.fill();
      const DrainFunction drain = ends.drain();
      session.predict_stream(
          12,
          [&](std::int64_t first, std::int64_t count, std::span<const MutableTensorView> in) {
            if (in_fill) misuse();
            fill(first, count, in);
          },
          [&](std::int64_t first, std::int64_t count, std::span<const TensorView> out) {
            if (!in_fill) misuse();
            drain(first, count, out);
          });
      EXPECT_EQ(ends.drained, 12);
      EXPECT_TRUE(same(session.predict(x)[0], ends.y));
    }
  }
}

TEST(Stream, AFailingBatchKeepsWhatCameBefore) {
  Params params{.batch_size = 4, .in_flight = 2};
  params.options = {{"fail_at", "run:5"}, {"compute_ms", "0.3"}};
  Session session = open_null(kIo, params);
  Endpoints ends(400);
  EXPECT_THROW(session.predict_stream(400, ends.fill(), ends.drain()), Error);
  EXPECT_EQ(ends.drained % 4, 0);
  // Slots run side by side: the fifth run is about the fifth batch, or the second where one slot alone was held up.
  EXPECT_GE(ends.drained, 4);
  EXPECT_LE(ends.drained, 20);
  EXPECT_LT(ends.filled, 60);  // and filling has stopped
}

TEST(Stream, RecordsTellEachBatchsWay) {
  for (const bool overlap : {true, false}) {
    Session session = open_slow(4, 2);
    Endpoints ends(30);
    std::vector<engine::BatchRecord> records;
    engine::StreamSettings settings;
    settings.samples = 30;
    settings.overlap = overlap;
    settings.observer = [&](const engine::BatchRecord& r) { records.push_back(r); };
    const PredictTiming timing = engine::run_stream(session, settings, ends.fill(), ends.drain());
    ASSERT_EQ(records.size(), 8U);
    nanoseconds fill{}, compute{}, queue{};
    for (std::size_t i = 0; i < records.size(); ++i) {
      const engine::BatchRecord& r = records[i];
      EXPECT_EQ(r.index, static_cast<std::int64_t>(i));
      EXPECT_EQ(r.first, static_cast<std::int64_t>(4 * i));
      EXPECT_EQ(r.count, i == 7 ? 2 : 4);
      EXPECT_LE(r.fill_begin, r.fill_end);
      EXPECT_LE(r.fill_end, r.submitted);
      EXPECT_LT(r.submitted, r.done);
      EXPECT_LE(r.done, r.drain_begin);
      EXPECT_LE(r.drain_begin, r.drain_end);
      EXPECT_EQ(r.compute, nanoseconds(300'000));  // as the backend said
      EXPECT_GE(r.queue.count(), 0);
      EXPECT_LE(r.queue + r.compute, r.done - r.fill_end);
      fill += r.fill_end - r.fill_begin;
      compute += r.compute;
      queue += r.queue;
    }
    EXPECT_EQ(timing.fill, fill);
    EXPECT_EQ(timing.compute, compute);
    EXPECT_EQ(timing.queue, queue);
    EXPECT_GE(timing.total, records.back().drain_end - records.front().fill_begin);
  }
}

TEST(Stream, AnEndlessOneGoesOnUntilItIsStopped) {
  Session session = open_slow(4, 2);
  std::int64_t last = 0, seen = 0;
  engine::StreamSettings settings;
  settings.stop = [](std::int64_t begun) { return begun >= 25; };
  settings.observer = [&](const engine::BatchRecord& r) {
    last = r.first + r.count;
    ++seen;
  };
  const PredictTiming timing = engine::run_stream(
      session, settings,
      [](std::int64_t, std::int64_t, std::span<const MutableTensorView> in) { std::memset(in[0].data, 0, 80); }, {});
  EXPECT_EQ(timing.batches, 25);
  EXPECT_EQ(seen, 25);
  EXPECT_EQ(last, 100);
}

TEST(Stream, NoMoreAreOutstandingThanAsked) {
  Session session = open_slow(1, 3);
  Endpoints ends(100);
  std::vector<engine::BatchRecord> records;
  engine::StreamSettings settings;
  settings.samples = 100;
  settings.observer = [&](const engine::BatchRecord& r) { records.push_back(r); };
  engine::run_stream(session, settings, ends.fill(), ends.drain());
  for (const engine::BatchRecord& r : records) {
    const auto outstanding = std::count_if(records.begin(), records.end(), [&](const engine::BatchRecord& other) {
      return other.submitted <= r.submitted && r.submitted < other.done;
    });
    EXPECT_LE(outstanding, 3) << r.index;
  }
}

}  // namespace
}  // namespace assay
