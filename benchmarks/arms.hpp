#pragma once
// What the programs here share: arms interleaved ABBA within one run, intervals, and a plugin driven without Assay.

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "assay/assay.hpp"
#include "assay/backend_abi.h"
#include "measure/statistics.hpp"

namespace assay::bench {

inline double now_ns() {
  return static_cast<double>(std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

/// Seconds of CPU time that this process has used.
inline double cpu_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct Pairs {
  std::vector<double> a, b;
};

/// Calls both arms `rounds` times each, A B B A A B B A …; an arm answers its figure.
inline Pairs interleave(int rounds, const std::function<double()>& a, const std::function<double()>& b) {
  Pairs pairs;
  for (int r = 0; r < rounds; ++r) {
    if (r % 2 == 0) {
      pairs.a.push_back(a());
      pairs.b.push_back(b());
    } else {
      pairs.b.push_back(b());
      pairs.a.push_back(a());
    }
  }
  return pairs;
}

struct Figure {
  double value = 0, low = 0, high = 0;
};

/// The median and its distribution-free 95 % interval.
inline Figure median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto interval = measure::quantile_interval(values, 0.5);
  return {measure::median(values), interval ? interval->low : values.front(),
          interval ? interval->high : values.back()};
}

inline Figure median_difference(const Pairs& pairs) {
  std::vector<double> d;
  for (std::size_t i = 0; i < pairs.a.size(); ++i) d.push_back(pairs.a[i] - pairs.b[i]);
  return median_of(std::move(d));
}

/// Median of the pairs' ratios a / b.
inline Figure median_ratio(const Pairs& pairs) {
  std::vector<double> r;
  for (std::size_t i = 0; i < pairs.a.size(); ++i) r.push_back(pairs.a[i] / pairs.b[i]);
  return median_of(std::move(r));
}

/// Prints a figure against its bound; answers whether the figure keeps it.
inline bool show(const char* what, const Figure& f, const char* unit, double bound, bool at_most) {
  const bool kept = at_most ? f.value <= bound : f.value >= bound;
  std::printf("%-58s %9.3f [%.3f, %.3f] %s, %s %.3g: %s\n", what, f.value, f.low, f.high, unit,
              at_most ? "at most" : "at least", bound, kept ? "kept" : "MISSED");
  std::fflush(stdout);
  return kept;
}

/// "1,8,32".
inline std::vector<std::int64_t> numbers_of(const std::string& list) {
  std::vector<std::int64_t> numbers;
  std::istringstream in(list);
  for (std::string n; std::getline(in, n, ',');) numbers.push_back(std::stoll(n));
  return numbers;
}

/// Floats that differ from one to the next.
inline Tensor ramp(const Shape& shape) {
  Tensor t(DType::kFloat32, shape);
  for (std::int64_t i = 0; i < t.size(); ++i) t.as<float>()[i] = static_cast<float>(i % 251) / 125.0F - 1;
  return t;
}

inline Shape with_batch(const TensorInfo& info, std::int64_t n) {
  Shape shape = info.shape;
  shape.at(static_cast<std::size_t>(info.batch_axis)) = n;
  return shape;
}

/// Answers so many batches, which lie one after another in x, into y.
using Answer = std::function<void(const Tensor& x, Tensor& y, int batches)>;

/// How two ways of answering are compared.
struct ArmsSetup {
  TensorInfo in, out;  ///< of the model: floats, with a batch axis
  std::int64_t batch;
  int least;       ///< batches in a round: enough that every place is taken to the end, or a multiple of that
  int rounds;      ///< of each
  double seconds;  ///< a round, about
};

/// So many batches, so many times.
struct Round {
  int batches, times;
};

/// About `wanted` times `least` batches, of which `least` take `bytes`. However fast they are answered, a round's
/// memory is bounded: its batches are answered again, and the pause between two times, which is the same for both arms,
/// is small beside so many.
inline Round round_of(int least, double wanted, double bytes) {
  constexpr double kMostBytes = 2.0 * 1024 * 1024 * 1024;
  const double parts = std::max(1.0, std::round(wanted)), fit = std::max(1.0, std::floor(kMostBytes / bytes));
  const double times = std::ceil(parts / fit);
  return {least * static_cast<int>(std::ceil(parts / times)), static_cast<int>(times)};
}

/// Median ratio of throughputs, a's over b's. Both answer the same batches in the same memory; while one runs, the
/// other is idle.
inline double throughput_ratio(const Answer& a, const Answer& b, const ArmsSetup& c) {
  Tensor x = ramp(with_batch(c.in, c.batch * c.least));
  Tensor y(c.out.dtype, with_batch(c.out, c.batch * c.least));
  b(x, y, c.least);
  const double begin = now_ns();
  b(x, y, c.least);
  const Round lasts =
      round_of(c.least, c.seconds * 1e9 / (now_ns() - begin), static_cast<double>(x.bytes() + y.bytes()));
  x = ramp(with_batch(c.in, c.batch * lasts.batches));
  y = Tensor(c.out.dtype, with_batch(c.out, c.batch * lasts.batches));
  const auto rate = [&](const Answer& answer) {
    const double start = now_ns();
    for (int t = 0; t < lasts.times; ++t) answer(x, y, lasts.batches);
    return 1 / (now_ns() - start);
  };
  rate(a);
  return median_ratio(interleave(c.rounds, [&] { return rate(a); }, [&] { return rate(b); })).value;
}

/// All of x, in the session's batches.
inline void predict_into(Session& session, const Tensor& x, Tensor& y) {
  const TensorView in = x.view();
  const MutableTensorView out = y.mutable_view();
  session.predict({&in, 1}, {&out, 1});
}

/// Runs a program through the shell; the number that its output begins with. Throws where there is none, or where the
/// program fails.
inline double number_from(const std::string& command) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  double number = 0;
  const bool read = pipe != nullptr && std::fscanf(pipe, "%lf", &number) == 1;
  if (pipe == nullptr || ::pclose(pipe) != 0 || !read) throw std::runtime_error("no number from: " + command);
  return number;
}

/// The same where nothing is to be done without it: ends this program then.
inline double number_printed_by(const std::string& command) {
  try {
    return number_from(command);
  } catch (const std::runtime_error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    std::exit(1);
  }
}

/// A plugin's table, called as its functions are, with nothing of Assay's between. Ends the program on an error.
class RawPlugin {
 public:
  explicit RawPlugin(const std::string& name) {
    void* handle = ::dlopen((std::string(ASSAY_PLUGIN_DIR) + "/libassay_backend_" + name + ".so").c_str(), RTLD_NOW);
    if (handle == nullptr) fail(::dlerror());
    void* symbol = ::dlsym(handle, ASSAY_BACKEND_QUERY_SYMBOL);
    table_ = reinterpret_cast<assay_backend_query_fn>(symbol)(ASSAY_ABI_VERSION);
    error_.struct_size = sizeof error_;
  }

