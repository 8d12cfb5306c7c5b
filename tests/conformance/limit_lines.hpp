#pragma once
// What a backend is known not to do, a line each: "NAME: reason", or "NAME on gpu: reason" where that is so on one kind
// of device alone. '#' begins a comment.

#include <istream>
#include <stdexcept>
#include <string>
#include <vector>

namespace assay::conformance {

struct LimitLine {
  std::string name, reason;
};

/// Those that hold on `device` ("cpu", "gpu:0"). Throws std::runtime_error for a line without a reason.
inline std::vector<LimitLine> limit_lines(std::istream& text, const std::string& device) {
  static const std::string kBefore = ": ", kOn = " on ";
  const std::string kind = device.substr(0, device.find(':'));
  std::vector<LimitLine> limits;
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t colon = line.find(kBefore);
    if (colon == std::string::npos || colon + kBefore.size() == line.size()) {
      throw std::runtime_error("a line of a list of limits is neither 'NAME: reason' nor 'NAME on DEVICE: reason': " +
                               line);
    }
    std::string name = line.substr(0, colon);
    const std::size_t on = name.find(kOn);
    if (on != std::string::npos && name.substr(on + kOn.size()) != kind) continue;
    limits.push_back({name.substr(0, on), line.substr(colon + kBefore.size())});
  }
  return limits;
}

}  // namespace assay::conformance
