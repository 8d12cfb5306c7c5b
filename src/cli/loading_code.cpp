#include "cli/loading_code.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "assay/ensemble.hpp"
#include "base/add_once.hpp"
#include "cli/bench.hpp"
#include "model/zoo.hpp"

namespace assay::cli {
namespace {

using Fields = std::vector<std::string>;

/// As C++ writes it: what is not printable in octal, which ends after three digits whatever follows.
std::string literal(const std::string& text) {
  std::string code = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      code += fmt::format("\\{}", c);
    } else if (byte < 0x20 || byte == 0x7f) {
      code += fmt::format("\\{:03o}", byte);
    } else {
      code += c;
    }
  }
  return code + "\"";
}

std::string braced(const Fields& fields) { return fmt::format("{{{}}}", fmt::join(fields, ", ")); }

std::string file_of(const std::string& member) { return model::is_zoo_network(member) ? member + ".onnx" : member; }

std::string member_code(const Case& c, const std::vector<std::string>& members, std::size_t m) {
  Fields fields = {".model = " + literal(file_of(members[m]))};
  if (m < c.weights.size()) fields.push_back(fmt::format(".weight = {}", c.weights[m]));
  if (m < c.placement.seats.size()) {
    const Placement::Seat& seat = c.placement.seats[m];
    fields.push_back(".backend = " + literal(seat.backend));
    if (!seat.device.empty()) fields.push_back(".device = " + literal(seat.device));
    if (seat.threads > 0) fields.push_back(fmt::format(".threads = {}", seat.threads));
    if (seat.batch_size > 0) fields.push_back(fmt::format(".batch_size = {}", seat.batch_size));
  }
  return braced(fields);
}

const char* precision_code(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "kFloat32";
    case Precision::kBFloat16:
      return "kBFloat16";
    case Precision::kFloat16:
      return "kFloat16";
    case Precision::kInt8:
      return "kInt8";
  }
  return "kFloat32";
}

/// In the order of Params, as C++ wants it.
Fields params_code(const Campaign& campaign, const Case& c) {
  Fields fields, shapes, axes, libraries;
  for (const auto& [name, shape] : c.shapes) {
    shapes.push_back(fmt::format("{{{}, {{{}}}}}", literal(name), fmt::join(shape, ", ")));
  }
  for (const auto& [name, axis] : c.batch_axis) axes.push_back(fmt::format("{{{}, {}}}", literal(name), axis));
  for (const std::string& backend : members_of(c.backend)) {
    const auto asked = campaign.environment.find(kAskedLibrary + backend);
    if (asked == campaign.environment.end()) continue;
    libraries.push_back(fmt::format("{{{}, {}}}", literal(backend), literal(asked->second)));
  }
  if (c.placement.seats.empty()) fields.push_back(".backend = " + literal(c.backend));
  // On several devices every member has its own.
  if (c.device != kCpu && devices_of(c).size() == 1) fields.push_back(".device = " + literal(c.device));
  fields.push_back(fmt::format(".batch_size = {}", c.batch_size));
  if (c.in_flight != 0) fields.push_back(fmt::format(".in_flight = {}", c.in_flight));
  fields.push_back(fmt::format(".threads = {}", c.threads));
  if (c.precision != Precision::kFloat32) {
    fields.push_back(fmt::format(".precision = assay::Precision::{}", precision_code(c.precision)));
  }
  if (!shapes.empty()) fields.push_back(".shapes = " + braced(shapes));
  if (!axes.empty()) fields.push_back(".batch_axis = " + braced(axes));
  if (!libraries.empty()) fields.push_back(".libraries = " + braced(libraries));
  return fields;
}

const char* combine_code(const std::string& combine) {
  switch (combine_from_string(combine)) {
    case Combine::kMean:
      return "kMean";
    case Combine::kVote:
      return "kVote";
    case Combine::kMembers:
      return "kMembers";
  }
  return "kMean";
}

}  // namespace

std::string loading_code(const Campaign& campaign, const Case& c) {
  const std::vector<std::string> members = members_of(c.model);
  std::vector<std::string> made, codes;
  for (std::size_t m = 0; m < members.size(); ++m) {
    const std::string& name = members[m];
    codes.push_back(member_code(c, members, m));
    if (model::is_zoo_network(name)) add_once(made, name);
  }
  std::string code = "#include <assay/ensemble.hpp>\n";
  if (!made.empty()) code += fmt::format("// Its files: assay models make {}\n", fmt::join(made, ","));
  code += fmt::format(
      "assay::Session session = assay::load(\n"
      "    assay::Ensemble{{.members = {{{}}},\n",
      fmt::join(codes, ",\n                                "));
  if (c.combine != "mean") {
    code += fmt::format("                    .combine = assay::Combine::{},\n", combine_code(c.combine));
  }
  return code + fmt::format("                    .strategy = {}}},\n    {});\n", literal(executed_strategy(c)),
                            braced(params_code(campaign, c)));
}

}  // namespace assay::cli
