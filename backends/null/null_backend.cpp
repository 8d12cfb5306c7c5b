// A backend without a framework: the plugin to copy, and the double of Assay's tests. See README.md.

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <fstream>
#include <mutex>
#include <sstream>

#include "assay/backend_kit.hpp"
#include "device.hpp"
#include "faults.hpp"
#include "io_rule.hpp"
#include "options.hpp"

namespace assay::null_backend {
namespace {

using kit::Failure;
constexpr const char* kVersion = "1.0.0";
constexpr const char* kCacheFile = "/null.graph";

/// Beside the CPU, a device with memory of its own.
constexpr const char* kOwnMemory = "gpu:0";

/// `claim`: "KEY=VALUE", or "".
void pretend(const std::string& claim, std::vector<std::pair<std::string, std::string>>& in_force) {
  const std::size_t equals = claim.find('=');
  if (equals == std::string::npos) return;
  const std::string key = claim.substr(0, equals);
  std::erase_if(in_force, [&](const auto& said) { return said.first == key; });
  in_force.emplace_back(key, claim.substr(equals + 1));
}

struct Loaded {  // what slots share
  Settings settings;
  IoRule rule;
  Faults faults{settings};
  Device device{settings};
  HandOvers hand_overs{settings};
  bool own_memory = false;                            ///< of the device: what is computed on is copied there
  std::atomic<std::uint64_t> pinned{0}, pageable{0};  ///< tensors of the host's that were met
};

class NullSlot final : public kit::BlockingSlot {
 public:
  NullSlot(Loaded& loaded, std::vector<kit::FixedShape> shapes) : loaded_(loaded), shapes_(std::move(shapes)) {
    out_shapes_.resize(loaded.rule.outputs.size());
    out_memory_.resize(loaded.rule.outputs.size());
    if (!loaded.own_memory) return;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < shapes_.size(); ++i) {
      bytes += static_cast<std::uint64_t>(kit::element_count(shapes_[i].shape)) *
               kit::element_bytes(loaded.rule.inputs[i].dtype);
    }
    loaded.device.take(bytes);
    device_bytes_ = bytes;
    device_inputs_.resize(shapes_.size());
  }
  ~NullSlot() override { loaded_.device.give_back(device_bytes_); }

  void submit(std::span<const assay_tensor> inputs, std::span<const assay_tensor> outputs, assay_done_fn done,
              void* user) override {
    require_idle();
    const IoRule& rule = loaded_.rule;
    if (inputs.size() != rule.inputs.size() || outputs.size() != rule.outputs.size()) {
      throw Failure(ASSAY_INVALID_ARGUMENT, "submit was given another number of tensors than the model has");
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) kit::check_tensor(rule.inputs[i], shapes_[i].shape, inputs[i]);
    loaded_.faults.strike("submit");
    hash_samples(rule, inputs, loaded_.settings.values_seed, before_);
    const auto of_all = [&](std::span<const assay_tensor> tensors) {
      std::uint64_t bytes = 0;
      for (const assay_tensor& t : tensors) {
        bytes += t.bytes;
        if (loaded_.own_memory) ++(t.memory == ASSAY_PINNED ? loaded_.pinned : loaded_.pageable);
      }
      return loaded_.own_memory ? bytes : 0;
    };
    turn_ = loaded_.device.reserve(Clock::now(), of_all(inputs), of_all(outputs));
    number_ = loaded_.hand_overs.add();
    BlockingSlot::submit(inputs, outputs, done, user);
  }

 protected:
  void run(std::span<const assay_tensor> inputs, std::span<assay_tensor> outputs, kit::Timing& timing) override {
    loaded_.faults.strike("run");
    if (loaded_.own_memory) loaded_.faults.strike("copy");
    std::this_thread::sleep_until(turn_.compute);
    const std::span<const assay_tensor> computed_on = loaded_.own_memory ? copied_in(inputs) : inputs;
    std::this_thread::sleep_until(turn_.copy_out);
    if (loaded_.own_memory) loaded_.hand_overs.hold(number_);
    hash_samples(loaded_.rule, computed_on, loaded_.settings.values_seed, hashes_);
    if (hashes_ != before_) throw Failure(ASSAY_INVALID_ARGUMENT, "an input changed while its batch was under way");
    for (std::size_t i = 0; i < outputs.size(); ++i) answer(i, inputs[0], outputs[i]);
    std::this_thread::sleep_until(turn_.end);
    const auto ns = [](Clock::duration d) { return std::chrono::nanoseconds(d).count(); };
    const Settings& settings = loaded_.settings;
    if (settings.tells_compute) timing.compute_ns = ns(turn_.computed - turn_.compute);
    if (!loaded_.own_memory) return;
    timing.ahead_ns = ns(turn_.computed - turn_.launched);
    if (settings.tells_copy_in) timing.copy_in_ns = ns(turn_.compute - turn_.copy_in);
    if (settings.tells_copy_out) timing.copy_out_ns = ns(turn_.end - turn_.copy_out);
  }

