#pragma once
// For tests over a real OpenVINO: where it is, a folder to work in, and a batch run from A to Z.

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend.hpp"
#include "onnx_bytes.hpp"

namespace assay::openvino::test {

/// As the host would: ASSAY_OPENVINO_PATH, then the build tree's .deps.
inline kit::Host real_host() {
  kit::Host host;
  if (const char* path = std::getenv("ASSAY_OPENVINO_PATH")) host.roots.emplace_back(path, "ASSAY_OPENVINO_PATH");
  host.roots.emplace_back(ASSAY_SOURCE_DIR "/.deps/python", "build tree");
  return host;
}

template <class T>
assay_tensor tensor(std::vector<T>& data, const std::vector<std::int64_t>& shape, assay_dtype dtype) {
  return {
      data.data(), data.size() * sizeof(T), dtype, ASSAY_HOST, static_cast<std::int32_t>(shape.size()), 0, shape.data(),
      nullptr};
}

/// An output whose memory the plugin provides.
inline assay_tensor no_memory(assay_dtype dtype) { return {nullptr, 0, dtype, ASSAY_HOST, 0, 0, nullptr, nullptr}; }

class OpenVino : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_openvino_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    request_.device = "cpu";
    request_.threads = 2;
    request_.goal = ASSAY_GOAL_LATENCY;
    request_.host = real_host();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write_model(const std::string& content) {
    request_.model_path = folder_ + "/model.onnx";
    write(request_.model_path, content);
  }
  std::unique_ptr<kit::Session> open() { return backend_.open(request_); }

  /// The status and message of what `body` throws.
  static std::pair<assay_status, std::string> failure_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const kit::Failure& e) {
      return {e.code(), e.what()};
    }
    return {ASSAY_OK, "nothing was thrown"};
  }
  static std::string in_force(const kit::Description& description, const std::string& key) {
    for (const auto& [k, v] : description.in_force) {
      if (k == key) return v;
    }
    return "(none)";
  }

  OpenVinoBackend backend_;
  kit::OpenRequest request_;
  std::string folder_;
};

/// y = relu(x + c), c = {1, -2, 3}; a free batch.
inline std::string add_relu() {
  return model({{"Add", {"x", "c"}, {"s"}}, {"Relu", {"s"}, {"y"}}}, {{"x", 1, {"batch", 3}}}, {{"y", 1, {"batch", 3}}},
               {{"c", {3}, {1, -2, 3}}});
}

}  // namespace assay::openvino::test
