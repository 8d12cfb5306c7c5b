#include "session.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "slot.hpp"

namespace assay::tensorflow {
namespace {

/// TensorFlow's pool of threads is one for the whole process, and as large as its first session asked for.
std::atomic<int>& pool_threads() {
  static std::atomic<int> taken{0};
  return taken;
}

int take_intra_op_threads(int asked) {
  int none = 0;
  return pool_threads().compare_exchange_strong(none, asked) ? asked : none;
}

/// Grappler makes bf16 of f32, for oneDNN's kernels: without either of the two nothing would be computed in it.
void check_bf16(const Settings& settings, const Runtime& runtime) {
  if (!settings.bf16 || (settings.grappler && runtime.onednn)) return;
  throw kit::Failure(ASSAY_UNSUPPORTED,
                     "bf16 is grappler's automatic mixed precision over oneDNN's kernels, and one of the two is off: "
                     "TensorFlow would compute in f32. Leave the options grappler and onednn as they are, or use f32.");
}

void check_onednn(const Settings& settings, const Runtime& runtime) {
  if (!settings.onednn || *settings.onednn == runtime.onednn) return;
  throw kit::Failure(ASSAY_UNSUPPORTED, std::string("oneDNN is ") + (runtime.onednn ? "on" : "off") +
                                            " in this process, since its TensorFlow was opened so, and cannot be "
                                            "changed: use another process");
}

const char* text(bool value) { return value ? "true" : "false"; }

bool all_fixed(const Signature& signature) {
  return std::all_of(signature.inputs.begin(), signature.inputs.end(), [](const Port& port) {
    const auto& shape = port.info.shape;
    return port.info.rank_known && std::all_of(shape.begin(), shape.end(), [](std::int64_t d) { return d >= 0; });
  });
}

}  // namespace

TfSession::TfSession(const Runtime& runtime, const kit::OpenRequest& request)
    : runtime_(runtime),
      log_(request.host),
      settings_(settings_of(request, cpu_features::of_this_machine())),
      profile_(request.profile),
      streams_(settings_.streams),
      loaded_(runtime) {
  if (request.device != "cpu") {
    throw kit::Failure(ASSAY_UNSUPPORTED,
                       "device '" + request.device + "' was asked for, and this backend drives TensorFlow's cpu only");
  }
  check_onednn(settings_, runtime);
  settings_.onednn = runtime.onednn;
  check_layout(settings_);
  check_bf16(settings_, runtime);
  const bool first = pool_threads() == 0;
  settings_.intra_op_threads = take_intra_op_threads(settings_.intra_op_threads);
  try {
    loaded_ = load_graph(runtime, request, settings_);
  } catch (...) {
    if (first) pool_threads() = 0;  // no session of TensorFlow's has made the pool
    throw;
  }
  fixed_ = all_fixed(loaded_.signature);
}

void TfSession::run(std::span<const TF_Output> inputs, std::span<TF_Tensor* const> values,
                    std::span<const TF_Output> outputs, std::span<TF_Tensor*> results) const {
  const bool trace = profile_ || !traced_.exchange(true);
  const std::string traced = trace ? traced_run_options() : "";
  const TF_Buffer run_options{traced.data(), traced.size(), nullptr};
  const Handle<TF_Buffer> metadata(trace ? runtime_.api.new_buffer() : nullptr, runtime_.api.delete_buffer);
  const Status status(runtime_);
  runtime_.api.session_run(loaded_.session.get(), trace ? &run_options : nullptr, inputs.data(), values.data(),
                           static_cast<int>(inputs.size()), outputs.data(), results.data(),
                           static_cast<int>(outputs.size()), nullptr, 0, metadata.get(), status.get());
  if (!loaded_.translated && !status.ok() && runtime_.api.get_code(status.get()) == Code::kFailedPrecondition) {
    status.check(
        "running a batch of the model as it was saved (does it restore its variables? A Keras model is saved "
        "by model.export(DIR))");
  }
  status.check("running a batch");
  if (trace) trace_.add({static_cast<const char*>(metadata->data), metadata->length});
}

/// XLA may be on and find nothing that it can compile: fused operations, types, shapes that are not known.
std::string TfSession::xla_in_force() const {
  if (!settings_.xla) return "false";
  if (trace_.batches() == 0) return "asked";
  constexpr double kMost = 0.5;
  if (trace_.xla_share() >= kMost) return "true";
  return trace_.clusters() > 0 ? "partly" : "false";
}

kit::Description TfSession::describe() {
  kit::Description d;
  for (const Port& port : loaded_.signature.inputs) d.inputs.push_back(port.info);
  for (const Port& port : loaded_.signature.outputs) d.outputs.push_back(port.info);
  d.from_cache = loaded_.from_cache;
  d.useful_slots = settings_.streams;
  d.computes_in_wait = true;
  // XLA compiles each shape anew, for seconds: never for a last batch.
  d.short_batch = fixed_ || settings_.xla ? ASSAY_SHORT_BATCH_PAD : ASSAY_SHORT_BATCH_RESHAPE;
  d.in_force = {{"device", "cpu"},
                {"precision", settings_.bf16 && (trace_.batches() == 0 || trace_.mixed_precision()) ? "bf16" : "f32"},
                {"threads", std::to_string(settings_.intra_op_threads)},
                {"streams", std::to_string(settings_.streams)},
                {"version", runtime_.version},
                {"library", runtime_.library},
                {"xla", xla_in_force()},
                {"intra_op_threads", std::to_string(settings_.intra_op_threads)},
                {"inter_op_threads", std::to_string(settings_.inter_op_threads)},
                {"onednn", text(runtime_.onednn)},
                {"layout", !loaded_.translated       ? "the model's"
                           : settings_.channels_last ? "channels_last"
                                                     : "channels_first"},
                {"layout_conversion", to_string(settings_.conversion)},
                {"remapper", text(settings_.remapper)},
                {"constant_folding", text(settings_.constant_folding)},
                {"passes", settings_.few_passes ? "few" : "all"},
                {"grappler", text(settings_.grappler)}};
  if (settings_.xla) d.in_force.emplace_back("jit_level", std::to_string(settings_.jit_level));
  if (trace_.batches() > 0) d.in_force.emplace_back("fused_operations", std::to_string(trace_.fused()));
  if (settings_.xla && trace_.batches() > 0) {
    d.in_force.emplace_back("xla_clusters", std::to_string(trace_.clusters()));
    d.in_force.emplace_back("xla_share", std::to_string(std::lround(100 * trace_.xla_share())) + " %");
  }
  return d;
}

std::unique_ptr<kit::Slot> TfSession::open_slot(std::span<const kit::FixedShape> shapes) {
  return std::make_unique<TfSlot>(*this, shapes);
}

std::string TfSession::report(const std::string& kind) {
  if (kind == "placement") {
    if (trace_.batches() == 0) {
      throw kit::Failure(ASSAY_UNSUPPORTED, "TensorFlow places a graph when it first runs: run a batch before");
    }
    return trace_.placement();
  }
  if (kind == "profile") {
    if (!profile_) {
      throw kit::Failure(ASSAY_UNSUPPORTED, "no profile was collected: ask for it when the model is opened");
    }
    return trace_.profile();
  }
  return Session::report(kind);
}

}  // namespace assay::tensorflow
