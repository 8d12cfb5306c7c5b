#pragma once
// What a session runs: kernels, and in which order they compute on which memory.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernel.hpp"

namespace assay::compiler {

struct Buffer {
  enum class Place {
    kConstant,  ///< of the model's file, or computed of what is there
    kPacked,    ///< weights in the order in which a kernel reads them: made when a model is opened, or of a cache
    kPrepared,  ///< computed from constants alone, once
    kInput,     ///< the caller's
    kOutput,    ///< likewise
    kArena,     ///< of the batch under way
    kScratch,   ///< of each thread while it computes a step
  };
  Place place = Place::kArena;
  std::int64_t bytes = 0;
  int number = -1;                           ///< of an input or output
  std::shared_ptr<const Constant> constant;  ///< of kConstant; of kPacked what is packed
  std::string order{};                       ///< of kPacked: how it lies (packed_weights.hpp)
  std::function<void(float*)> make;          ///< of kPacked: fills memory that is zeros
  std::int64_t offset = 0;                   ///< of kArena, kPrepared and kPacked, in their memory
};

/// Where an operand of a kernel begins.
struct Pointer {
  int buffer = -1;
  std::int64_t offset = 0;  ///< bytes
};

/// A kernel over all its units: inputs first, what it writes last.
struct Step {
  int kernel = -1;
  std::vector<Pointer> pointers;
  std::string label;        ///< of the node that it computes
  std::string schedule{};   ///< how, in words, where it was chosen: "direct, 14 pixels x 2 vectors"
  double operations = 0;    ///< multiplications and additions of the definition, whatever the method
  std::size_t outputs = 1;  ///< how many of the pointers, the last ones, are written
  [[nodiscard]] std::span<const Pointer> written() const { return std::span(pointers).last(outputs); }
};

struct Plan {
  std::vector<Buffer> buffers;
  std::vector<KernelText> kernels;  ///< each text once
  std::vector<Step> prologue;       ///< what fills kPrepared
  std::vector<Step> steps;          ///< of each batch
  std::int64_t arena_bytes = 0, prepared_bytes = 0, packed_bytes = 0;
  std::int64_t scratch_bytes = 0;      ///< of each thread
  std::vector<Value> inputs, outputs;  ///< names, types, shapes
};

/// A line a buffer, then one a step: `k1(b0, b2, b4+256), 8 units: Conv "c": direct, 4 pixels x 2 vectors`; those of
/// the prologue begin with `once`.
std::string to_text(const Plan& plan);

class PackedWeights;

/// Kernels and order of a graph. Of weights that are packed already the order is kept where another would not be faster
/// by enough.
Plan schedule(const Graph& graph, const Target& target, Math math, const PackedWeights* there = nullptr);

/// Gives every buffer of arena and prepared memory its place. Buffers of the arena share
/// memory, if they may, where none is needed while another is. Offsets are multiples of 64.
void place_buffers(Plan& plan, bool shared = true);

}  // namespace assay::compiler
