#pragma once
// Text for a session's reports. Not part of backend_kit.hpp.

#include <cstdio>
#include <string>
#include <string_view>

namespace assay::kit {

/// As a JSON string, with its quotes.
inline std::string json_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      result += escape;
    } else {
      result += c;
    }
  }
  return result + '"';
}

}  // namespace assay::kit
