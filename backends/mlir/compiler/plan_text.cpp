// A plan for people: which buffers there are, and what works on them in which order.
#include <array>

#include "plan.hpp"

namespace assay::compiler {
namespace {

std::string place_of(const Buffer& b) {
  constexpr std::array<const char*, 7> kPlaces = {"constant", "packed", "prepared", "input",
                                                  "output",   "arena",  "scratch"};
  std::string text = kPlaces.at(static_cast<std::size_t>(b.place));
  if (b.number >= 0) text += " " + std::to_string(b.number);
  text += ", " + std::to_string(b.bytes) + " bytes";
  const bool placed =
      b.place == Buffer::Place::kArena || b.place == Buffer::Place::kPrepared || b.place == Buffer::Place::kPacked;
  return placed ? text + " at " + std::to_string(b.offset) : text;
}

/// "k0(b1+64, b2), 14 units: Conv …: direct, 14 pixels x 2 vectors"
std::string text_of_step(const Plan& plan, const Step& step) {
  std::string text = "k" + std::to_string(step.kernel) + "(";
  for (const Pointer& p : step.pointers) {
    text += (text.back() == '(' ? "b" : ", b") + std::to_string(p.buffer);
    if (p.offset != 0) text += "+" + std::to_string(p.offset);
  }
  const std::int64_t units = plan.kernels[static_cast<std::size_t>(step.kernel)].units;
  text += "), " + std::to_string(units) + (units == 1 ? " unit: " : " units: ") + step.label;
  return step.schedule.empty() ? text + "\n" : text + ": " + step.schedule + "\n";
}

}  // namespace

std::string to_text(const Plan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    text += "b" + std::to_string(i) + ": " + place_of(plan.buffers[i]) + "\n";
  }
  for (const Step& step : plan.prologue) text += "once " + text_of_step(plan, step);
  for (const Step& step : plan.steps) text += text_of_step(plan, step);
  return text;
}

}  // namespace assay::compiler
