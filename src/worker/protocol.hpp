#pragma once
// What a launcher and its worker process say to each other, as JSON in length-prefixed frames.

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/case.hpp"
#include "core/outcome.hpp"
#include "measure/effort.hpp"

namespace assay::worker {

/// What one worker process is to do, once.
struct Request {
  enum class Kind {
    kMeasure,       ///< load cold, load cached, first, parity, warm-up, window
    kMemory,        ///< load and run a little; peak and resting memory
    kMemberMemory,  ///< load an ensemble's members one after the other; what each adds
    kReference,     ///< run `parity_samples` seeded samples and write the outputs to reference_file
    kStart,         ///< load (cached) and answer once: from exec to the first answer
    kProbe,         ///< what `assay backends` asks: the plugin's probe, as a result
  };
  Kind kind = Kind::kMeasure;
  Case test_case;
  std::filesystem::path model;                 ///< resolved; of an ensemble, its first member's
  std::vector<std::filesystem::path> members;  ///< of an ensemble, in its order; empty for one model
  measure::Effort effort;
  std::filesystem::path cache_folder;    ///< "": none
  std::filesystem::path reference_file;  ///< "": unverified; else written by a kReference worker
  /// Of weights rounded to the case's precision: widens the tolerance (parity_gate.hpp). "": none.
  std::filesystem::path rounded_reference_file;
  Precision weights_rounded_to = Precision::kFloat32;      ///< kReference: of the model, before it is loaded
  std::filesystem::path library;                           ///< explicit path of the (first) engine's framework, or ""
  std::map<std::string, std::filesystem::path> libraries;  ///< of a placed ensemble's engines, where one was given
  double parity_tolerance = 2e-4;
  std::string profile_file;  ///< "": no profile
  std::int64_t exec_ns = 0;  ///< CLOCK_MONOTONIC just before the worker was started; set by the launcher
};

/// The phases in which an engine is opened, and a model loaded (each time anew).
inline constexpr const char* kOpenPhase = "open";
inline constexpr const char* kLoadPhase = "load";

/// What a worker reports. `phase` names where it is ("load", "first", "parity", "warm-up", "window", "memory",
/// "unload").
struct Event {
  enum class Kind { kPhase, kLog, kResult, kFailure };
  Kind kind = Kind::kPhase;
  std::string phase;
  double progress = 0;                    ///< of the phase, 0 to 1
  std::string message;                    ///< kLog, kFailure
  std::string warning{}, advice{};        ///< kLog: a Warning's kind and advice; "" of what is only said
  ErrorCode code = ErrorCode::kInternal;  ///< kFailure
  /// kResult: numbers (base units: ns, bytes, 1), as measure::Observations names them; texts: "in_force.<key>" as read
  /// back, "parity" (against what, or why unverified), "remark.<tag>", "warm_up", "input", "cache".
  std::map<std::string, std::vector<double>> values;
  std::map<std::string, std::string> texts;
};

/// "measure", "memory", "member_memory", "reference", "start", "probe"; the inverse throws Error(kInvalidArgument).
const char* to_string(Request::Kind kind);
Request::Kind request_kind_from_string(const std::string& text);

/// Members of the wrong type throw Error(kInvalidArgument).
nlohmann::json to_json(const Request& r);
Request request_from_json(const nlohmann::json& j);
nlohmann::json to_json(const Event& e);
Event event_from_json(const nlohmann::json& j);

}  // namespace assay::worker
