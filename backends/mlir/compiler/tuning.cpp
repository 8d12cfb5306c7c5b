#include "tuning.hpp"

#include <sstream>

namespace assay::compiler {

std::string problem_text(const Graph& graph, const Node& node) {
  const Conv& c = std::get<Conv>(node.operation);
  return to_text(graph.shape(node.inputs[0])) + " by " + to_text(graph.shape(node.inputs[1])) + " strides " +
         to_text(c.strides) + " dilations " + to_text(c.dilations) + " begin " + to_text(c.begin) + " end " +
         to_text(c.end) + " terms " + std::to_string(c.after.terms.size());
}

const ConvSchedule* tuned(const Graph& graph, const Node& node, const Target& target) {
  if (target.tuning == nullptr || !std::holds_alternative<Conv>(node.operation)) return nullptr;
  const auto found = target.tuning->schedules.find(problem_text(graph, node));
  return found != target.tuning->schedules.end() ? &found->second.schedule : nullptr;
}

Tile tile_of(const ConvSchedule* schedule, std::int64_t m, const Tile& model, std::int64_t columns, std::int64_t blocks,
             const Target& target) {
  if (schedule == nullptr || schedule->m != m) return model;
  const Tile& t = schedule->tile;
  const bool fits = t.vectors > 0 && t.tile > 0 && t.tile <= columns && blocks % t.vectors == 0 &&
                    t.tile * t.vectors + t.vectors < target.registers;
  return fits ? t : model;
}

std::string to_text(const Tuning& tuning) {
  std::string text = std::to_string(tuning.problems) + " " + std::to_string(tuning.measured) + "\n";
  for (const auto& [problem, t] : tuning.schedules) {
    const ConvSchedule& s = t.schedule;
    for (const std::int64_t number : {s.m, s.tiles, s.tile.vectors, s.tile.tile, t.model_ns, t.ns})
      text += std::to_string(number) + " ";
    text += problem + "\n";
  }
  return text;
}

std::optional<Tuning> tuning_of(const std::string& text) {
  Tuning tuning;
  std::istringstream lines(text);
  std::string line;
  if (!(lines >> tuning.problems >> tuning.measured) || !std::getline(lines, line)) return std::nullopt;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    Tuned t;
    ConvSchedule& s = t.schedule;
    std::string problem;
    const bool numbers =
        static_cast<bool>(words >> s.m >> s.tiles >> s.tile.vectors >> s.tile.tile >> t.model_ns >> t.ns >> std::ws);
    if (!numbers || !std::getline(words, problem)) return std::nullopt;
    tuning.schedules[problem] = t;
  }
  return tuning;
}

}  // namespace assay::compiler
