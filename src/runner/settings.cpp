// The table of settings: what each word on the command line and in a plan file does to the axes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>

#include "assay/ensemble.hpp"
#include "assay/error.hpp"
#include "base/add_once.hpp"
#include "runner/plan.hpp"

namespace assay::runner {
namespace {

using Values = std::vector<std::string>;

constexpr std::int64_t kMaxBatch = 1 << 20;
constexpr int kMaxThreads = 4096;
constexpr int kMaxInFlight = 4096;
constexpr int kMaxGpu = 1024;

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

template <class T>
T number(const std::string& text, T low, T high, const char* what) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
    refuse(fmt::format("'{}' is no {}; give a whole number from {} to {}", text, what, low, high));
  }
  return value;
}

Values split(const Values& values) {
  Values parts;
  for (const std::string& value : values) {
    std::size_t from = 0;
    while (true) {
      const std::size_t comma = value.find(',', from);
      const std::string part = value.substr(from, comma == std::string::npos ? comma : comma - from);
      if (part.empty()) refuse(fmt::format("an empty entry in '{}'", value));
      parts.push_back(part);
      if (comma == std::string::npos) break;
      from = comma + 1;
    }
  }
  return parts;
}

/// "first..last" as first, 2 first, 4 first … up to last; or one number.
template <class T>
void add_range(std::vector<T>& list, const std::string& text, T high, const char* what) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return add_once(list, number<T>(text, 1, high, what));
  const T first = number<T>(text.substr(0, dots), 1, high, what);
  const T last = number<T>(text.substr(dots + 2), 1, high, what);
  if (last < first) refuse(fmt::format("the range '{}' ends before it begins", text));
  for (std::int64_t v = first; v <= last; v *= 2) add_once(list, static_cast<T>(v));
}

