#include "worker/reference.hpp"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/sha256.hpp"
#include "core/json.hpp"

namespace assay::worker {
namespace {

using nlohmann::json;

// The file: this line, SHA-256 of the rest (64 hex digits, newline), length of the header as decimal and newline, the
// header (JSON), then the tensors' bytes, output by output and sample by sample.
constexpr const char* kMagic = "assay-reference 1\n";
constexpr std::size_t kDigest = 65;

[[noreturn]] void damaged(const std::filesystem::path& file, const std::string& why) {
  throw Error(ErrorCode::kIo, "the reference outputs cannot be used: " + why + "; remove the file, it is made again",
              file.string());
}

json header_of(const Reference& reference) {
  json outputs = json::array();
  for (const ReferenceOutput& output : reference.outputs) {
    json samples = json::array();
    for (const Tensor& t : output.samples) {
      samples.push_back({{"dtype", static_cast<int>(t.dtype())}, {"shape", t.shape()}});
    }
    outputs.push_back({{"name", output.name},
                       {"softmax_axis", output.softmax_axis ? json(*output.softmax_axis) : json(nullptr)},
                       {"samples", std::move(samples)}});
  }
  return {{"identity", reference.identity}, {"data", reference.data_key}, {"outputs", std::move(outputs)}};
}

void read_body(const json& header, std::string_view body, Reference& reference) {
  reference.identity = header.at("identity").get<std::string>();
  reference.data_key = header.at("data").get<std::string>();
  std::size_t at = 0;
  for (const json& described : header.at("outputs")) {
    ReferenceOutput output{.name = described.at("name").get<std::string>(), .softmax_axis = {}, .samples = {}};
    if (!described.at("softmax_axis").is_null()) output.softmax_axis = described.at("softmax_axis").get<int>();
    for (const json& sample : described.at("samples")) {
      const auto dtype = static_cast<DType>(sample.at("dtype").get<int>());
      Tensor tensor(dtype, sample.at("shape").get<Shape>());
      if (tensor.bytes() > body.size() - at) throw Error(ErrorCode::kIo, "it ends within its tensors");
      if (tensor.bytes() > 0) std::memcpy(tensor.data(), body.data() + at, tensor.bytes());
      at += tensor.bytes();
      output.samples.push_back(std::move(tensor));
    }
    reference.outputs.push_back(std::move(output));
  }
}

}  // namespace

std::string parity_data_key(const Request& request) {
  const json key = {{"seed", request.test_case.data.seed},
                    {"ranges", request.test_case.data.ranges},
                    {"shapes", request.test_case.shapes},
                    {"batch_axis", request.test_case.batch_axis},
                    {"samples", request.effort.parity_samples}};
  return sha256_of(key.dump()).substr(0, 16);
}

void write_reference(const std::filesystem::path& file, const Reference& reference) {
  const std::string header = header_of(reference).dump();
  std::string rest = std::to_string(header.size()) + "\n" + header;
  for (const ReferenceOutput& output : reference.outputs) {
    for (const Tensor& t : output.samples) rest.append(static_cast<const char*>(t.data()), t.bytes());
  }
  write_file_atomically(file, kMagic + sha256_of(rest) + "\n" + rest);
}

Reference read_reference(const std::filesystem::path& file) {
  const std::string text = read_file(file, std::uint64_t{8} << 30);
  const std::string_view all = text;
  const std::size_t start = std::strlen(kMagic) + kDigest;
  if (!all.starts_with(kMagic) || all.size() < start) damaged(file, "it is not of this version of Assay");
  const std::string_view rest = all.substr(start);
  if (sha256_of(rest) != all.substr(std::strlen(kMagic), kDigest - 1)) damaged(file, "its checksum does not match");
  try {
    const std::size_t line = rest.find('\n');
    const std::size_t length = std::stoull(std::string(rest.substr(0, line)));
    const std::string_view after = rest.substr(line + 1);
    if (line == std::string_view::npos || length > after.size()) damaged(file, "its header is cut short");
    Reference reference;
    read_body(parse_json(std::string(after.substr(0, length)), file.string()), after.substr(length), reference);
    return reference;
  } catch (const Error& e) {
    damaged(file, e.message());
  } catch (const std::exception& e) {  // a JSON member missing or of another type, a number that is none
    damaged(file, e.what());
  }
}

}  // namespace assay::worker
