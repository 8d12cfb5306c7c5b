#include "engine/ensemble/merged.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/sha256.hpp"
#include "engine/ensemble/combine.hpp"
#include "engine/ensemble/one_graph.hpp"
#include "engine/graph_cache.hpp"
#include "engine/session_impl.hpp"
#include "onnx_graph/merge.hpp"

namespace assay::engine {
namespace {

namespace fs = std::filesystem;
using onnx_graph::ElementType;
using onnx_graph::Merge;

/// The first whose Add, Mul and Equal take shapes that differ.
constexpr std::int64_t kLeastOpset = 7;
/// From here on Unsqueeze and Squeeze have their axes as an input.
constexpr std::int64_t kAxesAreAnInput = 13;
constexpr const char* kMergedName = "merged.onnx";

ElementType element_of(DType dtype) { return static_cast<ElementType>(dtype); }

template <class T>
std::vector<std::byte> bytes_of_values(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

std::string scalar(Merge& merge, DType dtype, double value) {
  auto contents = dtype == DType::kFloat32 ? bytes_of_values(std::vector{static_cast<float>(value)})
                                           : bytes_of_values(std::vector{value});
  return merge.constant(element_of(dtype), {}, std::move(contents));
}

/// The members' answers to one of the ensemble's outputs, each once, and their weights.
struct Answers {
  void add(const std::string& value, double weight) {
    total += weight;
    const auto known = std::find(values.begin(), values.end(), value);  // of the same network a second time
    if (known != values.end()) {
      weights[static_cast<std::size_t>(known - values.begin())] += weight;
      return;
    }
    values.push_back(value);
    weights.push_back(weight);
  }
  [[nodiscard]] bool are_alike() const {
    return std::all_of(weights.begin(), weights.end(), [&](double w) { return w == weights.front(); });
  }
  std::vector<std::string> values;
  std::vector<double> weights;
  double total = 0;
};

[[noreturn]] void refuse_unknown(const TensorInfo& output, const char* what) {
  throw Error(ErrorCode::kUnsupported,
              fmt::format("output '{}' has the shape {}: to combine it within one graph, {} must be known", output.name,
                          output.rank_known ? to_string(output.shape) : "unknown", what));
}

/// A last axis of length 1 more, or one less.
std::string with_axis(Merge& merge, const char* op_type, const std::string& value, std::int64_t axis) {
  if (merge.opset() < kAxesAreAnInput) return merge.node(op_type, {value}, {{"axes", std::vector{axis}}});
  return merge.node(op_type, {value, merge.constant(ElementType::kInt64, {1}, bytes_of_values(std::vector{axis}))});
}

/// Along an axis of their own, times a column. As products and sums it would be fewer nodes, over which OpenVINO
/// 2026.4.1 crashes where a member ends in dense layers.
std::string weighted_sum(Merge& merge, const std::vector<std::string>& values, const std::vector<double>& weights,
                         const TensorInfo& output) {
  if (!output.rank_known) refuse_unknown(output, "the number of its axes");
  const auto axis = static_cast<std::int64_t>(output.shape.size());
  std::vector<std::string> columns;
  for (const std::string& value : values) columns.push_back(with_axis(merge, "Unsqueeze", value, axis));
  const std::string all = merge.node("Concat", columns, {{"axis", axis}});
  const std::string column = merge.constant(element_of(output.dtype), {static_cast<std::int64_t>(weights.size()), 1},
                                            output.dtype == DType::kFloat32
                                                ? bytes_of_values(std::vector<float>(weights.begin(), weights.end()))
                                                : bytes_of_values(weights));
  return with_axis(merge, "Squeeze", merge.node("MatMul", {all, column}), axis);
}

std::string mean(Merge& merge, const Answers& answers, const TensorInfo& output) {
  if (answers.values.size() == 1) return answers.values.front();
  std::vector<double> shares;
  for (const double w : answers.weights) shares.push_back(w / answers.total);
  if (!answers.are_alike()) return weighted_sum(merge, answers.values, shares, output);
  return merge.node("Mul", {merge.node("Sum", answers.values), scalar(merge, output.dtype, shares.front())});
}

/// 1 at the largest of the classes along `axis` (the first of equals), 0 elsewhere.
std::string ballot(Merge& merge, const std::string& answer, const TensorInfo& output, std::size_t axis) {
  const std::int64_t classes = output.shape[axis];
  std::vector<std::int64_t> places(static_cast<std::size_t>(classes));
  std::iota(places.begin(), places.end(), 0);
  Shape along(output.shape.size() - axis, 1);
  along.front() = classes;
  const std::string range = merge.constant(ElementType::kInt64, along, bytes_of_values(places));
  const std::string largest =
      merge.node("ArgMax", {answer}, {{"axis", static_cast<std::int64_t>(axis)}, {"keepdims", 1}});
  const std::string there = merge.node("Equal", {largest, range});
  return merge.node("Cast", {there}, {{"to", static_cast<std::int64_t>(element_of(output.dtype))}});
}

std::string vote_of(Merge& merge, Answers answers, const TensorInfo& output) {
  const auto axis = output.rank_known ? class_axis(output.shape, output.batch_axis) : std::nullopt;
  if (!axis || output.shape[*axis] < 0) refuse_unknown(output, "the number of its classes");
  for (std::string& value : answers.values) value = ballot(merge, value, output, *axis);
  if (answers.are_alike()) return mean(merge, answers, output);
  // Divided at the end: whole weights are added exactly, so that even votes are even.
  const std::string sum = weighted_sum(merge, answers.values, answers.weights, output);
  return merge.node("Mul", {sum, scalar(merge, output.dtype, 1 / answers.total)});
}

/// The batch is one axis, whatever the members call it. Of other free axes nothing is claimed across members.
onnx_graph::ValueInfo declared(const TensorInfo& t, const std::string& member) {
  onnx_graph::ValueInfo value{t.name, "tensor", {element_of(t.dtype), std::nullopt}};
  if (!t.rank_known) return value;
  value.type.shape.emplace();
  for (std::size_t a = 0; a < t.shape.size(); ++a) {
    onnx_graph::Dimension& d = value.type.shape->emplace_back();
    d.size = t.shape[a];
    if (d.known()) continue;
    const std::string& name = a < t.axes.size() ? t.axes[a] : "";
    if (static_cast<int>(a) == t.batch_axis) {
      d.name = "batch";
    } else if (!name.empty()) {
      d.name = member + "/" + name;
    }
  }
  return value;
}

/// `of_member`: by member and its tensor, the ensemble's tensor.
std::vector<onnx_graph::ValueInfo> declared_all(const std::vector<TensorInfo>& tensors,
                                                const std::vector<std::vector<std::size_t>>& of_member,
                                                std::span<const MergedMember> members) {
  std::vector<onnx_graph::ValueInfo> all;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    std::size_t m = 0;  // the first that has it
    while (std::find(of_member[m].begin(), of_member[m].end(), i) == of_member[m].end()) ++m;
    all.push_back(declared(tensors[i], members[m].tensors.name));
  }
  return all;
}

onnx_graph::Part part_of(const MergedMember& member, std::size_t m, const Wiring& wiring,
                         const onnx_graph::Model& file) {
  onnx_graph::Part part{member.tensors.name, &file, {}};
  for (std::size_t i = 0; i < member.tensors.inputs.size(); ++i) {
    part.inputs[member.tensors.inputs[i].name] = wiring.inputs[wiring.input_of[m][i]].name;
  }
  return part;
}

void combine_all(Merge& merge, const std::vector<std::vector<std::string>>& answers,
                 std::span<const MergedMember> members, const Wiring& wiring, Combine combine) {
  if (merge.opset() < kLeastOpset) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("the members use version {} of ONNX's operators: from {} on they can be combined in one "
                            "graph; convert them (onnx.version_converter)",
                            merge.opset(), kLeastOpset));
  }
  for (std::size_t o = 0; o < wiring.outputs.size(); ++o) {
    Answers all;
    for (std::size_t m = 0; m < members.size(); ++m) {
      for (std::size_t i = 0; i < answers[m].size(); ++i) {
        if (wiring.output_of[m][i] == o) all.add(answers[m][i], members[m].weight);
      }
    }
    const TensorInfo& output = wiring.outputs[o];
    merge.output(o, combine == Combine::kMembers ? all.values.at(0)
                    : combine == Combine::kVote  ? vote_of(merge, std::move(all), output)
                                                 : mean(merge, all, output));
  }
}