  struct Settings {
    std::string model;
    int threads = 1, in_flight = 0;
    std::int64_t batch_size = 1;
    std::map<std::string, std::string> options{};
  };
  assay_session* open(const Settings& s) {
    assay_host host{};
    host.struct_size = sizeof host;
    host.abi_version = ASSAY_ABI_VERSION;
    std::vector<assay_setting> options;
    for (const auto& [key, value] : s.options) options.push_back({key.c_str(), value.c_str()});
    assay_open_request request{};
    request.struct_size = sizeof request;
    request.threads = s.threads;
    request.in_flight = s.in_flight;
    request.batch_size = s.batch_size;
    request.model_path = s.model.c_str();
    request.device = "cpu";
    request.options = options.data();
    request.option_count = options.size();
    assay_session* session = nullptr;
    check(table_->open(&host, &request, &session, &error_));
    info_.struct_size = sizeof info_;
    check(table_->describe(session, &info_, &error_));
    return session;
  }
  [[nodiscard]] const assay_session_info& info() const { return info_; }

  assay_slot* open_slot(assay_session* session, const std::string& input, const Shape& shape) {
    const assay_fixed_shape fixed{input.c_str(), static_cast<std::int32_t>(shape.size()), 0, shape.data()};
    assay_slot* slot = nullptr;
    check(table_->slot_open(session, &fixed, 1, &slot, &error_));
    return slot;
  }
  void submit(assay_slot* slot, const assay_tensor& in, const assay_tensor& out, assay_done_fn done, void* user) {
    check(table_->submit(slot, &in, 1, &out, 1, done, user, &error_));
  }
  void wait(assay_slot* slot, assay_tensor& out) { check(table_->wait(slot, &out, 1, nullptr, &error_)); }
  void close(assay_session* session, assay_slot* slot) { table_->close(session, slot); }

