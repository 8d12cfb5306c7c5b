#include "conformance/subject.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>
#include <utility>

#include "support/tiny_models.hpp"

namespace assay::conformance {
namespace {

constexpr std::size_t kGuard = 256;
constexpr std::byte kGuardByte{0xa5};

struct KnownModel {
  const char* file;
  void (*write)(const std::filesystem::path&);
  const char* io;  // the null backend's
};

const KnownModel& known(Model model) {
  static const KnownModel kLinear{"linear.onnx", tiny::write_linear, "x:float32:-1x4->y:float32:-1x3"};
  static const KnownModel kTypes{"types.onnx", tiny::write_types,
                                 "a:float32:-1x2,b:uint8:-1x3,c:int64:-1x2,d:float16:-1x2->"
                                 "a2:float32:-1x2,b1:float32:-1x3,c2:int64:-1x2,d2:float16:-1x2"};
  static const KnownModel kNonZero{"nonzero.onnx", tiny::write_nonzero, "x:float32:5->y:int64:1x-1"};
  static const KnownModel kMean{"mean.onnx", tiny::write_mean, "x:float32:-1x1x-1x-1->y:float32:-1x1x1x1"};
  static const KnownModel kFixed{"fixed.onnx", tiny::write_fixed_linear, "x:float32:4x4->y:float32:4x3"};
  static const KnownModel kSequence{"sequence.onnx", tiny::write_sequence, "x:float32:3x-1x4->y:float32:3x-1x3"};
  static const KnownModel kSum{"sum.onnx", tiny::write_linear_and_sum, "x:float32:-1x4->y:float32:-1x3,s:float32:"};
  static const KnownModel* const kAll[] = {&kLinear, &kTypes, &kNonZero, &kMean, &kFixed, &kSequence, &kSum};
  return *kAll[static_cast<std::size_t>(model)];
}

}  // namespace

void require(bool holds, const std::string& what) {
  if (!holds) throw Nonconformance(what);
}

std::string require_error(const std::vector<ErrorCode>& codes, const std::string& what,
                          const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    require(!e.message().empty(), what + ": the error has no message");
    const bool expected = std::find(codes.begin(), codes.end(), e.code()) != codes.end();
    require(expected, what + ": answered with " + to_string(e.code()) + ": " + e.what());
    return e.message();
  }
  throw Nonconformance(what + ": no error was answered");
}

Subject::Subject(Tested tested) : tested_(std::move(tested)), backend_(backend::load_backend(tested_.backend)) {}

backend::OpenRequest Subject::request(Model model) const {
  const KnownModel& m = known(model);
  backend::OpenRequest request;
  request.model = folder_.path() / m.file;
  if (!std::filesystem::exists(request.model)) m.write(request.model);
  request.device = tested_.device;
  request.options = tested_.options;
  if (is_null()) request.options["io"] = m.io;
  return request;
}

void Signal::done(void* user) {
  auto* self = static_cast<Signal*>(user);
  const std::lock_guard lock(self->mutex_);
  ++self->count_;
  self->changed_.notify_all();
}

void Signal::await(int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return count_ >= count; });
}

int Signal::count() {
  const std::lock_guard lock(mutex_);
  return count_;
}

Buffer::Buffer(DType dtype, Shape shape, std::size_t offset) : dtype_(dtype), shape_(std::move(shape)) {
  bytes_ = static_cast<std::size_t>(element_count(shape_)) * size_of(dtype);
  memory_.assign(bytes_ + 2 * kGuard + 64 + offset, kGuardByte);
  const auto begin = reinterpret_cast<std::uintptr_t>(memory_.data()) + kGuard;
  data_ = memory_.data() + kGuard + ((64 - begin % 64) % 64) + offset;
}

assay_tensor Buffer::tensor() {
  return {
      data_,         bytes_, static_cast<assay_dtype>(dtype_), ASSAY_HOST, static_cast<std::int32_t>(shape_.size()), 0,
      shape_.data(), nullptr};
}

bool Buffer::guards_stand() const {
  const auto is_guard = [](std::byte b) { return b == kGuardByte; };
  return std::all_of(memory_.data(), static_cast<const std::byte*>(data_), is_guard) &&
         std::all_of(static_cast<const std::byte*>(data_) + bytes_, memory_.data() + memory_.size(), is_guard);
}

LinearSlot::LinearSlot(const Subject& subject, backend::BackendSession& session, int samples, std::size_t offset)
    : null_(subject.is_null()),
      samples_(samples),
      x_(DType::kFloat32, {samples, 4}, offset),
      y_(DType::kFloat32, {samples, 3}, offset),
      slot_(session.open_slot(std::vector<Shape>{{samples, 4}})) {}

// Sample n of any batch size is the same for the same seed.
void LinearSlot::fill(unsigned seed) {
  std::vector<float> values;
  std::mt19937 random(seed);
  for (int i = 0; i < samples_ * 4; ++i)
    values.push_back(static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 256.0F);
  std::memcpy(x_.data(), values.data(), values.size() * sizeof(float));
}

void LinearSlot::submit(unsigned seed, Signal* signal) {
  fill(seed);
  const float nothing = std::nanf("");
  std::vector<float> unset(static_cast<std::size_t>(samples_) * 3, nothing);
  std::memcpy(y_.data(), unset.data(), unset.size() * sizeof(float));
  const assay_tensor x = x_.tensor(), y = y_.tensor();
  slot_.submit({&x, 1}, {&y, 1}, signal == nullptr ? nullptr : &Signal::done, signal);
}

std::vector<float> LinearSlot::wait() {
  const std::vector<float> x = x_.values<float>();
  assay_tensor y{};
  y.data = y_.data();
  slot_.wait({&y, 1}, nullptr);
  require(y.data == y_.data(), "the output is not in the memory that was given for it");
  require(y.rank == 2 && y.shape[0] == samples_ && y.shape[1] == 3, "the output's shape is not the one that it has");
  require(x == x_.values<float>(), "the input was written to");
  require(x_.guards_stand() && y_.guards_stand(), "memory beside an input or output was written to");
  std::vector<float> values = y_.values<float>();
  const std::vector<float> expected = tiny::linear(x);
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(std::isfinite(values[i]), "an element of the output was not written");
    const bool right = null_ || std::abs(values[i] - expected[i]) <= tolerance * std::max(1.0F, std::abs(expected[i]));
    require(right, "element " + std::to_string(i) + " is " + std::to_string(values[i]) + " and should be " +
                       std::to_string(expected[i]));
  }
  return values;
}

}  // namespace assay::conformance
