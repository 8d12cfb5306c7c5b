// What a plugin says of itself: probe, options, describe, report, buffer.
#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "conformance/checks.hpp"

namespace assay::conformance {
namespace {

using backend::BackendSession;
using backend::OpenRequest;
using backend::Option;

void probe_names_what_it_met(const Subject& subject) {
  const backend::Probe probe = subject.backend().probe();
  require(probe.available, "not available: " + probe.reason);
  require(probe.reason.empty(), "available, and yet with a reason: " + probe.reason);
  require(!probe.version.empty(), "no version");
  require(subject.is_null() || std::filesystem::exists(probe.library),
          "the library '" + probe.library + "' is no file");
  require(!probe.origin.empty(), "no origin");
  std::set<std::string> names;
  for (const backend::Device& device : probe.devices) {
    require(!device.identity.empty(), "device '" + device.name + "' has no identity");
    require(names.insert(device.name).second, "two devices are called '" + device.name + "'");
  }
  require(names.contains(subject.device()), "no device '" + subject.device() + "'");
  const backend::Probe again = subject.backend().probe();
  require(again.version == probe.version && again.devices.size() == probe.devices.size() &&
              again.devices[0].identity == probe.devices[0].identity,
          "a second probe answers differently");
}

void probe_of_a_missing_library_says_so(const Subject& subject) {
  const std::filesystem::path missing = subject.folder() / "libmissing.so";
  const backend::Probe probe = subject.backend().probe(missing);
  require(!probe.available, "available, with a library that there is not");
  require(probe.reason.find("libmissing.so") != std::string::npos,
          "the reason does not name the library: " + probe.reason);
  OpenRequest request = subject.request(Model::kLinear);
  request.library = missing;
  require_error({ErrorCode::kUnavailable}, "open", [&] { (void)subject.backend().open(request); });
}

void options_are_whole(const Subject& subject) {
  std::set<std::string> names;
  for (const Option& option : subject.backend().options()) {
    require(names.insert(option.name).second, "two options are called '" + option.name + "'");
    const bool plain = std::all_of(option.name.begin(), option.name.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    require(plain && !option.name.empty(), "the name '" + option.name + "' is not of a-z, 0-9 and _");
    require(!option.meaning.empty() && option.meaning.find('\n') == std::string::npos,
            option.name + " has no one-line meaning");
    const bool chosen = option.type == ASSAY_OPTION_CHOICE || option.type == ASSAY_OPTION_LIST;
    require(chosen != option.choices.empty(), option.name + (chosen ? " has no choices" : " has choices, of no use"));
    require(std::set<std::string>(option.choices.begin(), option.choices.end()).size() == option.choices.size(),
            option.name + " has a choice twice");
    for (const std::string& choice : option.choices) {
      require(
          option.type != ASSAY_OPTION_LIST || (!choice.empty() && choice.find_first_of(", \t") == std::string::npos),
          option.name + ": the choice '" + choice + "' cannot stand in a list");
    }
    require(backend::checked_value(subject.backend().name(), option, option.default_value) == option.default_value,
            option.name + ": its default is not written as the host would");
  }
}

void every_option_may_be_given_its_default(const Subject& subject) {
  OpenRequest all = subject.request(Model::kLinear);
  for (const Option& option : subject.backend().options()) {
    if (all.options.contains(option.name)) continue;  // the null backend's model
    OpenRequest one = subject.request(Model::kLinear);
    one.options[option.name] = option.default_value;
    all.options[option.name] = option.default_value;
    try {
      (void)subject.backend().open(one);
    } catch (const Error& e) {
      throw Nonconformance(option.name + "=" + option.default_value + ": " + e.what());
    }
  }
  BackendSession session = subject.backend().open(all);
  LinearSlot(subject, session, 2).run(1);
}

/// Of a list nothing, each choice alone, and all of them.
std::vector<std::string> values_to_open(const Option& option) {
  if (option.type == ASSAY_OPTION_BOOL) return {"true", "false"};
  std::vector<std::string> values = option.choices;
  if (option.type != ASSAY_OPTION_LIST) return values;
  std::string all;
  for (const std::string& choice : option.choices) all += (all.empty() ? "" : ",") + choice;
  values.insert(values.end(), {"", all});
  return values;
}

void every_choice_and_truth_value_opens_or_is_unsupported(const Subject& subject) {
  for (const Option& option : subject.backend().options()) {
    for (const std::string& value : values_to_open(option)) {
      OpenRequest request = subject.request(Model::kLinear);
      request.options[option.name] = value;
      try {
        BackendSession session = subject.backend().open(request);
        LinearSlot slot(subject, session, 2);
        slot.tolerance = 0.05;  // a choice may be of a lower precision
        slot.run(1);
      } catch (const Error& e) {
        require(e.code() == ErrorCode::kUnsupported && !e.message().empty(),
                option.name + "=" + value + ": " + e.what());
      }
    }
  }
}

void an_unknown_option_is_refused(const Subject& subject) {
  OpenRequest request = subject.request(Model::kLinear);
  request.options["no_such_option"] = "1";
  require_error({ErrorCode::kInvalidArgument}, "open", [&] { (void)subject.backend().open(request); });
}

void an_unknown_device_is_refused(const Subject& subject) {
  for (const char* device : {"gpu:99", "toaster", ""}) {
    OpenRequest request = subject.request(Model::kLinear);
    request.device = device;
    require_error({ErrorCode::kInvalidArgument, ErrorCode::kUnavailable, ErrorCode::kUnsupported},
                  std::string("device '") + device + "'", [&] { (void)subject.backend().open(request); });
  }
}

void a_shape_for_no_input_is_refused(const Subject& subject) {
  OpenRequest request = subject.request(Model::kLinear);
  request.shapes["no_such_input"] = {1, 4};
  require_error({ErrorCode::kInvalidArgument}, "an unknown input", [&] { (void)subject.backend().open(request); });
  request.shapes = {{"x", {2, 7}}};
  require_error({ErrorCode::kInvalidArgument, ErrorCode::kInvalidModel, ErrorCode::kFramework}, "a wrong shape", [&] {
    BackendSession session = subject.backend().open(request);
    (void)session.open_slot(std::vector<Shape>{{2, 7}});
  });
}

void describe_agrees_with_the_model(const Subject& subject) {
  BackendSession session = subject.open(Model::kTypes);
  const backend::SessionInfo& info = session.info();
  require(info.inputs.size() == 4 && info.outputs.size() == 4, "not 4 inputs and 4 outputs");
  const char* names[] = {"a", "b", "c", "d"};
  const DType types[] = {DType::kFloat32, DType::kUint8, DType::kInt64, DType::kFloat16};
  const std::int64_t widths[] = {2, 3, 2, 2};
  for (std::size_t i = 0; i < 4; ++i) {
    require(info.inputs[i].name == names[i], "input " + std::to_string(i) + " is called " + info.inputs[i].name);
    require(info.inputs[i].dtype == types[i], std::string(names[i]) + " has type " + to_string(info.inputs[i].dtype));
    require(info.inputs[i].shape == Shape{-1, widths[i]},
            std::string(names[i]) + " is " + to_string(info.inputs[i].shape));
    require(info.outputs[i].rank_known && info.outputs[i].shape == Shape{-1, widths[i]},
            info.outputs[i].name + " is " + to_string(info.outputs[i].shape));
  }
  const char* outputs[] = {"a2", "b1", "c2", "d2"};
  for (std::size_t i = 0; i < 4; ++i)
    require(info.outputs[i].name == outputs[i], "an output is called " + info.outputs[i].name);
  require(!info.from_cache, "from the cache, and there was none");
  require(info.alignment <= 4096 && (info.alignment & (info.alignment - 1)) == 0,
          "the alignment is no power of two up to 4096");
  require((info.memory_kinds & (1U << ASSAY_HOST)) != 0, "host memory is not taken");
}

void what_is_in_force_is_read_back(const Subject& subject) {
  BackendSession session = subject.open();
  const auto& in_force = session.info().in_force;
  for (const char* key : {"device", "precision", "threads", "streams", "version"}) {
    require(in_force.contains(key) && !in_force.at(key).empty(), std::string("'") + key + "' is not said");
  }
  require(in_force.at("device") == subject.device(),
          subject.device() + " was asked for and " + in_force.at("device") + " is in force");
  require(in_force.at("precision") == "f32", "f32 was asked for and " + in_force.at("precision") + " is in force");
  require(in_force.at("threads") == "1", "1 thread was asked for and " + in_force.at("threads") + " are in force");
  require(in_force.at("version") == subject.backend().probe().version, "the version is another than probe's");
}

void both_goals_open(const Subject& subject) {
  for (const Goal goal : {Goal::kThroughput, Goal::kLatency}) {
    for (const int threads : {1, 2}) {
      OpenRequest request = subject.request(Model::kLinear);
      request.goal = goal;
      request.threads = threads;
      BackendSession session = subject.backend().open(request);
      require(goal == Goal::kThroughput || session.info().useful_slots == 1,
              "for latency, more than one batch is called useful");
      LinearSlot(subject, session, 2).run(1);
    }
  }
  OpenRequest request = subject.request(Model::kLinear);
  request.in_flight = 3;
  BackendSession session = subject.backend().open(request);
  LinearSlot(subject, session, 2).run(1);
}

void each_precision_works_or_is_unsupported(const Subject& subject) {
  for (const Precision precision : {Precision::kFloat32, Precision::kBFloat16, Precision::kFloat16, Precision::kInt8}) {
    OpenRequest request = subject.request(Model::kLinear);
    request.precision = precision;
    try {
      BackendSession session = subject.backend().open(request);
      LinearSlot slot(subject, session, 2);
      slot.tolerance = precision == Precision::kFloat32 ? 1e-4 : 0.2;
      slot.run(1);
    } catch (const Error& e) {
      require(precision != Precision::kFloat32 && e.code() == ErrorCode::kUnsupported, e.what());
      require(e.message().size() > 10, "no reason is given");
    }
  }
}

void reports_are_json_or_unsupported(const Subject& subject) {
  OpenRequest request = subject.request(Model::kLinear);
  request.profile = true;
  BackendSession session = subject.backend().open(request);
  LinearSlot slot(subject, session, 2);
  slot.run(1);
  slot.run(2);
  for (const char* kind : {"profile", "placement", "memory", "plan", "dump"}) {
    try {
      const std::string text = session.report(kind);
      require(nlohmann::json::accept(text), std::string(kind) + " is not JSON: " + text.substr(0, 200));
    } catch (const Error& e) {
      require(e.code() == ErrorCode::kUnsupported && !e.message().empty(), std::string(kind) + ": " + e.what());
    }
  }
  require_error({ErrorCode::kUnsupported, ErrorCode::kInvalidArgument}, "an unknown kind",
                [&] { (void)session.report("horoscope"); });
}

void buffers_are_memory(const Subject& subject) {
  BackendSession session = subject.open();
  for (const assay_memory kind : {ASSAY_HOST, ASSAY_PINNED}) {
    try {
      auto* data = static_cast<std::byte*>(session.allocate(kind, 1000));
      require(data != nullptr, "allocating answered no memory");
      std::fill_n(data, 1000, std::byte{7});
      session.release(kind, data);
    } catch (const Error& e) {
      require(e.code() == ErrorCode::kUnsupported && !e.message().empty(), e.what());
    }
  }
}

constexpr Check kChecks[] = {
    {"probe_names_what_it_met", probe_names_what_it_met},
    {"probe_of_a_missing_library_says_so", probe_of_a_missing_library_says_so},
    {"options_are_whole", options_are_whole},
    {"every_option_may_be_given_its_default", every_option_may_be_given_its_default},
    {"every_choice_and_truth_value_opens_or_is_unsupported", every_choice_and_truth_value_opens_or_is_unsupported},
    {"an_unknown_option_is_refused", an_unknown_option_is_refused},
    {"an_unknown_device_is_refused", an_unknown_device_is_refused},
    {"a_shape_for_no_input_is_refused", a_shape_for_no_input_is_refused},
    {"describe_agrees_with_the_model", describe_agrees_with_the_model},
    {"what_is_in_force_is_read_back", what_is_in_force_is_read_back},
    {"both_goals_open", both_goals_open},
    {"each_precision_works_or_is_unsupported", each_precision_works_or_is_unsupported},
    {"reports_are_json_or_unsupported", reports_are_json_or_unsupported},
    {"buffers_are_memory", buffers_are_memory},
};

}  // namespace

std::span<const Check> contract_checks() { return kChecks; }

}  // namespace assay::conformance
