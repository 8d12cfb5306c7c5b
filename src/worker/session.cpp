#include "worker/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "backend/backend.hpp"
#include "core/copy.hpp"
#include "engine/ensemble/load.hpp"
#include "engine/ensemble/wiring.hpp"
#include "worker/gpu_watch.hpp"
#include "worker/member_inputs.hpp"

namespace assay::worker {
namespace {

namespace fs = std::filesystem;

double ns_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

/// Samples of files, over and over.
void fill_rotating(input::Source& source, const std::vector<TensorInfo>& infos, std::int64_t first, std::int64_t count,
                   std::span<const MutableTensorView> inputs) {
  const std::int64_t n = source.samples();
  if (n <= 0) return source.fill(first, count, inputs);
  std::vector<MutableTensorView> part(inputs.begin(), inputs.end());
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t from = (first + done) % n;
    const std::int64_t length = std::min(count - done, n - from);
    for (std::size_t i = 0; i < part.size(); ++i) {
      const int axis = infos[i].batch_axis;
      part[i] = axis < 0 ? inputs[i] : slice(inputs[i], static_cast<std::size_t>(axis), done, length);
    }
    source.fill(from, length, part);
    done += length;
  }
}

FillFunction rotating(const std::shared_ptr<input::Source>& source, std::vector<TensorInfo> infos) {
  return [source, infos = std::move(infos)](std::int64_t first, std::int64_t count,
                                            std::span<const MutableTensorView> inputs) {
    fill_rotating(*source, infos, first, count, inputs);
  };
}

}  // namespace

Params params_of(const Request& request, const fs::path& cache, Reporter& reporter) {
  const Case& c = request.test_case;
  Params p;
  p.backend = members_of(c.backend).front();
  p.device = devices_of(c).front();
  p.goal = c.goal;
  p.batch_size = c.batch_size;
  p.in_flight = c.in_flight;
  p.threads = c.threads;
  p.precision = c.precision;
  p.shapes = c.shapes;
  p.batch_axis = c.batch_axis;
  p.options = c.options;
  p.cache = cache;
  p.library = request.library;
  p.libraries = request.libraries;
  p.log = [&reporter](LogLevel level, const std::string& message) {
    if (level >= LogLevel::kWarning) reporter.log(message);
  };
  return p;
}

namespace {

fs::path library_of(const Request& request, const std::string& backend) {
  if (members_of(request.test_case.backend).size() == 1) return request.library;
  const auto it = request.libraries.find(backend);
  return it == request.libraries.end() ? fs::path() : it->second;
}

}  // namespace

std::map<std::string, std::string> devices_of_members(const Case& c) {
  std::map<std::string, std::string> devices;
  if (devices_of(c).size() == 1) return devices;
  const std::vector<std::string> names = engine::member_names(members_of(c.model));
  for (std::size_t m = 0; m < names.size(); ++m) devices[names[m]] = device_of(c, m);
  return devices;
}

void open_library(const Request& request, TaskResult& result) {
  const Case& c = request.test_case;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::string> versions, libraries;
  const std::vector<std::string> gpus = gpus_of(c);
  std::vector<std::string> uuids(gpus.size());
  for (const std::string& name : members_of(c.backend)) {  // of a placed ensemble, several
    // As params_of has it: the options are those of the first.
    const auto options = versions.empty() ? c.options : std::map<std::string, std::string>();
    const backend::Probe probe = backend::load_backend(name).probe(library_of(request, name), options);
    if (!probe.available) throw Error(ErrorCode::kUnavailable, probe.reason, name);
    for (const backend::Device& device : probe.devices) {
      const auto gpu = std::find(gpus.begin(), gpus.end(), device.name);
      const std::string uuid = gpu == gpus.end() ? "" : gpu_uuid_in(device.identity);
      if (!uuid.empty()) uuids[static_cast<std::size_t>(gpu - gpus.begin())] = uuid;
    }
    versions.push_back(probe.version);
    libraries.push_back(probe.library);
  }
  result.values["library"] = {ns_since(begin)};
  const auto is_told = [](const std::string& uuid) { return !uuid.empty(); };
  if (std::any_of(uuids.begin(), uuids.end(), is_told)) {
    result.texts["device.uuid"] = fmt::format("{}", fmt::join(uuids, "+"));
  }
  // As they are: a version may have a '+' of its own.
  result.texts["backend.version"] = fmt::format("{}", fmt::join(versions, "+"));
  result.texts["backend.library"] = fmt::format("{}", fmt::join(libraries, "+"));
}

namespace {

/// What is said of the inputs of each file, as the file names them; where the files cannot be read, as it was said.
std::vector<Case> cases_of_files(const Request& request) {
  std::vector<Case> cases(std::max<std::size_t>(request.members.size(), 1), request.test_case);
  if (request.members.empty()) return cases;
  try {
    std::vector<MemberFile> files;
    for (const fs::path& path : request.members) files.push_back({path, model::read_model(path).inputs});
    for (std::size_t m = 0; m < files.size(); ++m) rename_inputs(files, {&m, 1}, cases[m]);
  } catch (const Error&) {
    // As the declaration of read_through says.
  }
  return cases;
}

std::optional<model::Model> read_file_through(const fs::path& path, const Case& c) {
  std::optional<model::Model> model;
  try {
    model = model::read_model(path, c.shapes, c.batch_axis);
  } catch (const Error&) {
    // As the declaration of read_through says.
  }
  std::array<char, 1 << 16> chunk;
  const std::vector<fs::path> files = model ? model->files : std::vector<fs::path>{path};
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    while (in.read(chunk.data(), chunk.size()) || in.gcount() > 0) {
    }
  }
  return model;
}

