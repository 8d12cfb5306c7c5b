#pragma once
// The board of members that a worker writes and its launcher reads: memory of both, so that however the worker ends
// (killed, or with a framework's own handler of signals) what it last did is there.

#include <string>

#include "engine/ensemble/member_board.hpp"
#include "worker/child_process.hpp"

namespace assay::worker {

/// The launcher's end. Where the system refuses the memory there is none, and nothing is told.
class SharedBoard {
 public:
  SharedBoard();
  ~SharedBoard();
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;

  /// For the child; -1: none.
  [[nodiscard]] int descriptor() const { return memory_.get(); }
  /// As engine::describe_under_way.
  [[nodiscard]] std::string under_way() const;

 private:
  Descriptor memory_;
  engine::MemberBoard* board_ = nullptr;
};

/// The worker's end: members are noted there from now on. Closes `descriptor`, and does nothing where it is no board.
void join_board(int descriptor);

}  // namespace assay::worker
