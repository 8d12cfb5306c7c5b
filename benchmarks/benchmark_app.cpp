// bench_benchmark_app MODEL [--batch N,…] [--rounds N] [--seconds S] [--python PROGRAM]
// Throughput through predict against OpenVINO's own benchmark_app, which comes with its wheel (Python, needs numpy):
// the better of the hints throughput and latency on either side, each run in a process of its own, interleaved. Both
// compute in f32 on all cores; requests and streams are what the hint makes of them, on both sides.

#include <cstdint>
#include <sstream>

#include "arms.hpp"
#include "base/cpu.hpp"
#include "base/file.hpp"

namespace assay::bench {
namespace {

struct Arguments {
  std::string model, python = "/usr/bin/python3", once;
  std::vector<std::int64_t> batches = {1, 8, 32};
  int rounds = 8, threads = allowed_cores();  // benchmark_app refuses a number of threads beside a hint: it takes all
  double seconds = 10;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return std::string(i + 1 < argc ? argv[++i] : ""); };
    if (word == "--batch") {
      a.batches = numbers_of(value());
    } else if (word == "--rounds") {
      a.rounds = std::stoi(value());
    } else if (word == "--seconds") {
      a.seconds = std::stod(value());
    } else if (word == "--python") {
      a.python = value();
    } else if (word == "--once") {
      a.once = value();
    } else {
      a.model = word;
    }
  }
  return a;
}

/// What a process of ours does: loads, warms up, predicts for so long; samples a second.
double predict_once(const Arguments& a) {
  const std::int64_t batch = a.batches.at(0);
  Session session = load(a.model, {.backend = "openvino",
                                   .goal = a.once == "latency" ? Goal::kLatency : Goal::kThroughput,
                                   .batch_size = batch,
                                   .threads = a.threads});
  const TensorInfo in = session.inputs().at(0);
  const auto timed = [&](std::int64_t batches) {
    const Tensor x = ramp(with_batch(in, batch * batches));
    const TensorInfo out = session.outputs().at(0);
    Tensor y(out.dtype, with_batch(out, batch * batches));
    const TensorView x_view = x.view();
    const MutableTensorView y_view = y.mutable_view();
    const double begin = now_ns();
    session.predict({&x_view, 1}, {&y_view, 1});
    return (now_ns() - begin) * 1e-9;
  };
  const std::int64_t round = std::int64_t{2} * session.in_flight();
  timed(round);
  const double guess = timed(round);
  const std::int64_t batches = round * std::max<std::int64_t>(1, std::llround(a.seconds / guess));
  return static_cast<double>(batch * batches) / timed(batches);
}

class Comparison {
 public:
  Comparison(const Arguments& a, std::int64_t batch) : a_(a), batch_(batch) {}
  double ours(const std::string& hint) const {
    return number_printed_by(executable_path().string() + " " + a_.model + common() + " --once " + hint);
  }
  double theirs(const std::string& hint) const {
    std::ostringstream command;
    command << "PYTHONPATH=" << ASSAY_DEPS_DIR << " " << a_.python
            << " -c 'from openvino.tools.benchmark.main import main; main()' -m " << a_.model << " -d CPU -shape '["
            << batch_ << ",3,224,224]' -infer_precision f32 -hint " << hint << " -t " << a_.seconds
            << " -api async 2>&1 | sed -n 's/.*Throughput: *\\([0-9.]*\\) FPS.*/\\1/p'";
    return number_printed_by(command.str());
  }
  bool run() const {
    const std::string our_hint = better([&](const char* h) { return ours(h); });
    const std::string their_hint = better([&](const char* h) { return theirs(h); });
    const Pairs pairs = interleave(a_.rounds, [&] { return ours(our_hint); }, [&] { return theirs(their_hint); });
    std::printf("batch %lld, %d threads: predict (%s) %.2f/s, benchmark_app (%s) %.2f/s\n",
                static_cast<long long>(batch_), a_.threads, our_hint.c_str(), median_of(pairs.a).value,
                their_hint.c_str(), median_of(pairs.b).value);
    const Figure ratio = median_ratio(pairs);
    const bool kept = show("  throughput of predict over benchmark_app's", ratio, "x", 0.99, false);
    if (ratio.high < 1) std::printf("  the interval does not reach 1.00: MISSED\n");
    return kept && ratio.high >= 1;
  }

 private:
  [[nodiscard]] std::string common() const {
    return " --batch " + std::to_string(batch_) + " --seconds " + std::to_string(a_.seconds);
  }
  static std::string better(const std::function<double(const char*)>& rate) {
    return rate("throughput") >= rate("latency") ? "throughput" : "latency";
  }
  const Arguments& a_;
  std::int64_t batch_;
};

}  // namespace
}  // namespace assay::bench

int main(int argc, char** argv) try {
  using namespace assay::bench;  // NOLINT
  const Arguments a = parse(argc, argv);
  if (a.model.empty()) {
    std::fprintf(stderr,
                 "usage: bench_benchmark_app MODEL [--batch N,...] [--rounds N] [--seconds S] [--python PROGRAM]\n");
    return 2;
  }
  if (!a.once.empty()) {
    std::printf("%.4f\n", predict_once(a));
    return 0;
  }
  bool kept = true;
  for (const std::int64_t batch : a.batches) kept = Comparison(a, batch).run() && kept;
  return kept ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
