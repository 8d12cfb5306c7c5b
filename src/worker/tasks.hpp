#pragma once
// What a worker can be asked for: one function a kind of request, one table.

#include <map>
#include <string>
#include <vector>

#include "worker/protocol.hpp"
#include "worker/reporter.hpp"

namespace assay::worker {

/// Values and texts of a kResult event.
struct TaskResult {
  std::map<std::string, std::vector<double>> values;
  std::map<std::string, std::string> texts;
};

// Each throws Error; the phase it was in is the reporter's.
TaskResult measure_case(const Request& request, Reporter& reporter);
TaskResult read_memory(const Request& request, Reporter& reporter);
TaskResult read_member_memory(const Request& request, Reporter& reporter);
TaskResult make_reference(const Request& request, Reporter& reporter);
TaskResult answer_once(const Request& request, Reporter& reporter);
TaskResult probe_backend(const Request& request, Reporter& reporter);

/// Throws Error(kFramework) where another device or another arithmetic is in force than the case asked for, of the
/// whole or of one member of an ensemble: it would be measured under a wrong name.
void require_as_asked(const Case& test_case, const std::map<std::string, std::string>& in_force);

/// By kind.
TaskResult run_task(const Request& request, Reporter& reporter);

}  // namespace assay::worker
