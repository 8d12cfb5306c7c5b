#include "session.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include "assay/backend_kit_json.hpp"
#include "assay/error.hpp"
#include "compiler/autotune.hpp"
#include "compiler/import.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/peak.hpp"
#include "slot.hpp"

namespace assay::mlir_backend {
namespace {

using compiler::Shape;

void write_text(const std::string& folder, const std::string& file, const std::string& text) {
  std::ofstream out(folder + "/" + file);
  out << text;
  if (!out) throw kit::Failure(ASSAY_INVALID_ARGUMENT, "option mlir.dump: cannot write '" + folder + "/" + file + "'");
}

/// Errors of the libraries below, as a plugin's.
template <class Call>
auto guarded(Call call) -> decltype(call()) {
  try {
    return call();
  } catch (const Error& e) {
    throw kit::Failure(e.code() <= ErrorCode::kInternal ? static_cast<assay_status>(e.code()) : ASSAY_INVALID_MODEL,
                       e.what());
  } catch (const compiler::Unsupported& e) {
    throw kit::Failure(ASSAY_UNSUPPORTED, e.what());
  }
}

kit::TensorInfo tensor_info(const onnx_graph::ValueInfo& value, const onnx_graph::TensorType& type) {
  kit::TensorInfo info;
  info.name = value.name;
  info.dtype = static_cast<assay_dtype>(type.element);
  info.rank_known = type.shape.has_value();
  if (!type.shape) return info;
  for (const onnx_graph::Dimension& d : *type.shape) {
    info.shape.push_back(d.size);
    info.axes.push_back(d.known() ? "" : d.name);
  }
  return info;
}

/// Whether a tensor's shape is known but for one axis, along which a batch's samples lie: `free`, of any batch size, is
/// then `fixed`, of one.
bool grows_with_the_batch(const kit::TensorInfo& free, const kit::TensorInfo& fixed, std::int64_t batch_size) {
  if (!free.rank_known || free.shape.size() != fixed.shape.size()) return false;
  int grows = 0;
  for (std::size_t a = 0; a < free.shape.size(); ++a) {
    if (free.shape[a] == fixed.shape[a]) continue;
    if (free.shape[a] >= 0 || fixed.shape[a] != batch_size) return false;
    ++grows;
  }
  return grows <= 1;
}

const char* name_of(assay_short_batch policy) {
  if (policy == ASSAY_SHORT_BATCH_EITHER) return "auto";
  return policy == ASSAY_SHORT_BATCH_PAD ? "pad" : "compile";
}

/// A line for the whole, and one for each convolution that is computed another way than the model's.
void log_tuning(const kit::Host& host, const compiler::Tuning& tuning) {
  host.log(ASSAY_LOG_INFO, "autotune: of " + std::to_string(tuning.problems) + " different convolutions " +
                               std::to_string(tuning.measured) + " were measured, " +
                               std::to_string(tuning.schedules.size()) + " are faster another way than the model's");
  for (const auto& [problem, tuned] : tuning.schedules) {
    host.log(ASSAY_LOG_INFO, "autotune: " + std::to_string(tuned.ns) + " ns instead of " +
                                 std::to_string(tuned.model_ns) + ": " + problem);
  }
}

}  // namespace

MlirSession::Lease::Lease(MlirSession& session) : session_(session) {
  session_.free_streams_.acquire();
  const std::lock_guard lock(session_.teams_mutex_);
  team_ = session_.idle_.back();
  session_.idle_.pop_back();
}

MlirSession::Lease::~Lease() {
  {
    const std::lock_guard lock(session_.teams_mutex_);
    session_.idle_.push_back(team_);
  }
  session_.free_streams_.release();
}

MlirSession::MlirSession(const kit::OpenRequest& request)
    : host_(request.host),
      settings_(settings_of(request)),
      target_(guarded([&] { return compiler::target_of(settings_.target); })),
      profile_(request.profile ? std::make_unique<Profile>() : nullptr),
      cache_read_(request.cache_read),
      cache_fill_(request.cache_fill),
      model_name_(std::filesystem::path(request.model_path).filename().string()),
      batch_size_(request.batch_size),
      free_streams_(settings_.streams) {
  if (request.device != "cpu") {
    throw kit::Failure(ASSAY_UNSUPPORTED,
                       "device '" + request.device + "' was asked for; the MLIR compiler compiles for the cpu");
  }
  model_ = guarded([&] { return onnx_graph::read(request.model_path); });
  const onnx_graph::Inference foreseen = inferred(request, request.batch_size);
  describe_tensors(foreseen);
  // Where any batch size goes, none is short, and the axis is free already.
  if (settings_.short_batch != ASSAY_SHORT_BATCH_PAD && batch_size_ > 0) free_the_batch(inferred(request, 0));
  for (int i = 0; i < settings_.streams; ++i) {
    teams_.push_back(std::make_unique<compiler::Team>(settings_.threads_of_stream, settings_.spin));
    idle_.push_back(teams_.back().get());
  }
  compile_foreseen(foreseen);
  cache_read_ = cache_fill_ = "";  // the host's only while a model is opened
}

/// What is compiled when a model is opened, and goes into the cache: for the shapes that are fixed, and where an axis
/// is free, for 1 along it, unless the model cannot be so.
void MlirSession::compile_foreseen(const onnx_graph::Inference& inference) {
  Shapes shapes;
  bool ranks_known = true, as_asked = true;
  for (const kit::TensorInfo& input : inputs_) {
    const onnx_graph::Dimensions* shape = inference.shape(input.name);
    ranks_known = ranks_known && shape != nullptr;
    if (shape == nullptr) continue;
    compiler::Shape& wanted = shapes[input.name];  // a scalar's is empty
    for (const onnx_graph::Dimension& d : *shape) {
      wanted.push_back(d.known() ? d.size : 1);
      as_asked = as_asked && d.known();
    }
  }
  guarded([&] { compiler::check_operators(model_, ranks_known && as_asked ? &shapes : nullptr); });
  if (!ranks_known) return;
  try {
    (void)program(shapes);  // nobody else is here yet
  } catch (const kit::Failure& e) {
    if (as_asked || e.code() != ASSAY_UNSUPPORTED) throw;
  }
}

onnx_graph::Inference MlirSession::inferred(const kit::OpenRequest& request, std::int64_t batch_size) const {
  Shapes fixed;
  for (const kit::FixedShape& s : request.shapes) fixed[s.input] = s.shape;
  return guarded(
      [&] { return onnx_graph::infer(model_, onnx_graph::request_of(model_, std::move(fixed), batch_size)); });
}

/// Where shorter batches are to come, the batch's axis stays free; unless the model has none that is free, or shapes
/// are known for one size alone, and nobody has asked for it.
void MlirSession::free_the_batch(const onnx_graph::Inference& inference) {
  const std::vector<kit::TensorInfo> fixed_inputs = std::exchange(inputs_, {}), fixed = std::exchange(outputs_, {});
  describe_tensors(inference);
  const bool any_free =
      !std::ranges::equal(inputs_, fixed_inputs, {}, &kit::TensorInfo::shape, &kit::TensorInfo::shape);
  const bool grow = std::ranges::equal(outputs_, fixed, [&](const kit::TensorInfo& a, const kit::TensorInfo& b) {
    return grows_with_the_batch(a, b, batch_size_);
  });
  if (any_free && (grow || settings_.short_batch == ASSAY_SHORT_BATCH_RESHAPE)) return;
  settings_.short_batch = ASSAY_SHORT_BATCH_PAD;
  inputs_ = fixed_inputs;
  outputs_ = fixed;
}

void MlirSession::describe_tensors(const onnx_graph::Inference& inference) {
  const auto info = [&](const onnx_graph::ValueInfo& value) {
    const onnx_graph::TensorType* type = inference.type(value.name);
    return tensor_info(value, type != nullptr ? *type : value.type);
  };
  for (const onnx_graph::ValueInfo* input : onnx_graph::inputs_of(model_)) inputs_.push_back(info(*input));
  for (const onnx_graph::ValueInfo& output : model_.graph.outputs) outputs_.push_back(info(output));
}

MlirSession::Compiled& MlirSession::program(const Shapes& shapes) {
  Compiled& found = programs_[shapes];
  if (found.program == nullptr) found.program = guarded([&] { return compiled(shapes); });
  return found;
}

std::shared_ptr<RunPool> MlirSession::runs(const Shapes& shapes) {
  const std::lock_guard lock(programs_mutex_);
  Compiled& of_shapes = program(shapes);
  std::shared_ptr<RunPool> runs = of_shapes.runs.lock();
  if (runs == nullptr) {
    runs = std::make_shared<RunPool>(of_shapes.program, settings_.streams, settings_.threads_of_stream,
                                     profile_ != nullptr);
    of_shapes.runs = runs;
  }
  return runs;
}

/// A stream's team is taken for as short as can be: batches of other shapes go on while these are compiled.
std::shared_ptr<const compiler::Program> MlirSession::compiled(const Shapes& shapes) {
  compiler::Graph graph = compiler::import_model(model_, shapes);
  compiler::Dump dump;
  if (!settings_.dump.empty()) {
    dump = [&](const std::string& file, const std::string& text) { write_text(settings_.dump, file, text); };
  }
  if (dump) dump("imported.txt", to_text(graph));
  const compiler::Math math = settings_.strict ? compiler::Math::kStrict : compiler::Math::kFast;
  compiler::run_passes(graph, target_, math, settings_.without);
  if (dump) dump("graph.txt", to_text(graph));
  if (settings_.autotune_s > 0 && target_.tuning == nullptr) tune(graph, math, Lease(*this).team());
  compiler::Plan plan = compiler::schedule(graph, target_, math, &packed_);
  if (dump) dump("steps.txt", to_text(plan));
  graph = {};  // with what was folded: the plan has what is wanted of it
  if (auto cached = from_cache(plan)) {
    {
      const std::lock_guard lock(account_mutex_);
      account_.from_cache = true;
      account_.compile = cached->compile;
    }
    return std::make_shared<const compiler::Program>(std::move(plan), cached->objects, cached->packed,
                                                     Lease(*this).team(), &packed_);
  }
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<std::string> objects =
      compiler::compile(plan.kernels, target_, settings_.streams * settings_.threads_of_stream, dump);
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begin;
  malloc_trim(0);  // what compiling took is not wanted beside the weights that are packed now
  auto program =
      std::make_shared<const compiler::Program>(std::move(plan), objects, nullptr, Lease(*this).team(), &packed_);
  if (!cache_fill_.empty()) {
    const CachedKernels kept{objects, {program, program->packed().data()}, took};
    fill_cache(std::exchange(cache_fill_, ""), program->plan(), target_, kept);
  }
  const std::lock_guard lock(account_mutex_);
  account_.compile = took;
  return program;
}

/// Of the first program alone: others use of it what fits.
void MlirSession::tune(const compiler::Graph& graph, compiler::Math math, compiler::Team& team) {
  if (!cache_read_.empty()) target_.tuning = cached_tuning(cache_read_);
  if (target_.tuning == nullptr) {
    target_.tuning =
        std::make_shared<const compiler::Tuning>(compiler::autotune(graph, target_, math, team, settings_.autotune_s));
    log_tuning(host_, *target_.tuning);
  }
  const std::lock_guard lock(account_mutex_);
  account_.tuning = target_.tuning;
}

MlirSession::Account MlirSession::account() const {
  const std::lock_guard lock(account_mutex_);
  return account_;
}

std::optional<CachedKernels> MlirSession::from_cache(const compiler::Plan& plan) {
  if (cache_read_.empty()) return std::nullopt;
  auto found = read_cache(std::exchange(cache_read_, ""), plan, target_);
  if (!found) {  // model, options and plugin are in the entry's key
    host_.log(ASSAY_LOG_WARNING,
              "the cached kernels are not those that this build makes of the model for this CPU and its caches' sizes: "
              "they are compiled anew");
  }
  return found;
}

kit::Description MlirSession::describe() {
  const Account found = account();
  kit::Description d;
  d.inputs = inputs_;
  d.outputs = outputs_;
  d.from_cache = found.from_cache;
  d.useful_slots = settings_.streams;
  d.computes_in_wait = true;
  d.short_batch = settings_.short_batch;
  d.slot_open_ns = found.compile.count();
  d.in_force = {{"device", "cpu"},
                {"precision", "f32"},
                {"threads", std::to_string(settings_.streams * settings_.threads_of_stream)},
                {"streams", std::to_string(settings_.streams)},
                {"version", compiler::llvm_version()},
                {"math", settings_.strict ? "strict" : "fast"},
                // By the setting, whatever the model has chosen for one set of shapes: a row's name does not change.
                {"variant", settings_.strict ? "strict" : "winograd"},
                {"variant.option", settings_.strict ? "math=strict" : "math=fast"},
                {"target", settings_.target},
                {"cpu", target_.cpu},
                {"vector_width", std::to_string(target_.vector_floats * 32)},
                {"spin", settings_.spin ? "true" : "false"},
                {"short_batch", name_of(settings_.short_batch)}};
  if (found.tuning != nullptr) {
    const compiler::Tuning& tuning = *found.tuning;
    d.in_force.emplace_back("autotune", std::to_string(settings_.autotune_s));
    d.in_force.emplace_back("convolutions", std::to_string(tuning.problems));
    d.in_force.emplace_back("measured_convolutions", std::to_string(tuning.measured));
    d.in_force.emplace_back("tuned_convolutions", std::to_string(tuning.schedules.size()));
  }
  if (!settings_.without.empty()) d.in_force.emplace_back("without", settings_.without);
  return d;
}

std::unique_ptr<kit::Slot> MlirSession::open_slot(std::span<const kit::FixedShape> shapes) {
  if (shapes.size() != inputs_.size()) {
    throw kit::Failure(ASSAY_INVALID_ARGUMENT, "shapes of " + std::to_string(shapes.size()) +
                                                   " inputs were given, the model has " +
                                                   std::to_string(inputs_.size()));
  }
  Shapes wanted;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (!shapes[i].input.empty() && shapes[i].input != inputs_[i].name) {
      throw kit::Failure(ASSAY_INVALID_ARGUMENT, "input " + std::to_string(i) + " is '" + inputs_[i].name +
                                                     "', a shape was given for '" + shapes[i].input + "'");
    }
    if (inputs_[i].rank_known) kit::check_shape(inputs_[i], shapes[i].shape);
    kit::element_count(shapes[i].shape);  // throws for a shape that no memory holds
    wanted[inputs_[i].name] = shapes[i].shape;
  }
  return std::make_unique<MlirSlot>(*this, runs(wanted));
}

std::string MlirSession::report(const std::string& kind) {
  if (kind != "profile") return Session::report(kind);
  if (profile_ == nullptr) {
    throw kit::Failure(ASSAY_UNSUPPORTED, "no profile was collected: ask for it when the model is opened");
  }
  ProfiledCase of{model_name_, batch_size_, describe().in_force, account().tuning};
  const Lease lease(*this);
  of.peak = compiler::peak_of(target_, lease.team());
  return profile_->json(of);
}

}  // namespace assay::mlir_backend