Ensemble ensemble_of(const Request& request) {
  const Case& c = request.test_case;
  Ensemble ensemble;
  ensemble.strategy = executed_strategy(c);
  ensemble.combine = combine_from_string(c.combine);
  for (std::size_t m = 0; m < request.members.size(); ++m) {
    Member member{.model = request.members[m]};
    if (m < c.placement.seats.size()) {
      member.backend = c.placement.seats[m].backend;
      member.batch_size = c.placement.seats[m].batch_size;
      member.threads = c.placement.seats[m].threads;
      member.device = c.placement.seats[m].device;
    }
    if (m < c.weights.size()) member.weight = c.weights[m];
    ensemble.members.push_back(std::move(member));
  }
  return ensemble;
}

}  // namespace

ModelRead read_through(const Request& request) {
  ModelRead read{.flops = 0, .cacheable = true, .softmax_axis = {}};
  const bool combined = !request.members.empty() && request.test_case.combine != "members";
  const auto files = request.members.empty() ? std::vector<fs::path>{request.model} : request.members;
  const std::vector<Case> cases = cases_of_files(request);
  for (std::size_t m = 0; m < files.size(); ++m) {
    const std::optional<model::Model> model = read_file_through(files[m], cases[m]);
    if (model && model->format != model::Format::kOnnx) read.cacheable = false;
    if (model && !combined) {
      read.softmax_axis.insert(read.softmax_axis.end(), model->softmax_axis.begin(), model->softmax_axis.end());
    }
    if (read.flops && model && model->statistics.flops) {
      *read.flops += *model->statistics.flops;
    } else {
      read.flops.reset();
    }
  }
  return read;
}

Session load_session(const Request& request, const fs::path& cache, Reporter& reporter,
                     const engine::LoadListener& members) {
  reporter.phase(kLoadPhase);
  const Params params = params_of(request, cache, reporter);
  const engine::LoadSettings settings{.profile = !request.profile_file.empty(), .members = members};
  if (!request.members.empty()) return engine::load(ensemble_of(request), params, settings);
  return engine::load(request.model, params, settings);
}

void describe_session(const Session& session, TaskResult& result) {
  for (const auto& [key, value] : session.in_force()) result.texts["in_force." + key] = value;
  result.values["batch_size"] = {static_cast<double>(engine::samples_per_batch(session))};
  result.values["in_flight"] = {static_cast<double>(session.in_flight())};
}

Inputs make_inputs(const Request& request, const Session& session, std::uint64_t distinct_bytes) {
  const Case& c = request.test_case;
  Inputs inputs;
  if (c.data.source != "random") {
    inputs.source = input::open_files({c.data.source}, session.inputs(), c.shapes, input::Preprocess{});
    inputs.remark =
        fmt::format("inputs: {} samples of {}, read in the pipeline", inputs.source->samples(), c.data.source);
  } else {
    inputs.source = input::random_source(session.inputs(), c.shapes, c.data, distinct_bytes);
    const std::uint64_t sample = std::max<std::uint64_t>(1, input::bytes_per_sample(session.inputs(), c.shapes));
    const std::uint64_t distinct = distinct_bytes / sample + 1;
    inputs.bytes = distinct * sample;
    inputs.remark =
        fmt::format("inputs: {} distinct samples of seed {} ({:.1f} MiB), made beforehand, filling is a copy", distinct,
                    c.data.seed, static_cast<double>(inputs.bytes) / 0x1p20);
  }
  inputs.fill = rotating(inputs.source, session.inputs());
  return inputs;
}

Inputs parity_inputs(const Request& request, const Session& session) {
  const Case& c = request.test_case;
  const std::uint64_t sample = input::bytes_per_sample(session.inputs(), c.shapes);
  const auto samples = static_cast<std::uint64_t>(std::max(1, request.effort.parity_samples));
  Inputs inputs;
  // Just so many distinct ones that sample i is that of i mod parity_samples.
  inputs.source = input::random_source(session.inputs(), c.shapes, c.data, (samples - 1) * sample);
  inputs.bytes = samples * sample;
  inputs.fill = rotating(inputs.source, session.inputs());
  return inputs;
}

double time_one_batch(Session& session, const Inputs& inputs) {
  const auto begin = std::chrono::steady_clock::now();
  engine::run_stream(session,
                     {.samples = engine::samples_per_batch(session), .stop = {}, .observer = {}, .overlap = false},
                     inputs.fill, {});
  return ns_since(begin);
}

void run_batches(Session& session, const Inputs& inputs, std::int64_t batches, const DrainFunction& drain) {
  // Stopped by their number, not by that of samples, which a graph taken as it is would answer all at once.
  const auto enough = [batches](std::int64_t begun) { return begun >= batches; };
  engine::run_stream(session, {.samples = -1, .stop = enough, .observer = {}, .overlap = true}, inputs.fill, drain);
}

void put_memory(const MemoryMarks& marks, std::uint64_t generated_bytes, TaskResult& result) {
  if (!marks.start || !marks.library || !marks.now) return;
  const auto less = [](std::uint64_t a, std::uint64_t b) { return static_cast<double>(a > b ? a - b : 0); };
  // A peak that came before the generated inputs (loading, mostly) holds none of them.
  const double before = marks.before_inputs ? static_cast<double>(marks.before_inputs->peak_pss()) : 0;
  result.values["memory.peak"] = {std::max(before, less(marks.now->peak_pss(), generated_bytes))};
  result.values["memory.resting"] = {less(marks.now->pss, generated_bytes)};
  result.values["memory.library"] = {less(marks.library->pss, marks.start->pss)};
  result.values["memory.model"] = {less(marks.now->pss, marks.library->pss + generated_bytes)};
}

}  // namespace assay::worker
