#include "engine/strategies/job_board.hpp"

#include <algorithm>
#include <utility>

namespace assay::engine {

JobBoard::JobBoard(const Schedule& schedule) : lanes_(schedule.lanes) {
  for (const MemberSetup& member : schedule.members) free_streams_.push_back(member.streams);
}

std::vector<JobBoard::Entry>::iterator JobBoard::find(std::size_t batch) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.batch == batch; });
}

void JobBoard::add(std::size_t batch) {
  std::vector<State> members;
  if (!recycled_.empty()) {
    members = std::move(recycled_.back());
    recycled_.pop_back();
  }
  members.assign(free_streams_.size(), State::kOpen);
  entries_.push_back({batch, std::move(members)});
}

std::optional<Job> JobBoard::take(std::size_t lane) {
  for (Entry& entry : entries_) {
    for (const std::size_t member : lanes_[lane]) {
      if (entry.members[member] != State::kOpen || free_streams_[member] == 0) continue;
      entry.members[member] = State::kTaken;
      --free_streams_[member];
      return Job{entry.batch, member};
    }
  }
  return std::nullopt;
}

void JobBoard::abandon(std::size_t batch) {
  const auto entry = find(batch);
  if (entry == entries_.end()) return;
  std::replace(entry->members.begin(), entry->members.end(), State::kOpen, State::kOver);
}

bool JobBoard::finish(const Job& job) {
  const auto entry = find(job.batch);
  ++free_streams_[job.member];
  entry->members[job.member] = State::kOver;
  if (std::any_of(entry->members.begin(), entry->members.end(), [](State s) { return s != State::kOver; }))
    return false;
  recycled_.push_back(std::move(entry->members));
  entries_.erase(entry);
  return true;
}

}  // namespace assay::engine
