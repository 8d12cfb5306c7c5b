#pragma once
// Sessions over the null backend and the spy, for tests: the model is a line of text, as the null backend's option
// `io`.

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "engine/session_impl.hpp"
#include "support/environment.hpp"

namespace assay::test {

/// A model with one input and one output that grow with the batch.
constexpr const char* kIo = "x:float32:-1x5->y:float32:-1x3";

inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

/// "a:float32:-1x8,b:int64:2" as a model's tensors.
inline std::vector<TensorInfo> tensors_of(const std::string& side) {
  std::vector<TensorInfo> all;
  for (const std::string& one : split(side, ',')) {
    const std::vector<std::string> parts = split(one, ':');
    TensorInfo info;
    info.name = parts[0];
    info.dtype = dtype_from_string(parts[1]);
    info.rank_known = parts.size() < 3 || parts[2] != "?";
    if (parts.size() > 2 && info.rank_known) {
      for (const std::string& axis : split(parts[2], 'x')) info.shape.push_back(std::stoll(axis));
    }
    for (std::size_t a = 0; a < info.shape.size(); ++a) {
      info.axes.push_back(info.shape[a] >= 0 ? "" : a == 0 ? "batch" : "axis" + std::to_string(a));
    }
    info.batch_axis = !info.shape.empty() && info.shape[0] < 0 ? 0 : -1;
    all.push_back(info);
  }
  return all;
}

/// A model that only its tensors are known of, in a file that is no ONNX.
class FakeModel {
 public:
  explicit FakeModel(const std::string& io) {
    model.path = folder_.path() / "model.onnx";
    std::ofstream(model.path) << io;
    model.files = {model.path};
    const std::size_t arrow = io.find("->");
    model.inputs = tensors_of(io.substr(0, arrow));
    model.outputs = tensors_of(io.substr(arrow + 2));
    model.softmax_axis.resize(model.outputs.size());
  }
  model::Model model;

 private:
  TemporaryFolder folder_;
};

inline Session open_null(const std::string& io, Params params = {}) {
  const FakeModel fake(io);
  params.backend = "null";
  params.options["io"] = io;
  return engine::open_model(fake.model, params, {});
}

inline Session open_spy(Params params = {}) {
  const ScopedVariable path("ASSAY_BACKEND_PATH", std::string(ASSAY_BUILD_DIR) + "/tests/plugins");
  const bool transposed = params.options.contains("transposed");
  const FakeModel fake(transposed ? "x:float32:2x-1->y:float32:2x-1" : "x:float32:-1x4->y:int64:-1x6");
  params.backend = "spy";
  if (transposed) params.batch_axis = {{"x", 1}, {"y", 1}};
  return engine::open_model(fake.model, params, {});
}

/// Seeded values.
inline Tensor random_tensor(DType dtype, const Shape& shape, unsigned seed) {
  Tensor t(dtype, shape);
  std::mt19937 generator(seed);
  auto* bytes = t.as<unsigned char>();
  for (std::size_t i = 0; i < t.bytes(); ++i) bytes[i] = static_cast<unsigned char>(generator());
  if (dtype == DType::kFloat32) {
    for (std::int64_t i = 0; i < t.size(); ++i) t.as<float>()[i] = static_cast<float>(generator() % 1000) / 7.0F;
  }
  return t;
}

inline bool same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

/// The Error that `body` throws.
inline Error error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::kInternal, "nothing was thrown"};
}

}  // namespace assay::test
