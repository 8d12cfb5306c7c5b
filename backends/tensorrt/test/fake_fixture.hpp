#pragma once
// Sessions over libraries of ours that compute nothing.

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "backend.hpp"
#include "nvidia/fake/fake_library.hpp"
#include "session.hpp"

namespace assay::tensorrt::test {

inline const std::string kEngineFake = ASSAY_BUILD_DIR "/tests/fake_tensorrt/engine";
inline const std::string kCudaFake = ASSAY_BUILD_DIR "/tests/fake_nvidia";

inline const nvidia::fake::FakeLibrary& cuda() {
  static const nvidia::fake::FakeLibrary library(kCudaFake + "/libcudart.so.13");
  return library;
}
inline const nvidia::fake::FakeLibrary& trt() {
  static const nvidia::fake::FakeLibrary library(kEngineFake + "/libnvinfer.so." + std::to_string(kHeaders.major));
  return library;
}

template <class Body>
std::pair<assay_status, std::string> thrown_by(Body body) {
  try {
    body();
  } catch (const kit::Failure& e) {
    return {e.code(), e.what()};
  }
  return {ASSAY_OK, "nothing was thrown"};
}

inline assay_tensor tensor(std::vector<float>& data, const std::vector<std::int64_t>& shape) {
  return {data.data(),
          data.size() * sizeof(float),
          ASSAY_FLOAT32,
          ASSAY_HOST,
          static_cast<std::int32_t>(shape.size()),
          0,
          shape.data(),
          nullptr};
}
inline assay_tensor no_memory() { return {nullptr, 0, ASSAY_FLOAT32, ASSAY_HOST, 0, 0, nullptr, nullptr}; }

inline std::string in_force(kit::Session& session, const std::string& key) {
  for (const auto& [k, v] : session.describe().in_force) {
    if (k == key) return v;
  }
  return "(none)";
}

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

class FakeSession : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_tensorrt_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    ::unsetenv("TENSORRT_ROOT");  // would be looked at before the fakes
    cuda().set("");
    trt().set("");
    request_.host.roots = {{kEngineFake, "test"}, {kCudaFake, "test"}};
    request_.device = "gpu:0";
    request_.threads = 2;
    request_.model_path = folder_ + "/model.onnx";
  }
  void TearDown() override {
    EXPECT_EQ(cuda().held(), 0) << "CUDA's objects leak";
    EXPECT_EQ(trt().held(), 0) << "TensorRT's objects leak";
    std::filesystem::remove_all(folder_);
  }
  /// As from the cache.
  std::unique_ptr<kit::Session> open(const std::string& engine) {
    fill_folder(folder_, std::as_bytes(std::span(engine)), {"f32", 1 << 20, 3, false}, {});
    request_.cache_read = folder_;
    return backend_.open(request_);
  }
  /// From a model's text (fake/fake_engine.hpp).
  std::unique_ptr<kit::Session> build(const std::string& model) {
    std::ofstream(request_.model_path) << model;
    return backend_.open(request_);
  }
  /// What is logged from now on goes to logged().
  void keep_log() {
    assay_host host{};
    host.struct_size = sizeof host;
    host.log = [](void*, assay_log_level, const char* text) { logged() += std::string(text) + "\n"; };
    const auto roots = request_.host.roots;
    request_.host = kit::Host(&host);
    request_.host.roots = roots;
    logged().clear();
  }
  /// One batch of x_ into y_.
  void run_batch(kit::Slot& slot) {
    const assay_tensor x = tensor(x_, x_shape_);
    assay_tensor y = tensor(y_, y_shape_);
    kit::Timing timing;
    slot.submit({&x, 1}, {&y, 1}, nullptr, nullptr);
    slot.wait({&y, 1}, timing);
  }
  static std::string& logged() {
    static std::string text;
    return text;
  }

  TensorRtBackend backend_;
  kit::OpenRequest request_;
  std::string folder_;
  const std::vector<kit::FixedShape> two_ = {{"x", {2, 4}}};
  const std::vector<std::int64_t> x_shape_ = {2, 4}, y_shape_ = {2, 3};
  std::vector<float> x_ = {1, 2, 3, 4, 5, 6, 7, 8}, y_ = std::vector<float>(6);
};

}  // namespace assay::tensorrt::test
