// In the steady state nothing is allocated: not by the engine, nor by the kit below it.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "engine/testing/sessions.hpp"

namespace {
std::atomic<long> allocations{0};

void* counted(std::size_t bytes) {
  ++allocations;
  if (void* p = std::malloc(bytes > 0 ? bytes : 1)) return p;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

namespace assay {
namespace {

using test::open_null;
using test::random_tensor;

struct Setting {
  std::int64_t samples, batch;
  int in_flight;
  const char* policy;
};

class AllocationTest : public ::testing::TestWithParam<Setting> {};

TEST_P(AllocationTest, PredictIntoTheCallersMemory) {
  const Setting s = GetParam();
  Params params{.batch_size = s.batch, .in_flight = s.in_flight};
  params.options["short_batch"] = s.policy;
  Session session = open_null("x:float32:-1x5->y:float32:-1x3", params);
  const Tensor x = random_tensor(DType::kFloat32, {s.samples, 10}, 1);
  Tensor y(DType::kFloat32, {s.samples, 3});
  const TensorView plain{x.data(), DType::kFloat32, {s.samples, 5}, {}};
  const TensorView strided{x.data(), DType::kFloat32, {s.samples, 5}, {10, 1}};
  const MutableTensorView out = y.mutable_view();
  for (const TensorView* in : {&plain, &strided}) {
    for (int warm = 0; warm < 10; ++warm) session.predict({in, 1}, {&out, 1});
    const long before = allocations;
    for (int call = 0; call < 20; ++call) session.predict({in, 1}, {&out, 1});
    EXPECT_EQ(allocations - before, 0);
  }
}

TEST_P(AllocationTest, Streams) {
  const Setting s = GetParam();
  Params params{.batch_size = s.batch, .in_flight = s.in_flight};
  params.options["short_batch"] = s.policy;
  Session session = open_null("x:float32:-1x5->y:float32:-1x3", params);
  const FillFunction fill = [](std::int64_t, std::int64_t count, std::span<const MutableTensorView> in) {
    std::memset(in[0].data, 0, static_cast<std::size_t>(count) * 20);
  };
  long drained = 0;
  const DrainFunction drain = [&](std::int64_t, std::int64_t count, std::span<const TensorView>) { drained += count; };
  for (int warm = 0; warm < 10; ++warm) session.predict_stream(s.samples, fill, drain);
  const long before = allocations;
  for (int call = 0; call < 20; ++call) session.predict_stream(s.samples, fill, drain);
  EXPECT_EQ(allocations - before, 0);
  EXPECT_EQ(drained, 30 * s.samples);
}

INSTANTIATE_TEST_SUITE_P(All, AllocationTest,
                         ::testing::Values(Setting{1, 1, 1, "reshape"}, Setting{8, 4, 1, "reshape"},
                                           Setting{41, 4, 1, "pad"}, Setting{41, 4, 3, "reshape"},
                                           Setting{41, 4, 3, "pad"}));

TEST(Allocation, TheCounterCounts) {
  const long before = allocations;
  const auto p = std::make_unique<std::string>(100, 'x');
  EXPECT_EQ(allocations - before, 2);
}

}  // namespace
}  // namespace assay
