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
TaskResult make_reference(const Request& request, Reporter& reporter);
TaskResult answer_once(const Request& request, Reporter& reporter);
TaskResult probe_backend(const Request& request, Reporter& reporter);

/// By kind.
TaskResult run_task(const Request& request, Reporter& reporter);

}  // namespace assay::worker
