#include "core/case.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/error.hpp"
#include "base/sha256.hpp"
#include "core/json.hpp"

namespace assay {
namespace {

[[noreturn]] void unknown(const std::string& what, const std::string& text, const std::string& known) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' is no {}; there are {}", text, what, known));
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

std::vector<std::string> members_of(const std::string& model) {
  std::error_code error;
  if (model.find('+') == std::string::npos || std::filesystem::exists(model, error)) return {model};
  std::vector<std::string> members;
  std::istringstream in(model + "+");
  for (std::string member; std::getline(in, member, '+');) {
    if (member.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("'{}' has an empty member; an ensemble is MODEL+MODEL+…", model));
    }
    members.push_back(member);
  }
  return members;
}

std::string joined_members(const std::vector<std::string>& members) {
  return fmt::format("{}", fmt::join(members, "+"));
}

std::string describe_placement(const Case& c) {
  const std::vector<std::string> members = members_of(c.model);
  std::vector<std::string> texts;
  for (std::size_t m = 0; m < members.size() && m < c.placement.seats.size(); ++m) {
    const Placement::Seat& seat = c.placement.seats[m];
    const std::string batch = seat.batch_size > 0 ? fmt::format(" in batches of {}", seat.batch_size) : "";
    texts.push_back(fmt::format("{} on {}{}", std::filesystem::path(members[m]).stem().string(), seat.backend, batch));
  }
  return fmt::format("{}: {}", c.placement.strategy, fmt::join(texts, ", "));
}

std::string describe(const Case& c) {
  std::string text = fmt::format("{} · {} · {} · batch {}", c.model, c.backend, to_string(c.goal),
                                 c.batch_size == 0 ? "model" : std::to_string(c.batch_size));
  if (is_ensemble(c)) text += " · " + c.strategy;
  if (!c.placement.seats.empty()) text += fmt::format(" ({})", describe_placement(c));
  if (c.device != "cpu") text += " · " + c.device;
  if (c.precision != Precision::kFloat32) text += fmt::format(" · {}", to_string(c.precision));
  if (c.in_flight != 0) text += fmt::format(" · in flight {}", c.in_flight);
  for (const auto& [key, value] : c.options) text += fmt::format(" · {}={}", key, value);
  return text;
}

std::string case_key(const Case& c) { return sha256_of(to_json(c).dump()).substr(0, 16); }

}  // namespace assay
