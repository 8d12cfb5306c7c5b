// One slot: submit and wait, memory in place, types, shapes, mistakes of the caller.
#include <cmath>

#include "conformance/checks.hpp"

namespace assay::conformance {
namespace {

using backend::BackendSession;
using backend::OpenRequest;
using backend::Slot;

void a_batch_runs_on_the_callers_thread(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot slot(subject, session, 3);
  const std::vector<float> first = slot.run(1);
  require(slot.run(2) != first, "other inputs give the same outputs");
  require(slot.run(1) == first, "the same inputs give other outputs");
}

void a_batch_runs_with_a_callback(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot slot(subject, session, 3);
  const std::vector<float> expected = slot.run(1);
  for (int i = 0; i < 20; ++i) {
    Signal signal;  // gone after `wait`: the callback must be over by then
    require(slot.run(1, &signal) == expected, "with a callback the outputs differ");
    require(signal.count() == 1,
            "the callback was called " + std::to_string(signal.count()) + " times when wait returned");
  }
  Signal signal;
  slot.submit(1, &signal);
  signal.await(1);  // it comes without anybody waiting
  require(slot.wait() == expected, "outputs differ after awaiting the callback");
  require(slot.run(1) == expected, "without a callback again, the outputs differ");
}

void timing_is_known_or_marked_unknown(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot slot(subject, session, 3);
  slot.submit(1);
  assay_tensor y = slot.output().tensor();
  // What a plugin of an older, shorter struct does not know stays as the host put it: unknown.
  assay_timing timing{0, 0, 77, 77, 77, -1};
  slot.slot().wait({&y, 1}, &timing);
  for (const std::int64_t ns : {timing.copy_in_ns, timing.compute_ns, timing.copy_out_ns, timing.ahead_ns}) {
    require(ns >= -1 && ns != 77 && ns < INT64_C(60'000'000'000), "a time of " + std::to_string(ns) + " ns");
  }
}

void memory_that_is_not_aligned_gives_the_same(const Subject& subject) {
  BackendSession session = subject.open();
  const std::vector<float> expected = LinearSlot(subject, session, 3).run(1);
  for (const std::size_t offset : {4U, 8U, 32U}) {
    require(LinearSlot(subject, session, 3, offset).run(1) == expected,
            "outputs differ " + std::to_string(offset) + " bytes off");
  }
}

void batch_sizes_do_not_change_a_sample(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot one(subject, session, 1), two(subject, session, 2), seven(subject, session, 7);
  for (unsigned seed = 1; seed <= 3; ++seed) {  // taking turns on one session
    const std::vector<float> a = seven.run(seed), b = one.run(seed), c = two.run(seed);
    for (std::size_t i = 0; i < 6; ++i) {
      require(i >= 3 || std::abs(a[i] - b[i]) <= 1e-4F, "a sample alone and in a batch of 7 differ");
      require(std::abs(a[i] - c[i]) <= 1e-4F, "a sample in batches of 2 and of 7 differ");
    }
  }
}

void other_memory_at_every_submit(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot slot(subject, session, 2);
  const std::vector<float> expected = slot.run(5);
  for (int i = 0; i < 5; ++i) {
    Buffer x(DType::kFloat32, {2, 4}, slot.input().values<float>()), y(DType::kFloat32, {2, 3});
    const assay_tensor in = x.tensor();
    assay_tensor out = y.tensor();
    slot.slot().submit({&in, 1}, {&out, 1}, nullptr, nullptr);
    slot.slot().wait({&out, 1}, nullptr);
    require(out.data == y.data() && y.values<float>() == expected, "new memory is not used");
  }
}

void inputs_and_outputs_of_several_types(const Subject& subject) {
  BackendSession session = subject.open(Model::kTypes);
  const std::vector<float> a = {1.5F, -2, 3, 4};
  const std::vector<std::uint8_t> b = {0, 1, 255, 7, 8, 9};
  const std::vector<std::int64_t> c = {-1, INT64_C(1) << 20, 3, 4};
  const std::vector<std::uint16_t> d = {0x3c00, 0xc000, 0x3800, 0x0000};  // 1, -2, 0.5, 0
  Buffer ins[] = {{DType::kFloat32, {2, 2}, a},
                  {DType::kUint8, {2, 3}, b},
                  {DType::kInt64, {2, 2}, c},
                  {DType::kFloat16, {2, 2}, d}};
  Buffer outs[] = {
      {DType::kFloat32, {2, 2}}, {DType::kFloat32, {2, 3}}, {DType::kInt64, {2, 2}}, {DType::kFloat16, {2, 2}}};
  std::vector<assay_tensor> in, out;
  for (Buffer& buffer : ins) in.push_back(buffer.tensor());
  for (Buffer& buffer : outs) out.push_back(buffer.tensor());
  Slot slot = session.open_slot(std::vector<Shape>{{2, 2}, {2, 3}, {2, 2}, {2, 2}});
  slot.submit(in, out, nullptr, nullptr);
  slot.wait(out, nullptr);
  for (std::size_t i = 0; i < 4; ++i) {
    require(out[i].data == outs[i].data() && outs[i].guards_stand(),
            "output " + std::to_string(i) + " is not where it was told to be");
    require(out[i].dtype == static_cast<assay_dtype>(session.info().outputs[i].dtype),
            "an output's type is not describe's");
  }
  if (subject.is_null()) return;
  require(outs[0].values<float>() == std::vector<float>{3, -4, 6, 8}, "float32 is wrong");
  require(outs[1].values<float>() == std::vector<float>{0, 1, 255, 7, 8, 9}, "uint8 is wrong");
  require(outs[2].values<std::int64_t>() == std::vector<std::int64_t>{-2, INT64_C(1) << 21, 6, 8}, "int64 is wrong");
  require(outs[3].values<std::uint16_t>() == std::vector<std::uint16_t>{0x4000, 0xc400, 0x3c00, 0x0000},
          "float16 is wrong");
}

void int64_beyond_32_bits_is_exact(const Subject& subject) {
  if (subject.is_null()) return;
  BackendSession session = subject.open(Model::kTypes);
  Buffer ins[] = {{DType::kFloat32, {1, 2}, std::vector<float>(2)},
                  {DType::kUint8, {1, 3}, std::vector<std::uint8_t>(3)},
                  {DType::kInt64, {1, 2}, std::vector<std::int64_t>{INT64_C(1) << 40, -(INT64_C(1) << 33) - 1}},
                  {DType::kFloat16, {1, 2}, std::vector<std::uint16_t>(2)}};
  Buffer outs[] = {
      {DType::kFloat32, {1, 2}}, {DType::kFloat32, {1, 3}}, {DType::kInt64, {1, 2}}, {DType::kFloat16, {1, 2}}};
  std::vector<assay_tensor> in, out;
  for (Buffer& buffer : ins) in.push_back(buffer.tensor());
  for (Buffer& buffer : outs) out.push_back(buffer.tensor());
  Slot slot = session.open_slot(std::vector<Shape>{{1, 2}, {1, 3}, {1, 2}, {1, 2}});
  slot.submit(in, out, nullptr, nullptr);
  slot.wait(out, nullptr);
  require(outs[2].values<std::int64_t>() == std::vector<std::int64_t>{INT64_C(1) << 41, -(INT64_C(1) << 34) - 2},
          "2^40 + 2^40 is answered as " + std::to_string(outs[2].values<std::int64_t>()[0]));
}

// Runs NonZero on `x`; the output's values, from the plugin's memory.
std::vector<std::int64_t> nonzero(Slot& slot, const std::vector<float>& x, Signal* signal) {
  Buffer in(DType::kFloat32, {5}, x);
  const assay_tensor input = in.tensor();
  assay_tensor output{};
  slot.submit({&input, 1}, {&output, 1}, signal == nullptr ? nullptr : &Signal::done, signal);
  slot.wait({&output, 1}, nullptr);
  require(output.rank == 2 && output.shape[0] == 1, "the output's real shape is not told");
  require(output.dtype == ASSAY_INT64 && (output.data != nullptr || output.shape[1] == 0), "the output has no memory");
  require(output.bytes == static_cast<std::uint64_t>(output.shape[1]) * 8, "bytes and shape do not agree");
  std::vector<std::int64_t> values(static_cast<std::size_t>(output.shape[1]));
  if (!values.empty()) std::memcpy(values.data(), output.data, output.bytes);
  return values;
}

void outputs_whose_shape_is_known_only_after_the_run(const Subject& subject) {
  BackendSession session = subject.open(Model::kNonZero);
  const backend::SessionInfo& info = session.info();
  require(!info.outputs[0].rank_known || info.outputs[0].shape == Shape{1, -1},
          "the output is said to be " + to_string(info.outputs[0].shape));
  Slot slot = session.open_slot(std::vector<Shape>{{5}});
  const auto three = nonzero(slot, {0, 1, 0, 2, 3}, nullptr);
  const auto one = nonzero(slot, {0, 0, 4, 0, 0}, nullptr);
  Signal signal;
  const auto again = nonzero(slot, {0, 1, 0, 2, 3}, &signal);
  require(again == three, "the same input gives another output");
  if (subject.is_null()) return;
  require(three == std::vector<std::int64_t>{1, 3, 4} && one == std::vector<std::int64_t>{2}, "the values are wrong");
}

void a_known_output_may_be_left_to_the_plugin(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot slot(subject, session, 2);
  const std::vector<float> expected = slot.run(1);
  const assay_tensor in = slot.input().tensor();
  assay_tensor out{};
  slot.slot().submit({&in, 1}, {&out, 1}, nullptr, nullptr);
  slot.slot().wait({&out, 1}, nullptr);
  require(out.data != nullptr && out.bytes == 6 * sizeof(float) && out.rank == 2,
          "memory, bytes or shape are not filled in");
  require(std::memcmp(out.data, expected.data(), out.bytes) == 0, "the values differ");
  require(slot.run(1) == expected, "given memory again, the values differ");
}

float mean_of(BackendSession& session, const Shape& shape, float value) {
  Slot slot = session.open_slot(std::vector<Shape>{shape});
  const std::vector<float> values(static_cast<std::size_t>(element_count(shape)), value);
  Buffer x(DType::kFloat32, shape, values), y(DType::kFloat32, {shape[0], 1, 1, 1});
  const assay_tensor in = x.tensor();
  assay_tensor out = y.tensor();
  slot.submit({&in, 1}, {&out, 1}, nullptr, nullptr);
  slot.wait({&out, 1}, nullptr);
  require(y.guards_stand(), "memory beside the output was written to");
  return y.values<float>()[0];
}

void free_axes_are_fixed_at_open_or_at_the_slot(const Subject& subject) {
  BackendSession free = subject.open(Model::kMean);
  require(free.info().inputs[0].shape == Shape{-1, 1, -1, -1},
          "the input is said to be " + to_string(free.info().inputs[0].shape));
  const float a = mean_of(free, {2, 1, 3, 5}, 2.5F), b = mean_of(free, {1, 1, 6, 2}, 4);
  require(subject.is_null() || (std::abs(a - 2.5F) < 1e-4F && std::abs(b - 4) < 1e-4F), "the means are wrong");
  OpenRequest request = subject.request(Model::kMean);
  request.shapes["x"] = {-1, 1, 3, 5};
  BackendSession fixed = subject.backend().open(request);
  const Shape& shape = fixed.info().inputs[0].shape;
  require(shape == Shape{-1, 1, 3, 5}, "with fixed axes the input is said to be " + to_string(shape));
  require(std::abs(mean_of(fixed, {2, 1, 3, 5}, 2.5F) - a) < 1e-5F, "fixed axes change the answer");
}

void mistakes_of_the_caller_are_errors_and_do_no_harm(const Subject& subject) {
  BackendSession session = subject.open();
  require_error({ErrorCode::kInvalidArgument, ErrorCode::kFramework}, "a slot of a wrong shape",
                [&] { (void)session.open_slot(std::vector<Shape>{{2, 9}}); });
  require_error({ErrorCode::kInvalidArgument, ErrorCode::kFramework}, "a slot of a wrong rank",
                [&] { (void)session.open_slot(std::vector<Shape>{{4}}); });
  LinearSlot slot(subject, session, 2);
  const std::vector<float> expected = slot.run(1);
  const auto refused = [&](const std::string& what, const std::vector<assay_tensor>& in,
                           std::vector<assay_tensor> out) {
    require_error({ErrorCode::kInvalidArgument, ErrorCode::kFramework, ErrorCode::kUnsupported}, what, [&] {
      slot.slot().submit(in, out, nullptr, nullptr);
      slot.slot().wait(out, nullptr);
    });
    require(slot.run(1) == expected, "after " + what + ", the slot answers wrongly");
  };
  const assay_tensor x = slot.input().tensor(), y = slot.output().tensor();
  assay_tensor bad = x;
  bad.dtype = ASSAY_INT32;
  refused("an input of a wrong type", {bad}, {y});
  bad = x;
  const std::int64_t other[] = {4, 2};
  bad.shape = other;
  refused("an input of a wrong shape", {bad}, {y});
  bad = x;
  bad.bytes = 16;
  refused("an input that is too short", {bad}, {y});
  bad = x;
  bad.data = nullptr;
  refused("an input without memory", {bad}, {y});
  bad = y;
  bad.bytes = 4;
  refused("an output that is too short", {x}, {bad});
  refused("no inputs", {}, {y});
  refused("one input too many", {x, x}, {y});
  refused("no outputs", {x}, {});
}

void a_slot_has_one_batch_at_a_time(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot slot(subject, session, 2);
  const std::vector<float> expected = slot.run(1);
  const auto wait_for_nothing = [&] {
    require_error({ErrorCode::kInvalidArgument}, "wait without a batch", [&] {
      assay_tensor y = slot.output().tensor();
      slot.slot().wait({&y, 1}, nullptr);
    });
  };
  wait_for_nothing();
  Signal signal;
  for (Signal* with : {static_cast<Signal*>(nullptr), &signal}) {
    slot.submit(1, with);
    const assay_tensor x = slot.input().tensor(), y = slot.output().tensor();
    require_error({ErrorCode::kInvalidArgument}, "a second batch in a slot",
                  [&] { slot.slot().submit({&x, 1}, {&y, 1}, nullptr, nullptr); });
    require(slot.wait() == expected, "a second batch, refused, changed the answer of the first");
    wait_for_nothing();
  }
  require(signal.count() == 1, "a batch that was refused called back");
}

constexpr Check kChecks[] = {
    {"a_batch_runs_on_the_callers_thread", a_batch_runs_on_the_callers_thread},
    {"a_batch_runs_with_a_callback", a_batch_runs_with_a_callback},
    {"timing_is_known_or_marked_unknown", timing_is_known_or_marked_unknown},
    {"memory_that_is_not_aligned_gives_the_same", memory_that_is_not_aligned_gives_the_same},
    {"batch_sizes_do_not_change_a_sample", batch_sizes_do_not_change_a_sample},
    {"other_memory_at_every_submit", other_memory_at_every_submit},
    {"inputs_and_outputs_of_several_types", inputs_and_outputs_of_several_types},
    {"int64_beyond_32_bits_is_exact", int64_beyond_32_bits_is_exact},
    {"outputs_whose_shape_is_known_only_after_the_run", outputs_whose_shape_is_known_only_after_the_run},
    {"a_known_output_may_be_left_to_the_plugin", a_known_output_may_be_left_to_the_plugin},
    {"free_axes_are_fixed_at_open_or_at_the_slot", free_axes_are_fixed_at_open_or_at_the_slot},
    {"a_slot_has_one_batch_at_a_time", a_slot_has_one_batch_at_a_time},
    {"mistakes_of_the_caller_are_errors_and_do_no_harm", mistakes_of_the_caller_are_errors_and_do_no_harm},
};

}  // namespace

std::span<const Check> batch_checks() { return kChecks; }

}  // namespace assay::conformance
