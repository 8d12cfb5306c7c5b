// assay models: the networks that Assay writes itself, and what is known of any ONNX file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "assay/error.hpp"
#include "base/file.hpp"
#include "cli/cli.hpp"
#include "model/model.hpp"
#include "model/zoo.hpp"
#include "report/format.hpp"
#include "runner/plan.hpp"

namespace assay::cli {
namespace {

std::string grouped(std::int64_t n) {
  std::string text = std::to_string(n);
  for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3)
    text.insert(static_cast<std::size_t>(i), ",");
  return text;
}

int list(bool json, Context& context) {
  nlohmann::json all = nlohmann::json::array();
  for (const model::ZooNetwork& n : model::zoo()) {
    if (json) {
      all.push_back({{"name", n.name}, {"summary", n.summary}, {"parameters", n.parameters}, {"tiny", n.tiny}});
    } else {
      const std::string head = report::pad_right(n.name, 18) + report::pad_left(grouped(n.parameters), 12);
      *context.out << report::hang(head, n.summary, 32, report::kColumns) << "\n";
    }
  }
  if (json) {
    *context.out << nlohmann::json{{"schema", 1}, {"models", all}}.dump(2) << "\n";
  } else {
    *context.out << "\nWeights are seeded, not trained: for timing only, their answers mean nothing.\n";
  }
  return kOk;
}

std::vector<std::string> names_of(const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (const std::string& entry : given) {
    std::istringstream parts(entry);
    for (std::string name; std::getline(parts, name, ',');) {
      if (name != "all") {
        names.push_back(name);
        continue;
      }
      for (const model::ZooNetwork& n : model::zoo()) names.push_back(n.name);
    }
  }
  return names;
}

int make(const std::vector<std::string>& given, const std::string& folder, std::uint64_t seed, bool logits,
         Context& context) {
  const std::vector<std::string> names = names_of(given);
  for (const std::string& name : names) {
    if (!model::is_zoo_network(name)) (void)model::write_zoo_network({.name = name}, folder);  // the error
  }
  for (const std::string& name : names) {
    if (*context.stop) return kInterrupted;
    const auto file = model::write_zoo_network({name, seed, logits, context.stop}, folder);
    *context.out << file.string() << "\n" << std::flush;
  }
  return kOk;
}

std::string text_of(const model::Port& p) {
  if (!p.shape) return p.name + ": " + p.type;
  std::string shape;
  for (std::size_t i = 0; i < p.shape->size(); ++i) {
    const std::int64_t size = (*p.shape)[i];
    const std::string axis = p.axes[i].empty() ? "?" : p.axes[i];
    shape += (i == 0 ? "" : "x") + (size < 0 ? axis : std::to_string(size));
  }
  return fmt::format("{}: {} {}", p.name, p.type, shape.empty() ? "scalar" : shape);
}

nlohmann::json to_json(const std::vector<model::Port>& ports) {
  nlohmann::json all = nlohmann::json::array();
  for (const model::Port& p : ports) {
    all.push_back({{"name", p.name},
                   {"type", p.type},
                   {"shape", p.shape ? nlohmann::json(*p.shape) : nlohmann::json(nullptr)},
                   {"axes", p.axes}});
  }
  return all;
}

constexpr const char* kNotKnown =
    "parameters, layers, jumps and FLOPs: not known, for they are counted in ONNX alone; convert it with tf2onnx to "
    "have them";

nlohmann::json to_json(const model::Model& m) {
  const model::Statistics& s = m.statistics;
  nlohmann::json j = {{"schema", 1},
                      {"path", m.path.string()},
                      {"opset", m.opset},
                      {"ir_version", m.ir_version},
                      {"producer", m.producer},
                      {"parameters", s.parameters},
                      {"layers", s.layers},
                      {"parameters_per_layer", s.parameters_per_layer},
                      {"jumps", s.jumps},
                      {"jumps_by_operator", s.jumps_by_operator},
                      {"operators", s.operators},
                      {"weight_bytes", s.weight_bytes},
                      {"flops", s.flops ? nlohmann::json(*s.flops) : nlohmann::json(nullptr)}};
  j["format"] = to_string(m.format);
  if (m.format != model::Format::kOnnx) {
    for (const char* key : {"opset", "ir_version", "producer", "parameters", "layers", "parameters_per_layer", "jumps",
                            "jumps_by_operator", "weight_bytes"}) {
      j[key] = nullptr;
    }
    j["remark"] = kNotKnown;
  }
  j["inputs"] = to_json(m.input_ports);
  j["outputs"] = to_json(m.output_ports);
  if (m.format == model::Format::kSavedModel) j["signatures"] = m.signatures;
  return j;
}

std::string counts(const std::map<std::string, std::int64_t>& of) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : of) parts.push_back(fmt::format("{} {}", count, name));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// Of what is not ONNX: what was easily read of it, and what is not known said.
void print_foreign(const model::Model& m, std::ostream& out) {
  const auto line = [&](const char* label, const std::string& text) {
    out << report::hang(label, text, 18, report::kColumns) << "\n";
  };
  line("model", m.path.string());
  line("format", fmt::format("{}; --backend tensorflow runs it", describe(m.format)));
  for (const model::Port& p : m.input_ports) line("input", text_of(p));
  for (const model::Port& p : m.output_ports) line("output", text_of(p));
  if (m.format == model::Format::kGraphDef) {
    line("outputs", "not said in the file: what nothing takes, or --option tensorflow.outputs=NAME,…");
  } else if (m.output_ports.empty()) {
    line("inputs, outputs", "it has no signature serving_default; --option tensorflow.signature=NAME chooses one");
  }
  if (!m.signatures.empty()) line("signatures", fmt::format("{}", fmt::join(m.signatures, ", ")));
  line("files",
       fmt::format("{} ({:.1f} MiB)", m.files.size(), static_cast<double>(m.statistics.weight_bytes) / 0x1p20));
  line("operators", counts(m.statistics.operators));
  line("not known", kNotKnown);
}

