#pragma once
// Sessions of the plugin over small models.

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "session.hpp"
#include "test/models.hpp"

namespace assay::mlir_backend::test {

/// A request for a model that is written for the test, and a folder for all else that it writes.
class SessionTest : public testing::Test {
 protected:
  SessionTest() { std::filesystem::create_directory(folder_); }
  ~SessionTest() override { std::filesystem::remove_all(folder_); }

  void write(const compiler::test::TestModel& m) {
    request_.model_path = folder_ / "model.onnx";
    std::ofstream(request_.model_path, std::ios::binary) << m.proto.SerializeAsString();
    request_.device = "cpu";
  }

  const std::filesystem::path folder_ = testing::TempDir() + "assay_session_" + std::to_string(::getpid());
  kit::OpenRequest request_;
};

inline std::string in_force(const kit::Description& d, const std::string& name) {
  for (const auto& [key, value] : d.in_force) {
    if (key == name) return value;
  }
  return "";
}

/// 32 channels of 8 x 8, of any batch, through 32 filters of 3 x 3.
inline compiler::test::TestModel convolution() {
  constexpr std::size_t kWeights = 32 * 32 * 9;
  std::vector<float> weights(kWeights);
  for (std::size_t i = 0; i < kWeights; ++i) weights[i] = static_cast<float>((i * 7) % 11) / 11 - 0.5F;
  compiler::test::TestModel m;
  m.input("x", {-1, 32, 8, 8}).floats("w", {32, 32, 3, 3}, weights).node("Conv", {"x", "w"}, {"y"}).output("y");
  return m;
}

/// What `convolution` answers to one image.
inline std::vector<float> answer_of(MlirSession& session) {
  const std::vector<std::int64_t> in_shape = {1, 32, 8, 8}, out_shape = {1, 32, 6, 6};
  std::vector<float> x(32 * 8 * 8), y(32 * 6 * 6);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 5) % 13) / 13;
  const std::array shapes = {kit::FixedShape{"x", in_shape}};
  const std::unique_ptr<kit::Slot> slot = session.open_slot(shapes);
  const assay_tensor in{x.data(), x.size() * sizeof(float), ASSAY_FLOAT32, ASSAY_HOST, 4, 0, in_shape.data(), nullptr};
  std::array out = {
      assay_tensor{y.data(), y.size() * sizeof(float), ASSAY_FLOAT32, ASSAY_HOST, 4, 0, out_shape.data(), nullptr}};
  kit::Timing timing;
  slot->submit({&in, 1}, out, nullptr, nullptr);
  slot->wait(out, timing);
  return y;
}

}  // namespace assay::mlir_backend::test
