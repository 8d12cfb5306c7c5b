// The cost of Assay itself, over the null backend. Prints each figure with a 95 % interval against its bound; exit 1
// where one is missed. Arms are interleaved in this run. A quiet machine is needed.

#include <unistd.h>

#include <fstream>
#include <thread>

#include "arms.hpp"
#include "base/file.hpp"
#include "engine/session_impl.hpp"

namespace assay::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// A session of the null backend and the plain plugin with the same settings, on a model of one input and one output.
class NullArms {
 public:
  NullArms(std::int64_t width, std::int64_t batch, int in_flight, double compute_ms) : batch_(batch) {
    const std::string io = "x:float32:-1x" + std::to_string(width) + "->y:float32:-1x4";
    std::ofstream(folder_.path() / "model.onnx") << "null";
    model::Model model;
    model.path = folder_.path() / "model.onnx";
    model.inputs = {{"x", DType::kFloat32, {-1, width}, {"n", ""}, 0}};
    model.outputs = {{"y", DType::kFloat32, {-1, 4}, {"n", ""}, 0}};
    Params params{.backend = "null", .batch_size = batch, .in_flight = in_flight};
    params.options = {{"io", io}, {"compute_ms", std::to_string(compute_ms)}};
    session_ = std::make_unique<Session>(engine::open_model(model, params, {}));
    raw_session_ = plugin_.open(
        {.model = model.path.string(), .in_flight = in_flight, .batch_size = batch, .options = params.options});
    x_ = Tensor(DType::kFloat32, {batch, width});
    y_ = Tensor(DType::kFloat32, {batch, 4});
    std::memset(x_.data(), 0, x_.bytes());
    std::vector<PlainLoop::Lane> lanes;
    for (int l = 0; l < session_->in_flight(); ++l) {
      outs_.push_back(std::make_unique<Tensor>(DType::kFloat32, y_.shape()));
      lanes.push_back({plugin_.open_slot(raw_session_, "x", x_.shape()), tensor(x_.data(), DType::kFloat32, x_.shape()),
                       tensor(outs_.back()->data(), DType::kFloat32, y_.shape())});
    }
    loop_ = std::make_unique<PlainLoop>(plugin_, std::move(lanes));
  }
  Session& session() { return *session_; }
  double plain(int batches) { return loop_->run(batches); }

  double in_place(int calls) {
    const TensorView in = x_.view();
    const MutableTensorView out = y_.mutable_view();
    const double begin = now_ns();
    for (int c = 0; c < calls; ++c) session_->predict({&in, 1}, {&out, 1});
    return (now_ns() - begin) / calls;
  }
  double filled(int batches) {
    const FillFunction fill = [&](std::int64_t, std::int64_t, std::span<const MutableTensorView> in) {
      std::memcpy(in[0].data, x_.data(), x_.bytes());
    };
    const double begin = now_ns();
    session_->predict_stream(batches * batch_, fill, {});
    return (now_ns() - begin) / batches;
  }

 private:
  TemporaryFolder folder_;
  std::int64_t batch_;
  RawPlugin plugin_{"null"};
  assay_session* raw_session_ = nullptr;
  std::unique_ptr<Session> session_;
  Tensor x_, y_;
  std::vector<std::unique_ptr<Tensor>> outs_;
  std::unique_ptr<PlainLoop> loop_;
};

Figure scaled(Figure f, double by) { return {f.value * by, f.low * by, f.high * by}; }

bool one_batch_in_place() {
  NullArms arms(16, 1, 1, 0);
  arms.in_place(2000);
  arms.plain(2000);
  const Pairs pairs = interleave(200, [&] { return arms.in_place(500); }, [&] { return arms.plain(500); });
  return show("one batch, memory in place, beyond the plugin's functions", scaled(median_difference(pairs), 1e-3), "us",
              5, true);
}