/// What the file is made from. The weights as bits: their text may be rounded.
KeyParts merged_parts(std::span<const MergedMember> members, const Wiring& wiring, Combine combine,
                      const Params& params) {
  std::string text = fmt::format("{}\n", to_string(combine));
  std::string names;
  for (const MergedMember& m : members) {
    text += fmt::format("{}\n{:a}\n{}\n{}\n", model::model_hash(*m.model, params.cache / "hashes"), m.weight,
                        m.tensors.input_group, m.tensors.name);
    names += (names.empty() ? "" : "+") + m.tensors.name;
  }
  for (const auto& [name, axis] : params.batch_axis) text += fmt::format("{}={}\n", name, axis);
  for (const TensorInfo& t : wiring.inputs) text += t.name + "\n";
  return {{"backend", kMergedBackend}, {"version", version()}, {"model", sha256_of(text)}, {"members", names}};
}

model::Model read_merged(const fs::path& path, const Params& params) {
  return model::read_model(path, params.shapes, params.batch_axis);
}

/// Nothing where it is not there, or of no use.
std::optional<MergedModel> find_kept(GraphCache& cache, const KeyParts& parts, const Params& params) {
  GraphCache::Found found = cache.find(parts);
  if (found.folder.empty()) return std::nullopt;
  try {
    model::Model model = read_merged(found.folder / kMergedName, params);
    return MergedModel{std::move(model), nullptr, std::move(found.lock)};
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kInvalidModel && e.code() != ErrorCode::kIo) throw;
    cache.discard(found, e.what());
    return std::nullopt;
  }
}

