#pragma once
// A compiled model, ready to run: shared by all that run it.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aligned_memory.hpp"
#include "code.hpp"
#include "packed_weights.hpp"
#include "plan.hpp"
#include "team.hpp"

namespace assay::compiler {

class Program {
 public:
  /// Computes what is prepared. `packed`: the packed weights of an equal plan, 64-byte aligned, as long as its
  /// packed_bytes; nullptr: what is not in `shared` is made. `shared` gets what it has not; nullptr: nobody shares.
  Program(Plan plan, std::span<const std::string> objects, std::shared_ptr<const std::byte> packed, Team& team,
          PackedWeights* shared = nullptr);

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  /// What was given or made, in the plan's order: all weights where none were shared.
  [[nodiscard]] std::span<const std::byte> packed() const noexcept {
    return {own_.get(), static_cast<std::size_t>(own_bytes_)};
  }

 private:
  friend class Run;
  void keep_what_steps_read();
  void take_packed(PackedWeights* shared, Team& team);
  void pack(std::span<const std::size_t> missing, Team& team);
  [[nodiscard]] void* fixed_address(std::size_t number);

  Plan plan_;
  Code code_;
  std::shared_ptr<const std::byte> own_;
  std::int64_t own_bytes_ = 0;
  std::vector<std::shared_ptr<const std::byte>> packed_;  // of each buffer
  AlignedMemory prepared_;
  AlignedMemory copies_;  // of constants that are not aligned in the file
  std::int64_t copied_bytes_ = 0;
  std::vector<void*> fixed_;  // of each buffer; nullptr for those of a run
};

/// One batch at a time, with memory of its own for what lies between.
class Run {
 public:
  /// For teams of at most so many threads.
  Run(const Program& program, int threads);
  /// Contiguous memory of each input and output, in the plan's order, as large as the plan says.
  void operator()(Team& team, std::span<void* const> inputs, std::span<void* const> outputs);
  /// Nanoseconds of each step of the last batch; measured only where asked for before.
  void measure_steps(bool wanted) { step_ns_.assign(wanted ? program_.plan_.steps.size() : 0, 0); }
  [[nodiscard]] const std::vector<std::int64_t>& step_ns() const noexcept { return step_ns_; }

 private:
  const Program& program_;
  AlignedMemory arena_, scratch_;
  std::vector<std::vector<void*>> addresses_;  // of each step's buffers
  struct Place {
    std::size_t step, position;
    int number;
    std::int64_t offset;
  };
  std::vector<Place> inputs_, outputs_;  // what is set for each batch
  std::vector<std::int64_t> step_ns_;
};

}  // namespace assay::compiler
