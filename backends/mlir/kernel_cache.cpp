#include "kernel_cache.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "assay/backend_kit_file.hpp"

namespace assay::mlir_backend {
namespace {

constexpr const char* kKernelsFile = "/kernels.mlir";
constexpr const char* kWeightsFile = "/weights.bin";
constexpr const char* kTuningFile = "/tuning.txt";
constexpr const char* kCompileTimeFile = "/compile_ns.txt";
constexpr int kFormat = 1;  // of how weights are packed: another number for another order

std::string object_file(const std::string& folder, std::size_t i) {
  return folder + "/kernels" + std::to_string(i) + ".o";
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw kit::Failure(ASSAY_FRAMEWORK, "cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  out.flush();
  if (!out) throw kit::Failure(ASSAY_FRAMEWORK, "cannot write the compiled kernels to " + path + ": is the disk full?");
}

void write_file(const std::string& path, const std::string& text) { write_file(path, std::as_bytes(std::span(text))); }

/// Nothing where the file has no number.
std::optional<std::chrono::nanoseconds> read_time(const std::string& path) {
  const std::string text = read_file(path);
  std::int64_t ns = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ns);
  if (error != std::errc() || ns < 0 || std::string_view(end, text.data() + text.size()) != "\n") return std::nullopt;
  return std::chrono::nanoseconds(ns);
}

/// What the objects and weights are of.
std::string identity_of(const compiler::Plan& plan, const compiler::Target& target) {
  std::string text = "// " + target.cpu + " " + target.features + " format " + std::to_string(kFormat) + " weights " +
                     std::to_string(plan.packed_bytes) + "\n";
  for (const compiler::KernelText& k : plan.kernels) text += k.text;
  return text;
}

}  // namespace

std::optional<CachedKernels> read_cache(const std::string& folder, const compiler::Plan& plan,
                                        const compiler::Target& target) {
  if (read_file(folder + kKernelsFile) != identity_of(plan, target)) return std::nullopt;
  CachedKernels found;
  const std::optional<std::chrono::nanoseconds> compile = read_time(folder + kCompileTimeFile);
  if (!compile) return std::nullopt;
  found.compile = *compile;
  for (std::size_t i = 0; std::filesystem::exists(object_file(folder, i)); ++i)
    found.objects.push_back(read_file(object_file(folder, i)));
  if (plan.packed_bytes == 0) return found;
  const auto file = std::make_shared<const kit::MappedFile>(folder + kWeightsFile);
  if (file->size() != static_cast<std::size_t>(plan.packed_bytes)) return std::nullopt;
  found.packed = std::shared_ptr<const std::byte>(file, reinterpret_cast<const std::byte*>(file->text()));
  return found;
}

std::shared_ptr<const compiler::Tuning> cached_tuning(const std::string& folder) {
  std::error_code ignored;
  if (!std::filesystem::exists(folder + kTuningFile, ignored)) return nullptr;
  std::optional<compiler::Tuning> tuning = compiler::tuning_of(read_file(folder + kTuningFile));
  return tuning ? std::make_shared<const compiler::Tuning>(std::move(*tuning)) : nullptr;
}

void fill_cache(const std::string& folder, const compiler::Plan& plan, const compiler::Target& target,
                const CachedKernels& kernels) {
  for (std::size_t i = 0; i < kernels.objects.size(); ++i) write_file(object_file(folder, i), kernels.objects[i]);
  if (plan.packed_bytes != 0) {
    write_file(folder + kWeightsFile, {kernels.packed.get(), static_cast<std::size_t>(plan.packed_bytes)});
  }
  if (target.tuning != nullptr) write_file(folder + kTuningFile, to_text(*target.tuning));
  write_file(folder + kCompileTimeFile, std::to_string(kernels.compile.count()) + "\n");
  write_file(folder + kKernelsFile, identity_of(plan, target));
}

}  // namespace assay::mlir_backend
