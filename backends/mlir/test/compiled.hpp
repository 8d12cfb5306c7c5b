#pragma once
// Models compiled and run.

#include <algorithm>
#include <bit>
#include <deque>
#include <functional>
#include <random>
#include <vector>

#include "compiler/passes/pass.hpp"
#include "compiler/program.hpp"
#include "compiler/tuning.hpp"
#include "test/models.hpp"

namespace assay::compiler::test {

using Floats = std::vector<float>;

inline Floats random_floats(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> between(-1, 1);
  Floats values(count);
  for (float& v : values) v = between(random);
  return values;
}

/// What one session shares among all that it compiles, and the models whose constants are looked at for that.
struct Session {
  PackedWeights packed;
  std::deque<std::string> models;
};

struct How {
  std::string target = "host", without{};
  Math math = Math::kStrict;
  std::int64_t l2_bytes = 0;  ///< of the second cache; 0: this machine's
  std::shared_ptr<const Tuning> tuning{};
  std::function<void(Graph&)> after_passes{};  ///< what else is done to the graph
  Session* session = nullptr;                  ///< nullptr: one of its own
  int threads = 2;
};

/// Why this machine cannot run what is compiled for a target; "" where it can.
inline std::string why_not_here(const std::string& target) {
  try {
    (void)target_of(target);
    return "";
  } catch (const Unsupported& e) {
    return e.what();
  }
}

/// Bands wherever they can be, whatever the model of cycles says; at least once.
inline void band_all(Graph& graph) {
  int marked = 0;
  for (Node& dense : graph.nodes) {
    for (const Node& depthwise : graph.nodes) {
      if (!can_be_in_bands(graph, dense, depthwise)) continue;
      std::get<Conv>(dense.operation).in_bands = true;
      ++marked;
    }
  }
  EXPECT_GT(marked, 0);
}

/// The first output of a model whose inputs and outputs are floats, computed twice.
inline Floats answer(const TestModel& m, const std::map<std::string, Shape>& shapes, std::vector<Floats> inputs,
                     const How& how = {}) {
  Session own;
  Session& session = how.session != nullptr ? *how.session : own;
  Graph graph = imported(m, shapes, session.models.emplace_back());
  Target target = target_of(how.target);
  if (how.l2_bytes != 0) target.l2_bytes = how.l2_bytes;
  target.tuning = how.tuning;
  run_passes(graph, target, how.math, how.without);
  if (how.after_passes) how.after_passes(graph);
  Plan plan = schedule(graph, target, how.math, &session.packed);
  const std::vector<std::string> objects = compile(plan.kernels, target, 1);
  Team team(how.threads, false);
  const Program program(std::move(plan), objects, nullptr, team, &session.packed);
  Run run(program, team.size());
  std::vector<AlignedMemory> memory;  // with pages around it that nobody may touch
  const auto place = [&](std::int64_t floats) {
    return memory.emplace_back(floats * static_cast<std::int64_t>(sizeof(float))).data();
  };
  std::vector<void*> in, out;
  for (const Floats& f : inputs) {
    in.push_back(place(static_cast<std::int64_t>(f.size())));
    std::copy(f.begin(), f.end(), static_cast<float*>(in.back()));
  }
  for (const Value& v : program.plan().outputs) out.push_back(place(count(v.shape)));
  const auto size = static_cast<std::size_t>(count(program.plan().outputs[0].shape));
  const auto first_output = [&] { return Floats(static_cast<float*>(out[0]), static_cast<float*>(out[0]) + size); };
  std::fill_n(static_cast<float*>(out[0]), size, -1.0F);
  run(team, in, out);
  const Floats first = first_output();
  run(team, in, out);  // again over the same memory
  const Floats second = first_output();
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin(), [](float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  }));
  return first;
}

}  // namespace assay::compiler::test
