#pragma once
// Memory of batches that are computed: as many as there are streams, however many slots wait for their turn. The one
// that was used last is taken first, since caches hold what is left of it.

#include <memory>
#include <mutex>
#include <vector>

#include "compiler/program.hpp"

namespace assay::mlir_backend {

class RunPool {
 public:
  /// Of a program, for so many batches at once, each by so many threads.
  RunPool(std::shared_ptr<const compiler::Program> program, int streams, int threads, bool measured)
      : program_(std::move(program)), streams_(streams), threads_(threads), measured_(measured) {}

  [[nodiscard]] const compiler::Program& program() const noexcept { return *program_; }
  /// One slot more: makes a run unless there are enough of them. Throws std::bad_alloc.
  void add_slot();

  /// A run that nobody else has as long as this lives.
  class Use {
   public:
    explicit Use(RunPool& pool) : pool_(pool), run_(pool.take()) {}
    ~Use() { pool_.give_back(std::move(run_)); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    [[nodiscard]] compiler::Run& run() const noexcept { return *run_; }

   private:
    RunPool& pool_;
    std::unique_ptr<compiler::Run> run_;
  };

 private:
  std::unique_ptr<compiler::Run> take();
  void give_back(std::unique_ptr<compiler::Run> run);

  std::shared_ptr<const compiler::Program> program_;
  const int streams_, threads_;
  const bool measured_;
  std::mutex mutex_;
  int made_ = 0;
  std::vector<std::unique_ptr<compiler::Run>> idle_;
};

}  // namespace assay::mlir_backend