std::pair<std::string, std::string> name_and_value(const std::string& text, const char* form) {
  // The last '=': names of inputs may hold one, values never do.
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    refuse(fmt::format("'{}' is not of the form {}", text, form));
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

/// Of two values for one name the last would win without a word.
class GivenOnce {
 public:
  void add(const std::string& name, const std::string& value) {
    const auto [it, fresh] = values_.emplace(name, value);
    if (fresh || it->second == value) return;
    refuse(fmt::format("'{}' is given twice, as '{}' and as '{}'; give one of them", name, it->second, value));
  }

 private:
  std::map<std::string, std::string> values_;
};

void set_models(Axes& axes, const Values& values) {
  axes.models.clear();
  for (const std::string& v : values) {
    if (v.empty()) refuse("an empty name of a model");
    (void)members_of(v);  // refuses an empty member
    add_once(axes.models, v);
  }
}

void set_backends(Axes& axes, const Values& values) {
  axes.backends.clear();
  for (const std::string& v : split(values)) add_once(axes.backends, v);
}

void set_devices(Axes& axes, const Values& values) {
  axes.devices.clear();
  for (const std::string& v : split(values)) {
    if (v == kCpu) {
      add_once(axes.devices, v);
    } else if (v == "gpu") {
      add_once<std::string>(axes.devices, "gpu:0");
    } else if (v.rfind("gpu:", 0) == 0) {
      add_once(axes.devices, fmt::format("gpu:{}", number<int>(v.substr(4), 0, kMaxGpu, "number of a GPU")));
    } else {
      refuse(fmt::format("'{}' is no device; there are cpu and gpu:N", v));
    }
  }
}

void set_gpuid(Axes& axes, const Values& values) {
  axes.devices.clear();
  for (const std::string& v : split(values)) {
    const int gpu = number<int>(v, -1, kMaxGpu, "gpuid");
    add_once(axes.devices, gpu < 0 ? std::string(kCpu) : fmt::format("gpu:{}", gpu));
  }
}

void set_batch_sizes(Axes& axes, const Values& values) {
  axes.batch_sizes.clear();
  for (const std::string& v : values) {
    for (const std::int64_t batch : parse_batch_sizes(v)) add_once(axes.batch_sizes, batch);
  }
}

void set_shapes(Axes& axes, const Values& values) {
  GivenOnce given;
  for (const std::string& v : values) {
    const auto [name, shape] = name_and_value(v, "NAME=1x3x640x640");
    given.add(name, shape);
    axes.shapes[name] = shape_from_string(shape);
    (void)element_count(axes.shapes[name]);
  }
}

void set_batch_axis(Axes& axes, const Values& values) {
  GivenOnce given;
  for (const std::string& v : values) {
    const auto [name, axis] = name_and_value(v, "NAME=K or NAME=none");
    given.add(name, axis);
    axes.batch_axis[name] = axis == "none" ? -1 : number<int>(axis, 0, 63, "axis");
  }
}

void set_goals(Axes& axes, const Values& values) {
  axes.goals.clear();
  axes.goals_given = true;
  for (const std::string& v : split(values)) add_once(axes.goals, goal_from_string(v));
}

void set_in_flight(Axes& axes, const Values& values) {
  axes.in_flight.clear();
  for (const std::string& v : split(values)) {
    if (v == "auto") {
      add_once(axes.in_flight, 0);
    } else {
      add_range<int>(axes.in_flight, v, kMaxInFlight, "number of batches in flight");
    }
  }
}

void set_threads(Axes& axes, const Values& values) {
  axes.threads.clear();
  for (const std::string& v : split(values)) add_range<int>(axes.threads, v, kMaxThreads, "number of threads");
}

void set_precisions(Axes& axes, const Values& values) {
  axes.precisions.clear();
  for (const std::string& v : split(values)) add_once(axes.precisions, precision_from_string(v));
}

void set_strategies(Axes& axes, const Values& values) {
  axes.strategies.clear();
  for (const std::string& v : split(values)) {
    const std::vector<std::string> all = strategy_names();
    for (const std::string& strategy : v == "all" ? all : Values{v}) {
      if (strategy != kPlaced && std::find(all.begin(), all.end(), strategy) == all.end()) {
        refuse(
            fmt::format("there is no strategy '{}' for an ensemble; there are {}, and {}, which `assay bench` searches "
                        "for",
                        strategy, fmt::join(all, ", "), kPlaced));
      }
      add_once(axes.strategies, strategy);
    }
  }
}

void set_combine(Axes& axes, const Values& values) {
  if (values.size() != 1) refuse("give one of mean, vote, members");
  axes.combine = to_string(combine_from_string(values[0]));
}

void set_weights(Axes& axes, const Values& values) {
  axes.weights.clear();
  for (const std::string& v : split(values)) {
    double weight = 0;
    const auto [end, error] = std::from_chars(v.data(), v.data() + v.size(), weight);
    const bool number = error == std::errc{} && end == v.data() + v.size();
    const std::string trouble = trouble_with_weight(number ? weight : 0);
    if (!trouble.empty()) refuse(fmt::format("'{}' is no weight; {}", v, trouble));
    axes.weights.push_back(weight);
  }
}

void set_options(Axes& axes, const Values& values) {
  GivenOnce given;
  for (const std::string& v : values) {
    const std::size_t equals = v.find('=');
    if (equals == std::string::npos || equals == 0) refuse(fmt::format("'{}' is not of the form key=value", v));
    const std::string key = v.substr(0, equals);
    given.add(key, v.substr(equals + 1));
    const std::size_t dot = key.find('.');
    const std::string backend = dot == std::string::npos ? "" : key.substr(0, dot);
    axes.options[backend][dot == std::string::npos ? key : key.substr(dot + 1)] = v.substr(equals + 1);
  }
}

void set_data(Axes& axes, const Values& values) {
  if (values.size() != 1 || values[0].empty()) refuse("give 'random' or one path");
  axes.data.source = values[0];
}

void set_ranges(Axes& axes, const Values& values) {
  constexpr std::int64_t kLow = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kHigh = std::numeric_limits<std::int64_t>::max();
  GivenOnce given;
  for (const std::string& v : values) {
    const auto [name, range] = name_and_value(v, "NAME=LO:HI");
    given.add(name, range);
    const std::size_t colon = range.find(':');
    if (colon == std::string::npos) refuse(fmt::format("'{}' is not of the form NAME=LO:HI", v));
    const auto low = number<std::int64_t>(range.substr(0, colon), kLow, kHigh, "lower bound");
    const auto high = number<std::int64_t>(range.substr(colon + 1), kLow, kHigh, "upper bound");
    if (high < low) refuse(fmt::format("the range '{}' ends before it begins", v));
    axes.data.ranges[name] = {low, high};
  }
}

void set_seed(Axes& axes, const Values& values) {
  if (values.size() != 1) refuse("give one number");
  axes.data.seed = number<std::uint64_t>(values[0], 0, std::numeric_limits<std::uint64_t>::max(), "seed");
  axes.seeded = true;
}

constexpr std::array kSettings = {
    Setting{"model", "MODEL,…", "paths of model files, or names of zoo networks (`assay models list`)", true,
            set_models},
    Setting{"backend", "B,…|all", "engines to run on (`assay backends`)", false, set_backends},
    Setting{"device", "cpu|gpu:N,…", "where they run", false, set_devices},
    Setting{"gpuid", "N,…", "the same in numbers: -1 is the CPU", false, set_gpuid},
    Setting{"batch-size", "N,…|1..1024|model", "samples that go through the engine at once; a range doubles", false,
            set_batch_sizes},
    Setting{"shape", "NAME=1x3x640x640", "a value for each free axis that is not the batch; repeatable", true,
            set_shapes},
    Setting{"batch-axis", "NAME=K|none", "which axis of an input is the batch; repeatable", true, set_batch_axis},
    Setting{"for", "throughput|latency,…", "what the engine is set up for; default both, two cases", false, set_goals},
    Setting{"in-flight", "N,…|auto", "batches outstanding; auto: the engine's optimum for throughput, 1 for latency",
            false, set_in_flight},
    Setting{"threads", "N,…", "CPU threads; default: the cores that affinity and quota allow", false, set_threads},
    Setting{"precision", "f32|bf16|f16|int8,…", "arithmetic of the engine's inner loops", false, set_precisions},
    Setting{
        "strategy", "NAME,…|all",
        "who runs when in an ensemble (A+B+C): pipelined (default), sequential, concurrent; merged: one graph of all; "
        "all: these; placed: search for the most throughput (docs/ensembles.md)",
        false, set_strategies},
    Setting{"combine", "mean|vote|members", "how an ensemble's members answer together", false, set_combine},
    Setting{"weights", "W,…", "of an ensemble's members; default: all alike", false, set_weights},
    Setting{"option", "[BACKEND.]KEY=VALUE", "an engine's own setting (`assay backends -v`); repeatable", true,
            set_options},
    Setting{"data", "random|PATH", "what the inputs are made of", false, set_data},
    Setting{"range", "NAME=LO:HI", "random integers of an input; repeatable", true, set_ranges},
    Setting{"seed", "N", "of the random data and of the order of the cases", false, set_seed},
};

}  // namespace

std::span<const Setting> settings() { return kSettings; }

void apply_setting(Axes& axes, const Setting& setting, const std::vector<std::string>& values) {
  try {
    setting.apply(axes, values);
  } catch (const Error& e) {
    throw Error(e.code(), fmt::format("{}: {}", setting.name, e.message()), e.context());
  }
}

std::vector<std::int64_t> parse_batch_sizes(const std::string& text) {
  std::vector<std::int64_t> sizes;
  for (const std::string& part : split({text})) {
    if (part == "model") {
      add_once<std::int64_t>(sizes, 0);
    } else {
      add_range<std::int64_t>(sizes, part, kMaxBatch, "batch size");
    }
  }
  return sizes;
}

}  // namespace assay::runner
