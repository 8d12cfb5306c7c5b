#pragma once
// Members of strategy "merged" are one graph to their engine: what goes wrong there is of no one of them, and all are
// named.

#include <string>
#include <vector>

#include "assay/error.hpp"
#include "engine/ensemble/member_board.hpp"

namespace assay::engine {

class OneGraph {
 public:
  OneGraph(const std::vector<std::string>& members, std::vector<MemberNote> notes);
  [[nodiscard]] UnderWay loading() const { return {notes_, &MemberBoard::Place::loading}; }
  [[nodiscard]] UnderWay computing() const { return {notes_, &MemberBoard::Place::computing}; }
  /// Within a handler: what is being handled, as an Error with all names before its message.
  [[nodiscard]] Error error() const;

 private:
  std::string names_;
  std::vector<MemberNote> notes_;
};

}  // namespace assay::engine
