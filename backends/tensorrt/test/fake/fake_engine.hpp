#pragma once
// What the fake libnvinfer is made of. An "engine" is text, and so is a model for the fake parser; a tensor a line:
//   in x -1x4       an input; of a free axis an engine takes 1 to 8, best 4
//   out y -1x3      an output, which gets the first bytes of the first input
//   out n ?x2       one whose first axis is known after the run alone: 3
//   out s 2 host    one that is left in the host's memory
// Lines of a model alone:
//   layer conv f16  a layer that answers f32, f16 or bf16, or that quantizes
//   shape x         the input x decides on shapes
//   bad 3 Foo       the node 3 is not supported; "worse 4": neither is 4, and no error tells of it
//   bad16 3 Foo     the same of a model that was converted to float16 alone; likewise "worse16 4"

#include <NvInferRuntime.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "nvidia/fake/script.hpp"

namespace assay::tensorrt::fake {
using assay::nvidia::fake::Script;
using namespace nvinfer1;

inline constexpr std::int64_t kAfterRun = -2;
inline constexpr std::int64_t kRows = 3;
inline constexpr std::int64_t kScratch = 4096;

inline Script& script() {
  static Script script("ASSAY_FAKE_TENSORRT");
  return script;
}

struct Tensor {
  bool input = false, host = false;
  std::string name;
  Dims dims{};
};

inline Dims parse_dims(const std::string& text) {
  Dims dims{};
  std::istringstream in(text);
  for (std::string axis; std::getline(in, axis, 'x');) {
    dims.d[dims.nbDims++] = axis == "?" ? kAfterRun : std::stoll(axis);
  }
  return dims;
}

inline std::vector<Tensor> parse_engine(const std::string& text) {
  std::vector<Tensor> tensors;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string kind, dims, where;
    Tensor tensor;
    words >> kind;
    if (kind != "in" && kind != "out") continue;
    words >> tensor.name >> dims;
    tensor.input = kind == "in";
    tensor.dims = parse_dims(dims);
    tensor.host = static_cast<bool>(words >> where);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

inline Dims with_axes(Dims dims, std::int64_t free, std::int64_t after_run) {
  for (std::int32_t a = 0; a < dims.nbDims; ++a) {
    if (dims.d[a] == -1) dims.d[a] = free;
    if (dims.d[a] == kAfterRun) dims.d[a] = after_run;
  }
  return dims;
}

inline std::uint64_t bytes_of(const Dims& dims) {
  std::uint64_t count = sizeof(float);
  for (std::int32_t a = 0; a < dims.nbDims; ++a) count *= static_cast<std::uint64_t>(dims.d[a]);
  return count;
}

/// Notes the call; tells the recorder of an error.
inline bool goes_well(const std::string& function, IErrorRecorder* errors, const std::string& detail = {}) {
  if (script().called(function, detail) == 0) return true;
  if (errors != nullptr) errors->reportError(ErrorCode::kFAILED_EXECUTION, "[fake.cpp::f::1] told to fail");
  return false;
}

/// An object of TensorRT's as it is handed out: `Interface`, with what it does in `Body`.
template <class Interface, class Body>
class Object final : public Interface {
 public:
  template <class... Args>
  explicit Object(Args&&... args) : body_(std::forward<Args>(args)...) {
    this->mImpl = &body_;
    script().made(this);
  }
  ~Object() override { script().gone(this); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  [[nodiscard]] Body& body() { return body_; }

 private:
  Body body_;
};

}  // namespace assay::tensorrt::fake
