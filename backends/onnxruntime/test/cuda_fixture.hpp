#pragma once
// A session on a GPU without a GPU: the plugin's side against an ONNX Runtime and a libcudart of ours.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fake_ort.hpp"
#include "ort_session.hpp"
#include "temporary_folder.hpp"

namespace assay::ort {

using fake_ort::world;

class CudaTest : public ::testing::Test {
 protected:
  CudaTest() {
    world() = {};
    told("");
    const std::filesystem::path fake = nvidia::fake::kFolder + "/libcudart.so.13";
    link("nvidia/cu13/lib/libcudart.so.13", fake);
    link("nvidia/cudnn/lib/libcudnn.so.9", fake);
    link("onnxruntime/capi/libonnxruntime_providers_cuda.so", fake);  // a library that needs none of NVIDIA's
  }
  ~CudaTest() override {
    close();
    EXPECT_EQ(world().alive, 0) << "objects of ONNX Runtime's are left";
    EXPECT_EQ(nvidia::fake::cudart().held(), 0) << "objects of CUDA's are left";
  }

  static void told(const std::string& settings) { nvidia::fake::cudart().set(settings); }
  /// Calls of CUDA's since it was told, without those that only name the device.
  static std::string log() { return without_device(nvidia::fake::cudart().log()); }
  static std::string without_device(std::string calls) {
    const std::string line = "cudaSetDevice 0\n";
    for (std::size_t at = 0; (at = calls.find(line)) != std::string::npos;) calls.erase(at, line.size());
    return calls;
  }

  void link(const std::string& name, const std::filesystem::path& to) {
    const std::filesystem::path path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::filesystem::create_symlink(to, path);
  }

  Library& library() {
    const ApiBase base = {fake_ort::table, version_};
    const std::string path = (folder_.path() / "onnxruntime/capi/libonnxruntime.so.1.31.1").string();
    library_ = std::make_unique<Library>(base, kit::FoundLibrary{path, "the test"});
    return *library_;
  }

  nvidia::fake::Thrown try_open(const std::string& device = "gpu:0", std::map<std::string, std::string> options = {},
                                assay_goal goal = ASSAY_GOAL_THROUGHPUT) {
    kit::OpenRequest request;
    request.device = device;
    request.options = std::move(options);
    request.goal = goal;
    request.model_path = "fake.onnx";
    close();
    Library& met = library();
    return nvidia::fake::thrown_by([&] { session_ = std::make_unique<OrtBackendSession>(met, request); });
  }
  void open(std::map<std::string, std::string> options = {}) {
    const auto thrown = try_open("gpu:0", std::move(options));
    ASSERT_NE(session_, nullptr) << thrown.message;
  }
  void close() {
    slot_.reset();
    session_.reset();
  }
  void open_slot() {
    const std::vector<kit::FixedShape> shapes = {{"x", shape_}};
    slot_ = session_->open_slot(shapes);
  }
  std::map<std::string, std::string> in_force() {
    const auto settings = session_->describe().in_force;
    return {settings.begin(), settings.end()};
  }

  /// One batch over `x_` into `y_`, or into the plugin's memory.
  nvidia::fake::Thrown run(bool own_output = true) {
    const assay_tensor in = {x_.data(), x_.size() * sizeof(float), ASSAY_FLOAT32, ASSAY_HOST, 2, 0, shape_.data(),
                             nullptr};
    output_ = in;
    output_.data = own_output ? y_.data() : nullptr;
    return nvidia::fake::thrown_by([&] {
      slot_->submit({&in, 1}, {&output_, 1}, nullptr, nullptr);
      slot_->wait({&output_, 1}, timing_);
    });
  }

  TemporaryFolder folder_;
  const char* (*version_)() = [] { return "1.31.1"; };  ///< of the library
  std::unique_ptr<Library> library_;
  std::unique_ptr<OrtBackendSession> session_;
  std::unique_ptr<kit::Slot> slot_;
  std::vector<float> x_ = {1, 2, 3, 4, 5, 6, 7, 8}, y_ = std::vector<float>(8, -1);
  const std::vector<float> doubled_ = {2, 4, 6, 8, 10, 12, 14, 16};
  const std::vector<std::int64_t> shape_ = {2, 4};
  assay_tensor output_{};
  kit::Timing timing_;
};

}  // namespace assay::ort
