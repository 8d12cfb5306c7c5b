#include "core/case.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "assay/error.hpp"
#include "base/sha256.hpp"
#include "core/json.hpp"

namespace assay {
namespace {

[[noreturn]] void unknown(const std::string& what, const std::string& text, const std::string& known) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' is no {}; there are {}", text, what, known));
}

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::string with_plus_twice(const std::string& name) {
  std::string result;
  for (const char c : name) result += c == '+' ? "++" : std::string(1, c);
  return result;
}

/// The inverse of joined_members.
std::vector<std::string> split_at_plus(const std::string& text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '+') {
      parts.back() += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '+') {
      parts.back() += text[i++];
    } else {
      parts.emplace_back();
    }
  }
  return parts;
}

/// A path, and no name of the zoo, at which there is nothing.
bool leads_nowhere(const std::string& member) {
  return member.find_first_of("./") != std::string::npos && !is_there(member);
}

[[noreturn]] void refuse_single_plus(const std::string& path) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is there; as a member of an ensemble each '+' in it is written twice: {}", path,
                          with_plus_twice(path)));
}

/// "a+b.onnx" in "a+b.onnx+c", where there is such a file and no b.onnx, and "c++/a.onnx" where there is no c+/a.onnx:
/// the error says how it is written.
void refuse_misread(const std::vector<std::string>& members) {
  for (std::size_t first = 0; first < members.size(); ++first) {
    std::string name = members[first];
    bool nowhere = leads_nowhere(name);
    if (const std::string typed = with_plus_twice(name); nowhere && typed != name && is_there(typed)) {
      refuse_single_plus(typed);
    }
    for (std::size_t last = first + 1; last < members.size(); ++last) {
      name += "+" + members[last];
      nowhere = nowhere || leads_nowhere(members[last]);
      if (nowhere && is_there(name)) refuse_single_plus(name);
    }
  }
}

}  // namespace

const char* to_string(Goal goal) { return goal == Goal::kLatency ? "latency" : "throughput"; }

Goal goal_from_string(const std::string& text) {
  if (text == "throughput") return Goal::kThroughput;
  if (text == "latency") return Goal::kLatency;
  unknown("goal", text, "throughput, latency");
}

const char* to_string(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "f32";
    case Precision::kBFloat16:
      return "bf16";
    case Precision::kFloat16:
      return "f16";
    case Precision::kInt8:
      return "int8";
  }
  return "f32";
}

Precision precision_from_string(const std::string& text) {
  for (const Precision p : {Precision::kFloat32, Precision::kBFloat16, Precision::kFloat16, Precision::kInt8}) {
    if (text == to_string(p)) return p;
  }
  unknown("precision", text, "f32, bf16, f16, int8");
}

std::string trouble_with_weight(double weight) {
  constexpr double kLeast = 1e-6, kMost = 1e6;
  if (weight >= kLeast && weight <= kMost) return "";
  return "it must be positive, from a millionth to a million: only ratios count (of a member whose weight is 0, leave "
         "the member out)";
}

std::vector<double> whole_parts(std::span<const double> weights) {
  constexpr double kMostScale = 1e6;
  constexpr double kRounding = 1e-12;
  for (double scale = 1; scale <= kMostScale; scale *= 10) {
    std::vector<double> parts;
    for (const double w : weights) parts.push_back(std::round(w * scale));
    const auto is_whole = [&](double w, double part) { return std::abs(w * scale - part) <= kRounding * part; };
    if (std::equal(weights.begin(), weights.end(), parts.begin(), is_whole)) return parts;
  }
  return {weights.begin(), weights.end()};
}

std::vector<std::string> members_of(const std::string& model) {
  if (model.find('+') == std::string::npos || is_there(model)) return {model};
  std::vector<std::string> members = split_at_plus(model);
  if (std::find(members.begin(), members.end(), "") != members.end()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("'{}' has an empty member; an ensemble is MODEL+MODEL+…, and a '+' within a name is written "
                    "twice",
                    model));
  }
  refuse_misread(members);
  return members;
}

std::string joined_members(const std::vector<std::string>& members) {
  if (members.size() == 1) return members.front();
  std::vector<std::string> escaped;
  escaped.reserve(members.size());
  for (const std::string& member : members) escaped.push_back(with_plus_twice(member));
  return fmt::format("{}", fmt::join(escaped, "+"));
}

std::vector<std::string> member_names(const std::vector<std::string>& members) {
  std::vector<std::string> names;
  for (const std::string& member : members) names.push_back(std::filesystem::path(member).stem().string());
  std::set<std::string> taken(names.begin(), names.end());  // "a#2" may be a file's name, too
  std::map<std::string, int> seen;
  for (std::string& name : names) {
    int& number = seen[name];
    if (++number == 1) continue;
    while (!taken.insert(fmt::format("{}#{}", name, number)).second) ++number;
    name = fmt::format("{}#{}", name, number);
  }
  return names;
}

const std::string& executed_strategy(const Case& c) {
  return c.placement.strategy.empty() ? c.strategy : c.placement.strategy;
}

std::vector<std::string> devices_of(const Case& c) { return split_at_plus(c.device); }

std::vector<std::string> gpus_of(const Case& c) {
  std::vector<std::string> gpus = devices_of(c);
  std::erase(gpus, kCpu);
  return gpus;
}

std::string device_of(const Case& c, std::size_t m) {
  const std::vector<Placement::Seat>& seats = c.placement.seats;
  return m < seats.size() && !seats[m].device.empty() ? seats[m].device : devices_of(c).front();
}

std::string engine_of(const Placement::Seat& seat) {
  return seat.device.empty() ? seat.backend : seat.backend + " " + seat.device;
}

std::string describe_placement(const Case& c) {
  const std::vector<std::string> names = member_names(members_of(c.model));
  std::vector<std::string> texts;
  for (std::size_t m = 0; m < names.size() && m < c.placement.seats.size(); ++m) {
    const Placement::Seat& seat = c.placement.seats[m];
    const std::string batch = seat.batch_size > 0 ? fmt::format(" in batches of {}", seat.batch_size) : "";
    const std::string threads =
        seat.threads > 0 ? fmt::format(" with {} thread{}", seat.threads, seat.threads == 1 ? "" : "s") : "";
    texts.push_back(fmt::format("{} on {}{}{}", names[m], engine_of(seat), threads, batch));
  }
  return fmt::format("{}: {}", c.placement.strategy, fmt::join(texts, ", "));
}

std::string describe(const Case& c) {
  std::string text = fmt::format("{} · {} · {} · batch {}", c.model, c.backend, to_string(c.goal),
                                 c.batch_size == 0 ? "model" : std::to_string(c.batch_size));
  if (is_ensemble(c)) text += " · " + c.strategy;
  if (!c.placement.seats.empty()) text += fmt::format(" ({})", describe_placement(c));
  if (c.device != kCpu) text += " · " + c.device;
  if (c.precision != Precision::kFloat32) text += fmt::format(" · {}", to_string(c.precision));
  if (c.in_flight != 0) text += fmt::format(" · in flight {}", c.in_flight);
  for (const auto& [key, value] : c.options) text += fmt::format(" · {}={}", key, value);
  return text;
}

std::string case_key(const Case& c) { return sha256_of(to_json(c).dump()).substr(0, 16); }

}  // namespace assay
