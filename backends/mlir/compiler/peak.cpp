#include "peak.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "code.hpp"
#include "emitter.hpp"

namespace assay::compiler {
namespace {

constexpr std::int64_t kProducts = 20000;  // one behind the other, of each sum

/// As many sums as registers hold, which hide each other's latency; each thread stores them in a place of its own.
KernelText sums(const Target& target, std::int64_t count, int threads) {
  Emitter e;
  const int width = target.vector_floats;
  const std::int64_t of_thread = count * width;
  const std::string type = "memref<" + std::to_string(of_thread * threads) + "xf32>";
  const std::string vector = register_type(Element::kF32, width);
  const auto place = [&](const std::string& unit, std::int64_t i) {
    Affine at;
    at.constant = i * width;
    return e.affine(at.add(unit, of_thread));
  };
  e.loop("%begin", "%end", 1, [&](const std::string& unit) {
    const std::string factor = e.load("%p0", type, place(unit, 0), Element::kF32, width);
    const std::vector<std::string> types(static_cast<std::size_t>(count), vector);
    Emitter::Values start;
    for (std::int64_t i = 0; i < count; ++i) start.push_back(e.load("%p0", type, place(unit, i), Element::kF32, width));
    const Emitter::Values end =
        e.loop(e.index(0), e.index(kProducts), 1, start, types, [&](const std::string&, const Emitter::Values& v) {
          Emitter::Values next;
          for (const std::string& sum : v)
            next.push_back(e.let("math.fma " + factor + ", " + factor + ", " + sum + " : " + vector));
          return next;
        });
    for (std::int64_t i = 0; i < count; ++i)
      e.store(end[static_cast<std::size_t>(i)], "%p0", type, place(unit, i), Element::kF32, width);
  });
  return {e.function({{"%p0", type}}), threads};
}

}  // namespace

double peak_of(const Target& target, Team& team) {
  constexpr int kTries = 5;
  const std::int64_t count = target.registers - 4;
  const std::vector<KernelText> kernels = {sums(target, count, team.size())};
  const Code code(compile(kernels, target, 1), 1);
  std::vector<float> memory(static_cast<std::size_t>(count * target.vector_floats * team.size()), 0.0F);
  void* const pointers[] = {memory.data()};
  double least = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    team.run(team.size(),
             [&](std::int64_t from, std::int64_t to, std::int64_t part) { code.kernel(0)(pointers, from, to, part); });
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    least = i == 0 ? took.count() : std::min(least, took.count());
  }
  constexpr double kMultiplyAndAdd = 2;
  return kMultiplyAndAdd * static_cast<double>(kProducts * count * target.vector_floats * team.size()) / least;
}

}  // namespace assay::compiler