 private:
  /// Views of the inputs in the device's memory.
  std::span<const assay_tensor> copied_in(std::span<const assay_tensor> inputs) {
    device_views_.assign(inputs.begin(), inputs.end());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto* data = static_cast<const std::byte*>(inputs[i].data);
      device_inputs_[i].assign(data, data + inputs[i].bytes);
      device_views_[i].data = device_inputs_[i].data();
    }
    return device_views_;
  }

  void answer(std::size_t i, const assay_tensor& input, assay_tensor& output) {
    const kit::TensorInfo& info = loaded_.rule.outputs[i];
    std::vector<std::int64_t>& shape = out_shapes_[i];
    shape = info.shape;
    if (!info.rank_known) shape.assign(1 + hashes_[0] % 3, 2);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] < 0)
        shape[axis] = axis == 0 && input.rank > 0 ? input.shape[0] : 1 + static_cast<std::int64_t>(hashes_[0] % 5);
    }
    const std::uint64_t bytes = static_cast<std::uint64_t>(kit::element_count(shape)) * kit::element_bytes(info.dtype);
    if (output.data == nullptr) {
      out_memory_[i].resize(bytes + 1);
      output.data = out_memory_[i].data();
    } else if (output.bytes < bytes) {
      throw Failure(ASSAY_INVALID_ARGUMENT,
                    "'" + info.name + "' is " + kit::to_text(shape) + ": its memory is too small");
    }
    output = {output.data, bytes,        info.dtype, ASSAY_HOST, static_cast<std::int32_t>(shape.size()),
              0,           shape.data(), nullptr};
    write_output(info, hashes_, i, output);
  }

  Loaded& loaded_;
  std::vector<kit::FixedShape> shapes_;
  Device::Turn turn_;
  std::uint64_t number_ = 0;  // of the batch among the session's
  std::vector<std::uint64_t> before_, hashes_;
  std::vector<std::vector<std::int64_t>> out_shapes_;
  std::vector<std::vector<std::byte>> out_memory_;
  std::uint64_t device_bytes_ = 0;
  std::vector<std::vector<std::byte>> device_inputs_;
  std::vector<assay_tensor> device_views_;
};

class NullSession final : public kit::Session {
 public:
  explicit NullSession(const kit::OpenRequest& request) : request_(request) {
    loaded_.settings = read_settings(request);
    loaded_.rule = parse_rule(loaded_.settings.io);
    loaded_.own_memory = request.device == kOwnMemory;
    if (!loaded_.own_memory) loaded_.settings.launch_ms = 0;
    apply_shapes();
    loaded_.faults.strike("open");
    request.host.log(ASSAY_LOG_INFO, "pretending to load " + request.model_path);
    load_graph();
    const std::uint64_t model = loaded_.settings.memory_mb << 20U;
    if (loaded_.own_memory) {
      loaded_.device.take(model);
    } else {
      ballast_.assign(model, std::byte{1});  // every page is touched
    }
  }

  kit::Description describe() override {
    loaded_.faults.strike("describe");
    kit::Description d;
    d.inputs = loaded_.rule.inputs;
    d.outputs = loaded_.rule.outputs;
    d.from_cache = from_cache_;
    d.useful_slots = request_.in_flight > 0                ? request_.in_flight
                     : request_.goal == ASSAY_GOAL_LATENCY ? 1
                                                           : loaded_.settings.useful_slots;
    d.short_batch = loaded_.settings.pad ? ASSAY_SHORT_BATCH_PAD : ASSAY_SHORT_BATCH_RESHAPE;
    d.computes_in_wait = loaded_.settings.computes_in_wait;
    d.alignment = loaded_.settings.alignment;
    if (loaded_.own_memory) d.memory_kinds |= 1U << ASSAY_PINNED;
    d.in_force = {{"device", request_.device},
                  {"precision", precision_name(request_.precision)},
                  {"threads", std::to_string(request_.threads)},
                  {"streams", "1"},
                  {"version", kVersion}};
    pretend(loaded_.settings.reads_back, d.in_force);
    return d;
  }

  std::unique_ptr<kit::Slot> open_slot(std::span<const kit::FixedShape> shapes) override {
    loaded_.faults.strike("slot");
    if (shapes.size() != loaded_.rule.inputs.size())
      throw Failure(ASSAY_INVALID_ARGUMENT, "one shape an input is needed");
    for (std::size_t i = 0; i < shapes.size(); ++i) kit::check_shape(loaded_.rule.inputs[i], shapes[i].shape);
    return std::make_unique<NullSlot>(loaded_, std::vector(shapes.begin(), shapes.end()));
  }