/// Nothing, with a warning, where the cache cannot be written or is too small.
std::optional<MergedModel> keep(GraphCache& cache, const KeyParts& parts, const std::string& bytes,
                                const Params& params) {
  std::optional<Filling> filling = cache.begin_filling(parts);
  if (!filling) return std::nullopt;
  std::string why;
  try {
    write_file_atomically(filling->graph() / kMergedName, bytes);
    why = cache.keep(std::move(*filling), parts);
    if (auto kept = find_kept(cache, parts, params)) return kept;
  } catch (const std::exception& e) {
    why = e.what();
  }
  if (params.log) {
    params.log(LogLevel::kWarning, fmt::format("the merged graph could not be kept in the cache: {}", why));
  }
  return std::nullopt;
}

}  // namespace

std::string merge_members(std::span<const MergedMember> members, const Wiring& wiring, Combine combine,
                          const Params& params) {
  std::vector<onnx_graph::Model> files;
  files.reserve(members.size());
  try {
    Merge merge(declared_all(wiring.inputs, wiring.input_of, members),
                declared_all(wiring.outputs, wiring.output_of, members));
    std::vector<std::vector<std::string>> answers;
    for (std::size_t m = 0; m < members.size(); ++m) {
      files.push_back(onnx_graph::read(members[m].model->path));
      answers.push_back(merge.add(part_of(members[m], m, wiring, files.back())));
    }
    combine_all(merge, answers, members, wiring, combine);
    if (params.log) {
      const onnx_graph::MergeCounts& n = merge.counts();
      params.log(LogLevel::kInfo,
                 fmt::format("{} members became one graph of {} nodes; {} nodes and {} constants were there already",
                             members.size(), n.nodes, n.shared_nodes, n.shared_initializers));
    }
    return merge.bytes();
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kUnsupported) throw;
    throw Error(e.code(), e.message() + "; or take another strategy: sequential, concurrent or pipelined", e.context());
  }
}

MergedModel merged_model(std::span<const MergedMember> members, const Wiring& wiring, Combine combine,
                         const Params& params) {
  std::optional<GraphCache> cache;
  KeyParts parts;
  if (!params.cache.empty()) {
    cache.emplace(params.cache, cache_limit(), params.log);
    parts = merged_parts(members, wiring, combine, params);
    if (auto found = find_kept(*cache, parts, params)) return std::move(*found);
  }
  const std::string bytes = merge_members(members, wiring, combine, params);
  if (cache) {
    if (auto kept = keep(*cache, parts, bytes, params)) return std::move(*kept);
  }
  auto folder = std::make_unique<TemporaryFolder>();
  const fs::path path = folder->path() / kMergedName;
  write_file_atomically(path, bytes);
  model::Model model = read_merged(path, params);
  return {std::move(model), std::move(folder), {}};
}

Session load_merged(std::vector<MergedMember> members, Combine combine, const Params& params,
                    const LoadSettings& settings) {
  std::vector<MemberTensors> tensors;
  std::vector<std::string> names;
  std::vector<MemberNote> notes;
  for (MergedMember& m : members) {
    tensors.push_back(m.tensors);
    names.push_back(m.tensors.name);
    notes.push_back(std::move(m.note));
  }
  auto graph = std::make_shared<const OneGraph>(names, std::move(notes));
  const UnderWay under_way = graph->loading();
  MergedModel merged = merged_model(members, wire(tensors, combine), combine, params);
  CheckedRequest asked = checked_request(merged.model, params, settings);  // what is refused is the caller's
  try {
    Session session = open_graph(merged.model, params, std::move(asked));
    Session::Impl& impl = session.impl();
    impl.model_folder = std::move(merged.folder);
    impl.model_lock = std::move(merged.lock);
    impl.layout.one_graph = graph;
    return session;
  } catch (...) {
    throw graph->error();
  }
}

}  // namespace assay::engine
