#pragma once
// For tests over a real TensorFlow: where it is, a folder to work in, and a batch run from A to Z.

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend.hpp"
#include "onnx_graph/test_model.hpp"

namespace assay::tensorflow::test {

using Floats = std::vector<float>;
using Shape = std::vector<std::int64_t>;

struct Answer {
  Shape shape;
  Floats values;
};

/// Mixed into a class of tests, with parameters or without.
template <class Base = testing::Test>
class OverTensorFlow : public Base {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "assay_tensorflow_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    request_.device = "cpu";
    request_.threads = 1;
    request_.model_path = folder_ + "/model.onnx";
    if (const char* path = std::getenv("ASSAY_TENSORFLOW_PATH")) request_.host.roots.emplace_back(path, "environment");
    request_.host.roots.emplace_back(ASSAY_SOURCE_DIR "/.deps/python", "build tree");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const onnx_graph::TestModel& model) {
    std::ofstream(request_.model_path, std::ios::binary) << model.bytes();
  }
  std::unique_ptr<kit::Session> open() { return backend_.open(request_); }
  std::unique_ptr<kit::Session> open(const onnx_graph::TestModel& model) {
    write(model);
    return open();
  }
  /// What opening comes to.
  std::pair<assay_status, std::string> failure() {
    try {
      (void)open();
    } catch (const kit::Failure& e) {
      return {e.code(), e.what()};
    }
    return {ASSAY_OK, "nothing was thrown"};
  }
  static assay_tensor tensor(Floats& values, const Shape& shape) {
    return {values.data(),
            values.size() * sizeof(float),
            ASSAY_FLOAT32,
            ASSAY_HOST,
            static_cast<std::int32_t>(shape.size()),
            0,
            shape.data(),
            nullptr};
  }
  /// All outputs, in the plugin's memory, of the one input: floats, or 64-bit integers as floats.
  static std::vector<Answer> answers(kit::Session& session, Floats x, const Shape& shape) {
    const std::vector<kit::FixedShape> shapes = {{"", shape}};
    const auto slot = session.open_slot(shapes);
    const assay_tensor in = tensor(x, shape);
    std::vector<assay_tensor> out(session.describe().outputs.size());
    kit::Timing timing;
    slot->submit({&in, 1}, out, nullptr, nullptr);
    slot->wait(out, timing);
    std::vector<Answer> result;
    for (const assay_tensor& t : out) {
      const Shape dims(t.shape, t.shape + t.rank);
      const std::int64_t n = kit::element_count(dims);
      const auto* floats = static_cast<const float*>(t.data);
      const auto* integers = static_cast<const std::int64_t*>(t.data);
      result.push_back({dims, t.dtype == ASSAY_INT64 ? Floats(integers, integers + n) : Floats(floats, floats + n)});
    }
    slot->quiesce();
    return result;
  }
  /// The one output, in memory of the shape that it is expected to have.
  static Floats answer(kit::Session& session, Floats x, const Shape& x_shape, const Shape& y_shape) {
    const std::vector<kit::FixedShape> shapes = {{"x", x_shape}};
    const auto slot = session.open_slot(shapes);
    Floats y(static_cast<std::size_t>(kit::element_count(y_shape)));
    const assay_tensor in = tensor(x, x_shape);
    assay_tensor out = tensor(y, y_shape);
    kit::Timing timing;
    slot->submit({&in, 1}, {&out, 1}, nullptr, nullptr);
    slot->wait({&out, 1}, timing);
    slot->quiesce();
    return y;
  }

  TensorFlowBackend backend_;
  kit::OpenRequest request_;
  std::string folder_;
};

}  // namespace assay::tensorflow::test
