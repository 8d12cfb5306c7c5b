#pragma once
// Which TensorRT was met, and whether it fits the headers that this plugin was compiled with. Pure.

#include <compare>
#include <cstdint>
#include <string>

namespace assay::tensorrt {

struct Version {
  int major = 0, minor = 0, patch = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

/// "11.2.0"
std::string to_string(const Version& version);

/// What getInferLibVersion answers: 11 02 00 from TensorRT 10 on, 8 6 01 before.
Version decode_version(std::int32_t number);

/// Throws Failure(ASSAY_UNAVAILABLE), saying both versions, unless a library of version `met` has all that `headers`
/// declare, where they declare it: the same major version, and no older. Classes only grow within one.
void check_version(const Version& met, const Version& headers, const std::string& library);

}  // namespace assay::tensorrt
