// Files that are no models, and opening in general: an error, never a crash, and nothing left behind.
#include <fstream>

#include "conformance/checks.hpp"
#include "support/tiny_models.hpp"

namespace assay::conformance {
namespace {

using backend::BackendSession;
using backend::OpenRequest;

// Opening must be refused with a message that names the file.
void refused(const Subject& subject, const std::filesystem::path& file) {
  OpenRequest request = subject.request(Model::kLinear);
  request.model = file;
  const std::string message = require_error({ErrorCode::kInvalidModel, ErrorCode::kUnsupported, ErrorCode::kFramework,
                                             ErrorCode::kIo, ErrorCode::kInvalidArgument},
                                            "open", [&] { (void)subject.backend().open(request); });
  require(message.size() > 10, "the message says too little: " + message);
}

std::filesystem::path written(const Subject& subject, const std::string& name, const std::string& bytes) {
  const std::filesystem::path file = subject.folder() / name;
  std::ofstream(file, std::ios::binary) << bytes;
  return file;
}

void a_missing_model_is_refused(const Subject& subject) { refused(subject, subject.folder() / "missing.onnx"); }
void a_folder_is_no_model(const Subject& subject) { refused(subject, subject.folder()); }
void an_empty_model_is_refused(const Subject& subject) { refused(subject, written(subject, "empty.onnx", "")); }

void garbage_is_no_model(const Subject& subject) {
  std::string bytes;
  for (unsigned i = 0, x = 1; i < 4096; ++i) bytes += static_cast<char>((x = x * 1664525U + 1013904223U) >> 24);
  refused(subject, written(subject, "garbage.onnx", bytes));
  refused(subject, written(subject, "text.onnx", "this is no ONNX file\n"));
}

void a_truncated_model_is_refused(const Subject& subject) {
  const std::string whole = read_file(subject.request(Model::kLinear).model);
  for (const std::size_t percent : {10U, 50U, 90U}) {
    refused(subject, written(subject, "cut.onnx", whole.substr(0, whole.size() * percent / 100)));
  }
}

void an_unknown_operator_is_refused(const Subject& subject) {
  const std::filesystem::path file = subject.folder() / "unknown.onnx";
  tiny::write_unknown_operator(file);
  OpenRequest request = subject.request(Model::kLinear);
  request.model = file;
  const std::string message = require_error({ErrorCode::kUnsupported, ErrorCode::kInvalidModel, ErrorCode::kFramework},
                                            "open", [&] { (void)subject.backend().open(request); });
  require(message.find("Quomodocunquize") != std::string::npos, "the message does not name the operator: " + message);
}

void a_cycle_is_refused(const Subject& subject) {
  const std::filesystem::path file = subject.folder() / "cycle.onnx";
  tiny::write_cycle(file);
  refused(subject, file);
}

void a_name_with_spaces_and_umlauts_opens(const Subject& subject) {
  OpenRequest request = subject.request(Model::kLinear);
  const std::filesystem::path file = subject.folder() / "m\u00f6del one.onnx";
  std::filesystem::copy_file(request.model, file);
  request.model = file;
  BackendSession session = subject.backend().open(request);
  LinearSlot(subject, session, 2).run(1);
}

std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

void sessions_leave_no_thread_or_file_behind(const Subject& subject) {
  const auto once = [&] {
    BackendSession session = subject.open();
    LinearSlot slot(subject, session, 2);
    Signal signal;
    slot.run(1, &signal);
  };
  for (int i = 0; i < 3; ++i) once();  // what a framework keeps for good
  const std::size_t threads = entries("/proc/self/task"), files = entries("/proc/self/fd");
  for (int i = 0; i < 20; ++i) once();
  require(entries("/proc/self/fd") <= files, "open files grew over 20 sessions");
  require(entries("/proc/self/task") <= threads + 1, "threads grew over 20 sessions");
}

void two_sessions_stand_side_by_side(const Subject& subject) {
  BackendSession one = subject.open();
  BackendSession two = subject.open(Model::kMean);
  LinearSlot slot(subject, one, 2);
  slot.run(1);
  {
    BackendSession gone = std::move(two);
  }
  slot.run(2);
}

void a_refused_model_spoils_no_other(const Subject& subject) {
  BackendSession session = subject.open();
  LinearSlot slot(subject, session, 2);
  const std::vector<float> before = slot.run(1);
  OpenRequest request = subject.request(Model::kLinear);
  request.model = subject.folder() / "missing.onnx";
  for (int i = 0; i < 5; ++i)
    require_error({ErrorCode::kInvalidModel, ErrorCode::kFramework, ErrorCode::kIo, ErrorCode::kInvalidArgument},
                  "open", [&] { (void)subject.backend().open(request); });
  require(slot.run(1) == before, "the answer of an open session changed");
}

constexpr Check kChecks[] = {
    {"a_missing_model_is_refused", a_missing_model_is_refused},
    {"a_folder_is_no_model", a_folder_is_no_model},
    {"an_empty_model_is_refused", an_empty_model_is_refused},
    {"garbage_is_no_model", garbage_is_no_model},
    {"a_truncated_model_is_refused", a_truncated_model_is_refused},
    {"an_unknown_operator_is_refused", an_unknown_operator_is_refused},
    {"a_cycle_is_refused", a_cycle_is_refused},
    {"a_name_with_spaces_and_umlauts_opens", a_name_with_spaces_and_umlauts_opens},
    {"sessions_leave_no_thread_or_file_behind", sessions_leave_no_thread_or_file_behind},
    {"two_sessions_stand_side_by_side", two_sessions_stand_side_by_side},
    {"a_refused_model_spoils_no_other", a_refused_model_spoils_no_other},
};

}  // namespace

std::span<const Check> model_checks() { return kChecks; }

}  // namespace assay::conformance