 private:
  void check(assay_status status) {
    if (status != ASSAY_OK) fail(error_.message);
  }
  [[noreturn]] static void fail(const char* why) {
    std::fprintf(stderr, "%s\n", why);
    std::exit(1);
  }
  const assay_backend_table* table_ = nullptr;
  assay_session_info info_{};
  assay_error error_{};
};

inline assay_tensor tensor(void* data, DType dtype, const Shape& shape) {
  return {data,
          static_cast<std::uint64_t>(element_count(shape)) * size_of(dtype),
          static_cast<assay_dtype>(dtype),
          ASSAY_HOST,
          static_cast<std::int32_t>(shape.size()),
          0,
          shape.data(),
          nullptr};
}

/// The plain loop that a user would write: so many slots, each handed its next batch as soon as it is done.
class PlainLoop {
 public:
  struct Lane {
    assay_slot* slot;
    assay_tensor in, out;
  };
  PlainLoop(RawPlugin& plugin, std::vector<Lane> lanes) : plugin_(plugin), lanes_(std::move(lanes)) {}

  /// Runs `batches` batches; nanoseconds a batch.
  double run(int batches) {
    const double begin = now_ns();
    if (lanes_.size() == 1) {
      for (int b = 0; b < batches; ++b) {
        plugin_.submit(lanes_[0].slot, lanes_[0].in, lanes_[0].out, nullptr, nullptr);
        assay_tensor out = lanes_[0].out;
        plugin_.wait(lanes_[0].slot, out);
      }
    } else {
      run_side_by_side(batches);
    }
    return (now_ns() - begin) / batches;
  }

 private:
  struct Ticket {
    PlainLoop* loop;
    std::size_t lane;
  };
  static void done(void* user) {
    const Ticket& ticket = *static_cast<Ticket*>(user);
    const std::lock_guard lock(ticket.loop->mutex_);
    ticket.loop->finished_.push_back(ticket.lane);
    ticket.loop->signal_.notify_one();
  }
  void run_side_by_side(int batches) {
    std::vector<Ticket> tickets;
    for (std::size_t l = 0; l < lanes_.size(); ++l) tickets.push_back({this, l});
    int begun = 0;
    const auto begin = [&](std::size_t l) {
      plugin_.submit(lanes_[l].slot, lanes_[l].in, lanes_[l].out, done, &tickets[l]);
      ++begun;
    };
    for (std::size_t l = 0; l < lanes_.size() && begun < batches; ++l) begin(l);
    for (int ended = 0; ended < batches; ++ended) {
      std::unique_lock lock(mutex_);
      signal_.wait(lock, [this] { return !finished_.empty(); });
      const std::size_t l = finished_.back();
      finished_.pop_back();
      lock.unlock();
      assay_tensor out = lanes_[l].out;
      plugin_.wait(lanes_[l].slot, out);
      if (begun < batches) begin(l);
    }
  }
  RawPlugin& plugin_;
  std::vector<Lane> lanes_;
  std::mutex mutex_;
  std::condition_variable signal_;
  std::vector<std::size_t> finished_;
};

}  // namespace assay::bench