  std::string report(const std::string& kind) override {
    if (kind == "plan") return "{\"io\": \"" + loaded_.settings.io + "\"}";
    if (kind == "memory" && loaded_.own_memory) {
      return "{\"device_bytes\": " + std::to_string(loaded_.device.taken()) +
             ", \"pinned_tensors\": " + std::to_string(loaded_.pinned) +
             ", \"pageable_tensors\": " + std::to_string(loaded_.pageable) + "}";
    }
    return Session::report(kind);
  }

 private:
  void apply_shapes() {
    for (const kit::FixedShape& fixed : request_.shapes) {
      auto& inputs = loaded_.rule.inputs;
      const auto it = std::find_if(inputs.begin(), inputs.end(), [&](const auto& i) { return i.name == fixed.input; });
      if (it == inputs.end())
        throw Failure(ASSAY_INVALID_ARGUMENT, "a shape is given for '" + fixed.input + "', which is no input");
      kit::check_shape(*it, fixed.shape, true);
      for (std::size_t a = 0; a < fixed.shape.size(); ++a) it->shape[a] = std::max(it->shape[a], fixed.shape[a]);
    }
  }

  // The "optimized graph" is the rule; making it takes open_ms, reading it does not.
  void load_graph() {
    if (!request_.cache_read.empty()) {
      loaded_.faults.strike("cache_read");
      std::ostringstream kept;
      kept << std::ifstream(request_.cache_read + kCacheFile).rdbuf();
      if (kept.str() != loaded_.settings.io)
        throw Failure(ASSAY_FRAMEWORK, "the cache folder " + request_.cache_read + " holds no graph of this model");
      from_cache_ = true;
      return;
    }
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(loaded_.settings.open_ms));
    if (request_.cache_fill.empty()) return;
    loaded_.faults.strike("cache_fill");
    std::ofstream out(request_.cache_fill + kCacheFile);
    if (!(out << loaded_.settings.io << std::flush))
      throw Failure(ASSAY_FRAMEWORK, "cannot write into the cache folder " + request_.cache_fill);
  }

  kit::OpenRequest request_;
  Loaded loaded_;
  std::vector<std::byte> ballast_;
  bool from_cache_ = false;
};

class NullBackend final : public kit::Backend {
 public:
  [[nodiscard]] const char* name() const override { return "null"; }
  std::span<const assay_option> options() override { return option_table(); }

  kit::Probe probe(const kit::Host& host) override {
    const char* why = std::getenv("ASSAY_NULL_UNAVAILABLE");
    if (why != nullptr && *why != '\0') return {false, why, "", "", "", {}};
    if (!host.library.empty())
      return {false, "the null backend opens no library; " + host.library + " was named", "", "", "", {}};
    return {true,
            "",
            kVersion,
            "",
            "built in",
            {{"cpu", "nothing at all", "null", 0}, {kOwnMemory, "pretended, with memory of its own", "null", 0}}};
  }

  /// Whatever it is: it reads nothing of it.
  [[nodiscard]] std::uint32_t model_formats() const override {
    return ASSAY_MODEL_ONNX | ASSAY_MODEL_SAVED_MODEL | ASSAY_MODEL_GRAPH_DEF;
  }

  std::unique_ptr<kit::Session> open(const kit::OpenRequest& request) override {
    if (const kit::Probe met = probe(request.host); !met.available) throw Failure(ASSAY_UNAVAILABLE, met.reason);
    if (request.device != "cpu" && request.device != kOwnMemory) {
      throw Failure(ASSAY_UNAVAILABLE, "the null backend has the devices cpu and gpu:0, not '" + request.device + "'");
    }
    struct stat file{};
    if (::stat(request.model_path.c_str(), &file) != 0 || ::access(request.model_path.c_str(), R_OK) != 0) {
      throw Failure(ASSAY_INVALID_MODEL, "cannot read the model " + request.model_path);
    }
    const bool saved_model = ::access((request.model_path + "/saved_model.pb").c_str(), R_OK) == 0;
    if (!saved_model && (!S_ISREG(file.st_mode) || file.st_size == 0))
      throw Failure(ASSAY_INVALID_MODEL, request.model_path + " is empty, or no file");
    if (request.precision != ASSAY_PRECISION_F32 && request.option("any_precision", "false") != "true") {
      throw Failure(ASSAY_UNSUPPORTED, std::string("the null backend computes in f32; ") +
                                           precision_name(request.precision) + " needs any_precision=true");
    }
    return std::make_unique<NullSession>(request);
  }
};

}  // namespace
}  // namespace assay::null_backend

ASSAY_BACKEND(assay::null_backend::NullBackend)
