#include "engine/ensemble/batch_time.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/session_impl.hpp"

namespace assay::engine {

bool has_whole_inputs(const Session& session) {
  const std::vector<TensorLayout>& inputs = session.impl().layout.inputs;
  return std::all_of(inputs.begin(), inputs.end(), [](const TensorLayout& t) {
    const Shape shape = t.with_count(1);
    return std::all_of(shape.begin(), shape.end(), [](std::int64_t axis) { return axis >= 0; });
  });
}

std::chrono::nanoseconds batch_time(Session& session, std::int64_t samples) {
  std::vector<Tensor> inputs;
  std::vector<TensorView> x;
  for (const TensorLayout& t : session.impl().layout.inputs) {
    Tensor& tensor = inputs.emplace_back(t.info.dtype, t.with_count(samples));
    std::memset(tensor.data(), 0, tensor.bytes());
    x.push_back(tensor.view());
  }
  std::chrono::nanoseconds time{};
  for (int i = 0; i < 2; ++i) {
    const std::chrono::nanoseconds begin = now();
    (void)session.predict(x);
    time = now() - begin;
  }
  return time;
}

}  // namespace assay::engine
