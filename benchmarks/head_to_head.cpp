// head_to_head MODEL BACKEND [--batch N,…] [--rounds N] [--seconds S] [--threads N] [--goal throughput|latency]
// Throughput through predict against a plain loop over the same plugin's functions with the same settings and as many
// batches outstanding; then the load from the cache against the load without. MODEL has one input and one output.
// Prints the ratio of medians with a 95 % interval; exit 1 where a bound is missed.

#include <unistd.h>

#include <cstdint>
#include <sstream>

#include "arms.hpp"
#include "base/cpu.hpp"
#include "base/file.hpp"

namespace assay::bench {
namespace {

struct Arguments {
  std::string model, backend;
  std::vector<std::int64_t> batches = {1, 8, 32};
  int rounds = 12, threads = allowed_cores();
  double seconds = 2;
  Goal goal = Goal::kThroughput;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (word == "--batch") {
      a.batches.clear();
      std::istringstream list(value());
      for (std::string n; std::getline(list, n, ',');) a.batches.push_back(std::stoll(n));
    } else if (word == "--rounds") {
      a.rounds = std::stoi(value());
    } else if (word == "--threads") {
      a.threads = std::stoi(value());
    } else if (word == "--seconds") {
      a.seconds = std::stod(value());
    } else if (word == "--goal") {
      a.goal = value() == "latency" ? Goal::kLatency : Goal::kThroughput;
    } else {
      (a.model.empty() ? a.model : a.backend) = word;
    }
  }
  return a;
}

Tensor ramp(DType dtype, const Shape& shape) {
  Tensor t(dtype, shape);
  std::memset(t.data(), 0, t.bytes());
  if (dtype == DType::kFloat32) {
    for (std::int64_t i = 0; i < t.size(); ++i) t.as<float>()[i] = static_cast<float>(i % 251) / 125.0F - 1;
  }
  return t;
}

Shape with_batch(const TensorInfo& info, std::int64_t n) {
  Shape shape = info.shape;
  shape.at(static_cast<std::size_t>(info.batch_axis)) = n;
  return shape;
}

/// Both arms on one machine at once would disturb each other's caches only; their sessions idle in turn.
bool throughput(const Arguments& a, std::int64_t batch) {
  Session session = load(a.model, {.backend = a.backend, .goal = a.goal, .batch_size = batch, .threads = a.threads});
  const int outstanding = session.in_flight();
  const TensorInfo in = session.inputs().at(0), out = session.outputs().at(0);
  const Tensor one = ramp(in.dtype, with_batch(in, batch));

  RawPlugin plugin(a.backend);
  const char* root = std::getenv("ASSAY_FRAMEWORKS");
  assay_session* raw = plugin.open({.model = a.model,
                                    .library_root = root != nullptr ? root : ASSAY_DEPS_DIR,
                                    .goal = a.goal == Goal::kLatency ? ASSAY_GOAL_LATENCY : ASSAY_GOAL_THROUGHPUT,
                                    .threads = a.threads,
                                    .in_flight = a.goal == Goal::kLatency ? 1 : 0,
                                    .batch_size = batch});
  std::vector<Tensor> outputs;
  for (int l = 0; l < outstanding; ++l) outputs.emplace_back(out.dtype, with_batch(out, batch));
  std::vector<PlainLoop::Lane> lanes;
  for (Tensor& y : outputs) {
    lanes.push_back({plugin.open_slot(raw, in.name, one.shape()),
                     tensor(const_cast<void*>(one.data()), in.dtype, one.shape()),
                     tensor(y.data(), out.dtype, y.shape())});
  }
  PlainLoop loop(plugin, std::move(lanes));

  const double guess = loop.run(2 * outstanding);
  const int batches = std::max(2 * outstanding, static_cast<int>(a.seconds * 1e9 / guess));
  const Tensor x = ramp(in.dtype, with_batch(in, batch * batches));
  Tensor y(out.dtype, with_batch(out, batch * batches));
  const TensorView x_view = x.view();
  const MutableTensorView y_view = y.mutable_view();
  const auto through_predict = [&] {
    const double begin = now_ns();
    session.predict({&x_view, 1}, {&y_view, 1});
    return 1e9 * static_cast<double>(batch * batches) / (now_ns() - begin);
  };
  const auto plain = [&] { return 1e9 * static_cast<double>(batch) / loop.run(batches); };
  through_predict();
  plain();
  const Pairs pairs = interleave(a.rounds, through_predict, plain);
  std::printf("%s, batch %lld, %d outstanding, %d threads: predict %.2f/s, plain loop %.2f/s\n", a.backend.c_str(),
              static_cast<long long>(batch), outstanding, a.threads, median_of(pairs.a).value,
              median_of(pairs.b).value);
  return show("  throughput of predict over the plain loop's", median_ratio(pairs), "x", 0.99, false);
}

bool loading(const Arguments& a) {
  const TemporaryFolder folder;
  Params params{.backend = a.backend, .goal = a.goal, .batch_size = 1, .threads = a.threads};
  const auto load_ms = [&](bool cached) {
    params.cache = cached ? folder.path() : std::filesystem::path();
    const Session session = load(a.model, params);
    if (cached && !session.from_cache()) std::printf("  not from the cache: %s\n", session.cache_remark().c_str());
    return static_cast<double>(session.load_time().count()) * 1e-6;
  };
  load_ms(true);  // fills it
  const Pairs pairs = interleave(a.rounds, [&] { return load_ms(true); }, [&] { return load_ms(false); });
  std::printf("%s, load: cached %.0f ms, cold %.0f ms\n", a.backend.c_str(), median_of(pairs.a).value,
              median_of(pairs.b).value);
  return show("  cached load over the cold one", median_ratio(pairs), "x", a.backend == "openvino" ? 0.25 : 0.5, true);
}

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) try {
  using namespace assay::bench;  // NOLINT
  const Arguments a = parse(argc, argv);
  if (a.backend.empty()) {
    std::fprintf(stderr,
                 "usage: head_to_head MODEL BACKEND [--batch N,...] [--rounds N] [--seconds S] [--threads N]\n");
    return 2;
  }
  bool kept = loading(a);
  for (const std::int64_t batch : a.batches) kept = throughput(a, batch) && kept;
  return kept ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
