#include "kernel_cache.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "assay/backend_kit_file.hpp"

namespace assay::mlir_backend {
namespace {

constexpr const char* kKernelsFile = "/kernels.mlir";
constexpr const char* kWeightsFile = "/weights.bin";
constexpr const char* kTuningFile = "/tuning.txt";
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
                const std::vector<std::string>& objects, std::span<const std::byte> packed) {
  for (std::size_t i = 0; i < objects.size(); ++i)
    write_file(object_file(folder, i), std::as_bytes(std::span(objects[i])));
  if (!packed.empty()) write_file(folder + kWeightsFile, packed);
  if (target.tuning != nullptr) {
    const std::string tuning = to_text(*target.tuning);
    write_file(folder + kTuningFile, std::as_bytes(std::span(tuning)));
  }
  const std::string identity = identity_of(plan, target);
  write_file(folder + kKernelsFile, std::as_bytes(std::span(identity)));
}

}  // namespace assay::mlir_backend
