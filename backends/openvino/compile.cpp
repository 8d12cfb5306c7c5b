#include "compile.hpp"

#include <array>
#include <filesystem>
#include <utility>

#include "properties.hpp"

namespace assay::openvino {
namespace {

constexpr const char* kDevice = "CPU";
constexpr std::size_t kMostProperties = 24;

Handle<ov_core> make_core(const Runtime& runtime, const Properties& settings) {
  auto core = make_handle<ov_core>(runtime, runtime.api.core_free, Phase::kCompile, "starting OpenVINO",
                                   runtime.api.core_create);
  for (const auto& [key, value] : settings) {
    check(runtime, runtime.api.core_set_property(core.get(), kDevice, key.c_str(), value.c_str()), Phase::kCompile,
          "setting " + key + " to " + value);
  }
  return core;
}

/// Calls the C API's variadic function with as many arguments as it may ever have; it reads the first `used` of them.
template <std::size_t... I>
Status call_compile(const Api& api, const ov_core* core, const ov_model* model, std::size_t used,
                    const std::array<const char*, 2 * kMostProperties>& args, ov_compiled_model** made,
                    std::index_sequence<I...> /*all*/) {
  return api.core_compile_model(core, model, kDevice, used, made, args[I]...);
}

Handle<ov_compiled_model> compile_model(const Runtime& runtime, const ov_core* core, const ov_model* model,
                                        const Properties& properties, const std::string& path) {
  std::array<const char*, 2 * kMostProperties> args{};
  std::size_t used = 0;
  for (const auto& [key, value] : properties) {
    args.at(used++) = key.c_str();
    args.at(used++) = value.c_str();
  }
  ov_compiled_model* made = nullptr;
  const Status status =
      call_compile(runtime.api, core, model, used, args, &made, std::make_index_sequence<2 * kMostProperties>());
  check(runtime, status, Phase::kCompile, "compiling " + path);
  return {made, runtime.api.compiled_model_free};
}

const kit::TensorInfo* find_input(const OnnxSignature& signature, const std::string& name) {
  for (const kit::TensorInfo& input : signature.inputs) {
    if (input.name == name) return &input;
  }
  return nullptr;
}

void check_shape(const OnnxSignature& signature, const kit::FixedShape& fixed) {
  const kit::TensorInfo* input = find_input(signature, fixed.input);
  if (input == nullptr) {
    std::string known;
    for (const kit::TensorInfo& i : signature.inputs) known += (known.empty() ? "" : ", ") + i.name;
    throw kit::Failure(ASSAY_INVALID_ARGUMENT,
                       "a shape was given for '" + fixed.input + "', but the model's inputs are: " + known);
  }
  if (input->rank_known) kit::check_shape(*input, fixed.shape, true);
}

/// The batch, which the host leaves free in `shapes`, is fixed too where its size is known.
std::vector<kit::FixedShape> shapes_to_fix(const OnnxSignature& signature, const kit::OpenRequest& request) {
  std::vector<kit::FixedShape> result = request.shapes;
  if (request.batch_size <= 0) return result;
  for (const kit::TensorInfo& input : signature.inputs) {
    const bool given = std::any_of(result.begin(), result.end(), [&](const auto& f) { return f.input == input.name; });
    const bool free = std::find(input.shape.begin(), input.shape.end(), -1) != input.shape.end();
    if (!given && free && input.rank_known) result.push_back({input.name, input.shape});
  }
  for (kit::FixedShape& fixed : result) {
    std::replace(fixed.shape.begin(), fixed.shape.end(), std::int64_t{-1}, request.batch_size);
  }
  return result;
}

/// A graph of known shapes is compiled once and for all; OpenVINO prepares a free one anew for each shape it meets.
void fix_shapes(const Runtime& runtime, const ov_model* model, const OnnxSignature& signature,
                const std::vector<kit::FixedShape>& shapes) {
  std::vector<const char*> names;
  std::vector<std::vector<ov_dimension>> dimensions;
  std::vector<ov_partial_shape> partial;
  dimensions.reserve(shapes.size());
  for (const kit::FixedShape& fixed : shapes) {
    check_shape(signature, fixed);
    std::vector<ov_dimension>& d = dimensions.emplace_back();
    for (const std::int64_t axis : fixed.shape) d.push_back(axis < 0 ? ov_dimension{0, -1} : ov_dimension{axis, axis});
    const auto rank = static_cast<std::int64_t>(d.size());
    names.push_back(fixed.input.c_str());
    partial.push_back({{rank, rank}, d.data()});
  }
  if (names.empty()) return;
  check(runtime, runtime.api.model_reshape(model, names.data(), partial.data(), names.size()), Phase::kReshape,
        "fixing the input shapes");
}

Compiled compile_from_model(const Runtime& runtime, const kit::OpenRequest& request, const OnnxSignature& signature) {
  Handle<ov_core> core = make_core(runtime, core_properties(request));
  auto model = make_handle<ov_model>(runtime, runtime.api.model_free, Phase::kRead, "reading " + request.model_path,
                                     runtime.api.core_read_model, static_cast<const ov_core*>(core.get()),
                                     request.model_path.c_str(), static_cast<const char*>(nullptr));
  fix_shapes(runtime, model.get(), signature, shapes_to_fix(signature, request));
  auto compiled = compile_model(runtime, core.get(), model.get(), compile_properties(request), request.model_path);
  return {nullptr, std::move(core), std::move(compiled), false};
}

Compiled import(const Runtime& runtime, const kit::OpenRequest& request) {
  Properties settings = core_properties(request);
  for (auto& property : compile_properties(request)) settings.push_back(std::move(property));
  Handle<ov_core> core = make_core(runtime, settings);
  Compiled compiled{nullptr, std::move(core), Handle<ov_compiled_model>(nullptr, runtime.api.compiled_model_free),
                    true};
  compiled.blob = std::make_unique<kit::MappedFile>(request.cache_read + "/" + kBlobName);
  compiled.model = make_handle<ov_compiled_model>(runtime, runtime.api.compiled_model_free, Phase::kCompile,
                                                  "importing the cached graph", runtime.api.core_import_model,
                                                  static_cast<const ov_core*>(compiled.core.get()),
                                                  compiled.blob->text(), compiled.blob->size(), kDevice);
  return compiled;
}

/// Throws where it cannot be filled, so that the host keeps no half a graph; it may open again without.
void fill_cache(const Runtime& runtime, const std::string& folder, const Compiled& compiled) {
  const std::string path = folder + "/" + kBlobName;
  check(runtime, runtime.api.compiled_model_export_model(compiled.model.get(), path.c_str()), Phase::kRun,
        "writing the compiled graph to " + path);
  std::error_code error;
  if (std::filesystem::file_size(path, error) == 0 || error) {
    throw kit::Failure(ASSAY_FRAMEWORK, "OpenVINO left nothing in " + path + ": is the disk full or read-only?");
  }
}

}  // namespace

std::string Compiled::property(const Runtime& runtime, const char* key) const {
  char* value = nullptr;
  if (runtime.api.compiled_model_get_property(model.get(), key, &value) != kOk || value == nullptr) return "";
  std::string text = value;
  runtime.api.free(value);
  return text;
}

Compiled compile(const Runtime& runtime, const kit::OpenRequest& request, const OnnxSignature& signature) {
  for (const kit::FixedShape& fixed : request.shapes) check_shape(signature, fixed);
  if (!request.cache_read.empty()) {
    try {
      return import(runtime, request);
    } catch (const kit::Failure& e) {
      request.host.log(ASSAY_LOG_WARNING,
                       std::string("the cached graph is of no use, and the model is compiled instead: ") + e.what());
    }
  }
  Compiled compiled = compile_from_model(runtime, request, signature);
  if (!request.cache_fill.empty()) fill_cache(runtime, request.cache_fill, compiled);
  return compiled;
}

}  // namespace assay::openvino
