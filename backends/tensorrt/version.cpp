#include "version.hpp"

#include "assay/backend_kit.hpp"

namespace assay::tensorrt {

std::string to_string(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(version.patch);
}

Version decode_version(std::int32_t number) {
  constexpr std::int32_t kFirstOfFiveDigits = 100000;  // 10.0.0
  constexpr std::int32_t kHundred = 100;
  const std::int32_t majors = number >= kFirstOfFiveDigits ? kHundred * kHundred : kHundred * kHundred / 10;
  return {number / majors, number % majors / kHundred, number % kHundred};
}

void check_version(const Version& met, const Version& headers, const std::string& library) {
  if (met.major == headers.major && met.minor >= headers.minor) return;
  const std::string wanted = std::to_string(headers.major) + "." + std::to_string(headers.minor);
  throw kit::Failure(ASSAY_UNAVAILABLE,
                     library + " is TensorRT " + to_string(met) + ", which is too " + (met < headers ? "old" : "new") +
                         ": this plugin was compiled with the headers of " + wanted + " and takes " + wanted +
                         " or a later " + std::to_string(headers.major) +
                         ". Install that one and name its folder in ASSAY_TENSORRT_PATH, or compile Assay with the "
                         "headers of yours (TENSORRT_ROOT)");
}

}  // namespace assay::tensorrt