/// A fill of 600 kB (an image) beside a compute of 1 ms.
bool filling_hidden(int in_flight) {
  NullArms arms(150528, 1, in_flight, 1);
  arms.filled(50);
  arms.plain(50);
  const Pairs pairs = interleave(24, [&] { return arms.filled(100); }, [&] { return arms.plain(100); });
  const std::string what = "a batch with filling, beyond a plain loop, " + std::to_string(in_flight) + " in flight";
  return show(what.c_str(), scaled(median_difference(pairs), 1e-3), "us", 30, true);
}

bool idle() {
  NullArms arms(1000, 1, 2, 0);
  arms.filled(100);
  arms.in_place(100);
  std::vector<double> shares;
  for (int i = 0; i < 8; ++i) {
    const double before = cpu_seconds();
    std::this_thread::sleep_for(milliseconds(500));
    shares.push_back((cpu_seconds() - before) / 0.5 * 100);
  }
  return show("CPU used by an idle session, its threads asleep", median_of(shares), "%", 0.1, true);
}

/// Fill 2 ms, compute 3 ms, drain 1 ms, 200 batches: the device never waits.
bool overlapped(int in_flight) {
  NullArms arms(16, 1, in_flight, 3);
  std::vector<double> shares;
  for (int round = 0; round < 7; ++round) {
    const double begin = now_ns();
    arms.session().predict_stream(
        200, [](auto, auto, auto) { std::this_thread::sleep_for(milliseconds(2)); },
        [](auto, auto, auto) { std::this_thread::sleep_for(milliseconds(1)); });
    shares.push_back((now_ns() - begin - 3e6) / (200 * 3e6));  // less the first fill and the last drain
  }
  const std::string what = "200 batches of 2 + 3 + 1 ms, over 200 x 3 ms, " + std::to_string(in_flight) + " in flight";
  return show(what.c_str(), median_of(shares), "x", 1.05, true);
}

/// A device with memory of its own: copying in 2 ms, computing 3 ms, copying out 1 ms a batch.
bool copies_hidden() {
  constexpr std::int64_t kBatches = 200;
  constexpr double kComputeNs = 3e6, kCopiesNs = 3e6;
  const TemporaryFolder folder;
  model::Model model;
  model.path = folder.path() / "model.onnx";
  std::ofstream(model.path) << "null";
  model.inputs = {{"x", DType::kFloat32, {-1, 500}, {"n", ""}, 0}};
  model.outputs = {{"y", DType::kFloat32, {-1, 250}, {"n", ""}, 0}};
  const Params params{.backend = "null",
                      .device = "gpu:0",
                      .in_flight = 3,
                      .options = {{"io", "x:float32:-1x500->y:float32:-1x250"},
                                  {"compute_ms", "3"},
                                  {"copy_in_gb_s", "0.001"},
                                  {"copy_out_gb_s", "0.001"}}};
  Session session = engine::open_model(model, params, {});
  const Tensor x = ramp({kBatches, 500});
  Tensor y(DType::kFloat32, {kBatches, 250});
  const TensorView x_view = x.view();
  const MutableTensorView y_view = y.mutable_view();
  std::vector<double> shares;
  for (int round = 0; round < 7; ++round) {
    const double begin = now_ns();
    session.predict({&x_view, 1}, {&y_view, 1});
    shares.push_back((now_ns() - begin - kCopiesNs) / (kBatches * kComputeNs));  // less the first in and the last out
  }
  return show("200 batches, copied in 2 ms, computed 3 ms, copied out 1 ms, over 200 x 3 ms", median_of(shares), "x",
              1.05, true);
}

}  // namespace
}  // namespace assay::bench

int main() {
  using namespace assay::bench;  // NOLINT
  bool kept = one_batch_in_place();
  for (const int in_flight : {1, 2}) kept = filling_hidden(in_flight) && kept;
  kept = idle() && kept;
  for (const int in_flight : {1, 2}) kept = overlapped(in_flight) && kept;
  kept = copies_hidden() && kept;
  return kept ? 0 : 1;
}