void print(const model::Model& m, std::ostream& out) {
  if (m.format != model::Format::kOnnx) return print_foreign(m, out);
  const model::Statistics& s = m.statistics;
  const auto line = [&](const char* label, const std::string& text) {
    out << report::hang(label, text, 18, report::kColumns) << "\n";
  };
  line("model", m.path.string());
  line("parameters", grouped(s.parameters));
  line("layers", fmt::format("{} ({} parameters a layer)", s.layers, grouped(std::llround(s.parameters_per_layer))));
  line("jumps", s.jumps == 0 ? "0" : fmt::format("{} ({})", s.jumps, counts(s.jumps_by_operator)));
  for (const model::Port& p : m.input_ports) line("input", text_of(p));
  for (const model::Port& p : m.output_ports) line("output", text_of(p));
  line("FLOPs a sample", s.flops ? fmt::format("{:.3f} G (2 a multiply-add)", static_cast<double>(*s.flops) / 1e9)
                                 : "not known: a shape or an operator is open (see --shape)");
  line("weights", fmt::format("{:.1f} MiB", static_cast<double>(s.weight_bytes) / 0x1p20));
  line("opset", fmt::format("{} (IR {}), by {}", m.opset, m.ir_version, m.producer.empty() ? "?" : m.producer));
  line("operators", counts(s.operators));
}

struct ShowOptions {
  std::string model;
  std::vector<std::string> shapes, batch_axes;
  bool json = false;
};

int show(const ShowOptions& options, Context& context) {
  runner::Axes axes;
  for (const runner::Setting& setting : runner::settings()) {
    if (setting.name == std::string("shape")) apply_setting(axes, setting, options.shapes);
    if (setting.name == std::string("batch-axis")) apply_setting(axes, setting, options.batch_axes);
  }
  const auto path = model::resolve_model(options.model, default_cache_folder());
  const model::Model m = model::inspect_model(path, axes.shapes, axes.batch_axis);
  if (options.json) {
    *context.out << to_json(m).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    print(m, *context.out);
  }
  return kOk;
}

void add_list(CLI::App& models, Action& action) {
  CLI::App* command = models.add_subcommand("list", "the zoo: networks that Assay writes itself");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "as JSON");
  command->callback([&action, json] { action = [json](Context& context) { return list(*json, context); }; });
}

void add_make(CLI::App& models, Action& action) {
  struct Options {
    std::vector<std::string> names;
    std::string folder = ".";
    std::uint64_t seed = 1;
    bool logits = false;
  };
  CLI::App* command = models.add_subcommand("make", "write networks of the zoo as ONNX files");
  const auto o = std::make_shared<Options>();
  command->add_option("NAME", o->names, "NAME[,NAME…] or all")->required();
  command->add_option("--dir", o->folder, "where to")->capture_default_str();
  command->add_option("--seed", o->seed, "of the weights")->capture_default_str()->check(CLI::NonNegativeNumber);
  command->add_flag("--logits", o->logits, "outputs before the last Softmax");
  command->callback([&action, o] {
    action = [o](Context& context) { return make(o->names, o->folder, o->seed, o->logits, context); };
  });
}

void add_show(CLI::App& models, Action& action) {
  CLI::App* command =
      models.add_subcommand("show", "inputs, outputs, layers, jumps and FLOPs of any ONNX file; of TensorFlow's, less");
  const auto o = std::make_shared<ShowOptions>();
  command->add_option("MODEL", o->model, "a model file or a name of the zoo")->required();
  command->add_option("--shape", o->shapes, "NAME=1x3x640x640: a value for each free axis")->allow_extra_args(false);
  command->add_option("--batch-axis", o->batch_axes, "NAME=K|none: which axis of an input counts samples")
      ->allow_extra_args(false);
  command->add_flag("--json", o->json, "as JSON");
  command->callback([&action, o] { action = [o](Context& context) { return show(*o, context); }; });
}

}  // namespace

void add_models(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("models", "networks to measure, and what is known of a model file");
  command->footer("Examples:\n  assay models show my.onnx\n  assay models make resnet50,vgg19 --dir networks");
  command->require_subcommand(1);
  add_list(*command, action);
  add_make(*command, action);
  add_show(*command, action);
}

}  // namespace assay::cli
