#include "autotune.hpp"

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "algorithm.hpp"
#include "code.hpp"
#include "program.hpp"

namespace assay::compiler {
namespace {

constexpr double kLeastGain = 0.03;  // of the time: for less the model's choice stays
constexpr int kRounds = 8;           // of all ways in turns; the fastest of each counts

using Clock = std::chrono::steady_clock;

/// The node as a graph of its own, what it takes but constants as inputs.
Graph alone(const Graph& graph, const Node& node) {
  Graph one;
  Node copy = node;
  std::unordered_map<ValueId, ValueId> ids;
  for (ValueId& id : copy.inputs) {
    const auto [at, is_new] = ids.try_emplace(id, -1);
    if (is_new) at->second = one.add(graph.value(id));
    if (is_new && graph.value(id).constant == nullptr) one.inputs.push_back(at->second);
    id = at->second;
  }
  copy.output = one.add(graph.value(node.output));
  one.outputs = {copy.output};
  one.nodes = {std::move(copy)};
  return one;
}

std::vector<AlignedMemory> memory_for(const std::vector<Value>& values) {
  std::vector<AlignedMemory> all;
  for (const Value& v : values) all.emplace_back(count(v.shape) * static_cast<std::int64_t>(bytes_of(v.element)));
  return all;
}

std::vector<void*> addresses_of(const std::vector<AlignedMemory>& all) {
  std::vector<void*> addresses;
  for (const AlignedMemory& m : all) addresses.push_back(m.data());
  return addresses;
}

/// One way of computing a convolution, compiled.
class Way {
 public:
  /// nullptr: as the model chooses.
  Way(const Graph& graph, Target target, Math math, const ConvSchedule* schedule, Team& team) {
    if (schedule != nullptr) {
      auto tuning = std::make_shared<Tuning>();
      tuning->schedules[problem_text(graph, graph.nodes[0])].schedule = *schedule;
      target.tuning = std::move(tuning);
    }
    Plan plan = compiler::schedule(graph, target, math);
    const std::vector<std::string> objects = compile(plan.kernels, target, team.size());
    program_ = std::make_unique<Program>(std::move(plan), objects, nullptr, team);
    run_ = std::make_unique<Run>(*program_, team.size());
    run_->measure_steps(true);
    inputs_ = memory_for(program_->plan().inputs);
    outputs_ = memory_for(program_->plan().outputs);
  }

  /// Nanoseconds of the convolution itself: what brings images into its layout is none of it.
  std::int64_t measure(Team& team) {
    const std::vector<void*> in = addresses_of(inputs_), out = addresses_of(outputs_);
    (*run_)(team, in, out);
    std::int64_t ns = 0;
    for (std::size_t s = 0; s < program_->plan().steps.size(); ++s) {
      if (!program_->plan().steps[s].schedule.empty()) ns += run_->step_ns()[s];
    }
    return ns;
  }

 private:
  std::unique_ptr<Program> program_;
  std::unique_ptr<Run> run_;
  std::vector<AlignedMemory> inputs_, outputs_;
};

/// The fastest; nothing where no other is faster than the model's choice by enough. No way is begun after `end`.
std::optional<Tuned> fastest(const Graph& graph, const Target& target, Math math, Team& team, Clock::time_point end) {
  const std::vector<ConvSchedule> schedules = schedules_of(graph, graph.nodes[0], target, math);
  std::vector<Way> ways;
  ways.emplace_back(graph, target, math, nullptr, team);
  for (const ConvSchedule& s : schedules) {
    if (Clock::now() < end) ways.emplace_back(graph, target, math, &s, team);
  }
  std::vector<std::int64_t> least(ways.size(), 0);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const std::int64_t ns = ways[i].measure(team);
      least[i] = round == 0 ? ns : std::min(least[i], ns);
    }
  }
  const auto best = std::min_element(least.begin(), least.end());
  if (best == least.begin() || static_cast<double>(*best) > (1 - kLeastGain) * static_cast<double>(least[0]))
    return std::nullopt;
  return Tuned{schedules[static_cast<std::size_t>(best - least.begin()) - 1], least[0], *best};
}

/// A dozen copies of its images would take gigabytes.
bool is_large(const Graph& graph, const Node& node) {
  constexpr std::int64_t kMostFloats = std::int64_t{1} << 25;
  return count(graph.shape(node.inputs[0])) + count(graph.shape(node.output)) > kMostFloats;
}

struct Candidate {
  const Node* node;
  double cycles;  // of all convolutions of this problem
};

}  // namespace

Tuning autotune(const Graph& graph, const Target& target, Math math, Team& team, double seconds) {
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::map<std::string, Candidate> problems;
  for (const Node& node : graph.nodes) {
    if (!is_dense(graph, node) || !takes_blocks(graph, node) || is_large(graph, node) ||
        std::get<Conv>(node.operation).in_bands)
      continue;
    Candidate& c = problems.try_emplace(problem_text(graph, node), Candidate{&node, 0}).first->second;
    c.cycles += cost_of(graph, node, {1, 1}, target, math).cycles;
  }
  std::vector<std::pair<std::string, Candidate>> order(problems.begin(), problems.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second.cycles > b.second.cycles; });
  Tuning result;
  result.problems = static_cast<int>(order.size());
  for (const auto& [problem, candidate] : order) {
    if (Clock::now() >= end) break;
    ++result.measured;
    if (const auto best = fastest(alone(graph, *candidate.node), target, math, team, end))
      result.schedules[problem] = *best;
  }
  return result;
}

}  // namespace assay::compiler
