#include "engine/ensemble/member_board.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace assay::engine {
namespace {

std::atomic<MemberBoard*> process_board{nullptr};

/// Not amid a letter: what is cut stays UTF-8.
std::size_t cut_length(const std::string& name, std::size_t most) {
  if (name.size() <= most) return name.size();
  constexpr unsigned kTopBits = 0xC0U, kGoesOn = 0x80U;
  while (most > 0 && (static_cast<unsigned char>(name[most]) & kTopBits) == kGoesOn) --most;
  return most;
}

std::string name_at(const MemberBoard::Place& place) {
  std::string name(place.name.begin(), std::find(place.name.begin(), place.name.end(), '\0'));
  std::erase_if(name, [](unsigned char c) { return std::iscntrl(c) != 0; });
  return name;
}

std::string sentence_of(const std::vector<std::string>& names, const char* doing) {
  if (names.empty()) return "";
  return fmt::format("{} '{}' {} {}", names.size() == 1 ? "member" : "members", fmt::join(names, "', '"),
                     names.size() == 1 ? "was" : "were", doing);
}

}  // namespace

void note_members_on(MemberBoard* board) { process_board = board; }

std::string describe_under_way(const MemberBoard& board) {
  std::vector<std::string> loading, computing;
  for (const MemberBoard::Place& place : board.places) {
    if (place.taken == 0) continue;
    if (place.loading > 0) loading.push_back(name_at(place));
    if (place.computing > 0) computing.push_back(name_at(place));
  }
  const std::string first = sentence_of(loading, "being loaded");
  const std::string second = sentence_of(computing, "computing");
  return first + (first.empty() || second.empty() ? "" : ", ") + second;
}

MemberNote::MemberNote(const std::string& member) {
  MemberBoard* const board = process_board;
  if (board == nullptr) return;
  for (MemberBoard::Place& place : board->places) {
    std::uint32_t free = 0;
    if (!place.taken.compare_exchange_strong(free, 1)) continue;
    place.name.fill('\0');
    std::copy_n(member.begin(), cut_length(member, place.name.size() - 1), place.name.begin());
    place_ = &place;
    return;
  }
}

MemberNote::~MemberNote() {
  if (place_ != nullptr) place_->taken = 0;
}

}  // namespace assay::engine
